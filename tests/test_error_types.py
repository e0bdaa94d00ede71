"""docs/errors.md lists every type of error that the pack has of its own."""

import ast
import re

from tools.operations import ROOT
from tools.tree.flatten import sources

LISTED = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs" / "errors.md").read_text(), re.M)


def raised():
    """The types in the code: what the argument or fact `type` of an error is, or the
    `kind` from which a function takes it."""
    found = set()
    for path in sources(ROOT):
        for function in ast.walk(ast.parse(path.read_text())):
            if isinstance(function, ast.FunctionDef):
                found |= set(_types(function))
    return found


BUDGET = ("check_budget", "_unknown", "reserve")  # their refusals name the type first


def _types(function):
    nodes = list(ast.walk(function))
    said = []
    for call in (node for node in nodes if isinstance(node, ast.Call)):
        name = ast.unparse(call.func)
        if _is_error(name):
            said += [word.value for word in call.keywords if word.arg == "type"]
        if name == "_refused" and function.name in BUDGET:
            said += call.args[:1]
        if name == "facts.setdefault" and ast.unparse(call.args[0]) == "'type'":
            said += call.args[1:]
    named = {node.id for node in said if isinstance(node, ast.Name)}
    for node in (node for node in nodes if isinstance(node, ast.Assign)):
        for target, value in _pairs(node.targets[0], node.value):
            word = ast.unparse(target)
            if word in named or re.fullmatch(r"(facts|words)\['type'\]", word):
                said.append(value)
    return {node.value for node in said if isinstance(node, ast.Constant)}


def _is_error(name):
    return name.split(".")[0] in ("TogetherError", "cls") or "rror" in name


def _pairs(target, value):
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        return zip(target.elts, value.elts, strict=True)
    return [(target, value)]


def test_every_type_of_error_is_listed_and_every_one_listed_can_come():
    assert raised() == set(LISTED)


def test_the_list_is_in_order_and_names_each_once():
    assert sorted(set(LISTED)) == LISTED
