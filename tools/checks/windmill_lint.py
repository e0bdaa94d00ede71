"""What Windmill's form and its parser of Python would misread, found without them.

Each rule here was seen to break with Windmill's own form or parser; the tests that
install those show it again for whatever the pack holds.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

SCALARS = {"str", "int", "float", "bool", "bytes"}
ROWS = SCALARS - {"bytes"} | {"dict"}


def in_form(field: dict, place: str = "") -> Iterator[str]:
    """The fields of a form, at any depth, that would crash it or not show."""
    where = place or "form"
    if {"min", "max"} <= field.keys() and field.get("default") is None:
        yield f"{where}: min and max without a default crash the whole form"
    if isinstance(field.get("type"), list):
        yield f"{where}: several types make a plain text of it"
    if field.get("type") == "string" and field.get("format") == "currency":
        yield f"{where}: currency on a text shows nothing"
    variants = field.get("oneOf", [])
    titles = [variant.get("title") for variant in variants]
    if "oneOf" in field and (None in titles or len(set(titles)) < max(2, len(titles))):
        yield f"{where}: oneOf needs two variants or more, each with its own title"
    for variant in variants:
        yield from in_form(variant, f"{place}[{variant.get('title')}]")
    for name, member in field.get("properties", {}).items():
        yield from in_form(member, f"{place}.{name}".lstrip("."))
    rows = field.get("items")
    if isinstance(rows, dict):
        if "label" in rows.get("properties", {}):
            yield f"{where}: a row's field named label is deleted"
        yield from in_form(rows, f"{place}[]")


def in_main(script: Path) -> Iterator[str]:
    """What the parser would misread in the signature of a script's main."""
    tree = ast.parse(script.read_text(encoding="utf-8"))
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    mains = [n for n in tree.body if isinstance(n, kinds) and n.name == "main"]
    if not mains:
        yield "has no main"
        return
    [main] = mains[-1:]
    if isinstance(main, ast.AsyncFunctionDef):
        yield "main is async: it would not be awaited"
    arguments = main.args
    if arguments.kwonlyargs or arguments.vararg or arguments.kwarg:
        yield "main: what follows a star is never passed"
    found = [*arguments.posonlyargs, *arguments.args]
    first, *others = found or [None]
    if first is None or (first.arg, _text(first.annotation)) != ("auth", "togetherai"):
        yield "main: its first argument must be `auth: togetherai`, without quotes"
    for argument in others:
        if not _known(argument):
            kind = _text(argument.annotation)
            yield (
                f"main: {argument.arg}: {kind} would lose the argument's fields in the "
                f'form or make a resource of it; quote it ("{kind}")'
            )
    for default in arguments.defaults:
        if not isinstance(default, ast.Constant):
            yield f"main: the default {_text(default)} is not read: use a plain literal"


def _known(argument: ast.arg) -> bool:
    """Whether the parser makes of an annotation what its form's field is, or nothing
    at all, which leaves the field alone."""
    kind = argument.annotation
    if isinstance(kind, ast.BinOp) and _text(kind.right) == "None":
        kind = kind.left
    if isinstance(kind, ast.Constant) and isinstance(kind.value, str):
        return True
    text = _text(kind)
    rows = re.fullmatch(r"list\[(\w+)\]", text)
    picker = re.fullmatch(r"Dyn(Multis|S)elect_(\w+)", text)
    return (
        text in SCALARS
        or bool(rows and rows[1] in ROWS)
        or bool(picker and picker[2] == argument.arg)
    )


def _text(node: ast.AST | None) -> str:
    return ast.unparse(node) if node else "nothing"
