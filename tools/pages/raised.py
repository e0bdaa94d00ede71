"""Which types of errors a step raises by itself: read from its function, and from those
of its module that it calls."""

import ast
import re
from functools import cache
from pathlib import Path

from tools.operations import Operation

PAGE = "docs/errors.md"


# What every request can raise is told of all steps at once.
EVERYWHERE = ("client", "resilience", "replies", "transfer", "workspace", "operations")


def own_errors(step: Operation) -> list[str]:
    """The types, in the order of the alphabet."""
    waiting, seen, types = [(step.module.replace(".", "/"), step.name)], set(), set()
    while waiting:
        module, name = place = waiting.pop()
        raised, called = _functions(step.root, module).get(name, (set(), set()))
        if place not in seen:
            seen.add(place)
            types |= raised
            waiting += called
    return sorted(types)


Names = set[tuple[str, str]]


@cache
def _functions(root: Path, module: str) -> dict[str, tuple[set[str], Names]]:
    """Of each function and class of a module: the types that it raises, and what it
    uses of ours, as (module, name)."""
    path = root / "scripts" / f"{module}.py"
    if not path.exists():
        return {}
    tree = ast.parse(path.read_text(encoding="utf-8"))
    places = _imported(tree, module)
    found = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            used = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
            called = {places.get(name, (module, name)) for name in used}
            found[node.name] = (_types(node) & known_types(root), called)
    return found


def _imported(tree: ast.Module, module: str) -> dict[str, tuple[str, str]]:
    """Where the names are from that a module imports of ours."""
    found = {}
    package = module.split("/")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level and node.module:
            base = [*package[: len(package) + 1 - node.level], *node.module.split(".")]
            if base[0] not in EVERYWHERE:
                for alias in node.names:
                    found[alias.name] = ("/".join(base), alias.name)
    return found


def _types(node: ast.AST) -> set[str]:
    """The texts that stand as `type=` of a call, and all of two words: what is named
    `rate_limit` is that type wherever it stands, while `storage` is also an output."""
    texts, given = set(), set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant):
            texts.add(inner.value)
        elif isinstance(inner, ast.keyword) and inner.arg == "type":
            given |= {v.value for v in [inner.value] if isinstance(v, ast.Constant)}
    words = {text for text in texts if isinstance(text, str) and "_" in text}
    return words | {text for text in given if isinstance(text, str)}


@cache
def known_types(root: Path) -> frozenset[str]:
    """The types of errors that the page lists."""
    place = root / PAGE
    text = place.read_text(encoding="utf-8") if place.exists() else ""
    return frozenset(re.findall(r"^\| `(\w+)` \|", text, re.M))
