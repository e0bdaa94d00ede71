"""How a person fills in a form: by which widgets, and in which order.

tests/support/form_values.py says what the form then sends.
"""

import json
import re
from collections.abc import Iterator
from itertools import product

from scripts.client.form import OTHER
from tests.support.form_values import ABSENT, filled, shown, untouched
from tools.pages.browser import Step


def label(name: str, field: dict) -> str:
    """The words above a field."""
    words = (field.get("title") or name).replace("_", " ").split(" ")
    return " ".join(word[:1].upper() + word[1:] for word in words)


def widget(field: dict) -> str:
    """What a person fills a field in with."""
    kind = field.get("type")
    if kind == "string":
        return _text_widget(field)
    if kind in ("integer", "number"):
        if "seconds" in field:
            return "duration"
        return "slider" if {"min", "max"} <= field.keys() else "number"
    if kind == "boolean":
        return "switch"
    if kind == "array" and "items" in field:
        return "chips" if "enum" in field["items"] else "list"
    return _object_widget(field) if kind == "object" else "editor"


def _text_widget(field: dict) -> str:
    if "enum" in field:
        return "select"
    if field.get("contentEncoding") == "base64":
        return "file"
    if field.get("format") == "date-time":
        return "date"
    return "password" if field.get("password") else "text"


def _object_widget(field: dict) -> str:
    by_start = {
        "json-schema": "schema",
        "resource-s3_object": "storage",
        "resource-": "resource",
        "dynselect-": "select",
        "dynmultiselect-": "chips",
    }
    for start, name in by_start.items():
        if field.get("format", "").startswith(start):
            return name
    if len(field.get("oneOf", ())) > 1:
        return "choice"
    return "group" if field.get("properties") else "editor"


def row_widget(items: dict) -> str:
    """What a person fills a row of a list in with."""
    kind = items.get("type")
    if kind == "object":
        return "group" if items.get("properties") else "editor"
    if items.get("contentEncoding") == "base64":
        return "file"
    return "number" if kind == "number" else "text"


def row_required(items: dict) -> list[str]:
    """The members that a row's form marks as required: those that have any such key,
    an object's list of its own required members, also an empty one, among them."""
    members = items.get("properties", {}).items()
    return [n for n, field in members if field.get("required", False) is not False]


def revealing(fields: dict, required: list[str], name: str) -> dict:
    """Values of its siblings that let a field show, where possible those that they have
    at first.

    Raises LookupError when none of those tried does.
    """
    others = set(re.findall(r"fields\.(\w+)", fields[name]["showExpr"])) - {name}
    tries = [
        [(other, value) for value in _values(fields[other], other in required)]
        for other in sorted(others, key=list(fields).index)
    ]
    for tried in product(*tries):
        values = {other: value for other, value in tried if value is not ABSENT}
        if shown(fields[name], filled(fields, required, values)):
            return values
    raise LookupError(f"{name} is never shown: {fields[name]['showExpr']}")


def _values(field: dict, required: bool) -> list:
    """A few values that a field may have, first the one that it has at first; a select
    that was used is never empty again."""
    kind = widget(field)
    others = {"switch": [True, False], "text": ["x"], "number": [1]}.get(kind, [])
    if kind == "select":
        picker = field.get("format", "").startswith("dynselect-")
        others = [OTHER] if picker else list(field.get("enum", ()))
    if kind == "choice":
        others = [{"label": variant["title"]} for variant in field["oneOf"]]
    first = untouched(field, required)
    return [*others, first] if first is ABSENT else [first, *others]


def steps(
    fields: dict, required: list[str], sent: dict, path: tuple = ()
) -> Iterator[Step]:
    """What a person does to a fresh form at a path so that it sends this.

    Raises LookupError for what the form has no way to say.
    """
    unknown = sent.keys() - fields.keys() - {"label"}
    if unknown:
        raise LookupError(f"{path} has no field for {unknown}")
    waiting = [name for name in fields if name in sent and name != "label"]
    now: dict = {}
    while waiting:
        seen = filled(fields, required, now)
        name = next((n for n in waiting if shown(fields[n], seen)), None)
        if name is None:
            raise LookupError(f"{path}: {waiting} are not shown")
        waiting.remove(name)
        now[name] = sent[name]
        if sent[name] != untouched(fields[name], name in required):
            where = (*path, label(name, fields[name]))
            yield from _steps(fields[name], sent[name], where)


def _steps(field: dict, value: object, path: tuple) -> Iterator[Step]:
    kind = widget(field)
    if kind == "group":
        yield from steps(field["properties"], field.get("required", []), value, path)
    elif kind == "choice":
        yield path, value["label"]
        chosen = next(v for v in field["oneOf"] if v["title"] == value["label"])
        yield from steps(chosen["properties"], chosen["required"], value, path)
    elif kind == "list":
        yield from _rows(field, value, path)
    elif kind in ("editor", "schema", "storage"):
        yield path, json.dumps(value)
    elif kind == "select":
        yield path, field.get("enumLabels", {}).get(value, value)
    elif kind == "chips":
        known = {
            item["value"]: item["label"]
            for item in field.get("items", {}).get("enum", ())
            if isinstance(item, dict)
        }
        yield path, [known.get(one, one) for one in value]
    elif kind == "file":
        yield path, {"name": "file.bin", "content": value}
    elif kind == "date":
        yield path, re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d", value)[0]
    else:
        yield path, value


def _rows(field: dict, rows: list, path: tuple) -> Iterator[Step]:
    items = field["items"]
    if row_widget(items) == "text" and any("\n" in row for row in rows):
        # Such rows have one line only.
        yield path, json.dumps(rows)
        return
    there = len(field.get("default") or ())
    for number, row in enumerate(rows):
        if number >= there:
            yield path, None
        where = (*path, number)
        kind = row_widget(items)
        if kind == "group":
            fields = items["properties"]
            yield from steps(fields, row_required(items), row, where)
        elif kind == "editor":
            yield where, json.dumps(row)
        elif kind == "file":
            yield where, {"name": "file.bin", "content": row}
        elif row != ("" if kind == "text" else 0):
            yield where, row
