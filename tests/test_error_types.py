"""docs/errors.md lists every type of error that the pack has of its own.

No error has another: mypy holds each to ErrorType of scripts/shapes.pyi.
"""

import ast
import re

from tools.operations import ROOT
from tools.tree.flatten import sources

LISTED = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs" / "errors.md").read_text(), re.M)


def declared():
    """The types of ErrorType."""
    tree = ast.parse((ROOT / "scripts" / "shapes.pyi").read_text())
    (node,) = (
        node.value
        for node in tree.body
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "ErrorType"
    )
    return [*ast.literal_eval(node.slice)]


def raised():
    """The texts in the code that are said to be a type: as the fact `type` of an error,
    or as the `kind` that becomes one."""
    return {
        inner.value
        for path in sources(ROOT)
        for node in ast.walk(ast.parse(path.read_text()))
        for value in _types(node)
        for inner in ast.walk(value)
        if isinstance(inner, ast.Constant)
    }


def _types(node):
    if isinstance(node, ast.keyword) and node.arg == "type":
        yield node.value
    elif isinstance(node, ast.Call) and ast.unparse(node.func) == "facts.setdefault":
        yield from node.args[1:]
    elif isinstance(node, ast.AnnAssign) and node.value:
        if ast.unparse(node.annotation) == "ErrorType":
            yield node.value
    elif isinstance(node, ast.Assign):
        for target, value in _pairs(node.targets[0], node.value):
            if ast.unparse(target) in ("kind", "facts['type']"):
                yield value


def _pairs(target, value):
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        return zip(target.elts, value.elts, strict=True)
    return [(target, value)]


def test_the_page_lists_the_types_that_there_are_in_order():
    assert LISTED == declared()
    assert sorted(set(LISTED)) == LISTED


def test_every_type_that_is_listed_can_come():
    assert set(LISTED) - raised() == set()


def test_every_error_names_its_type():
    nameless = [
        f"{path.relative_to(ROOT)}, line {node.lineno}"
        for path in sources(ROOT)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "TogetherError"
        # What is handed on as `**facts` has it.
        if {"type", None}.isdisjoint(keyword.arg for keyword in node.keywords)
    ]

    assert nameless == []
