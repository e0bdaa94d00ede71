"""Reads the arguments of a tool call as the model that wrote them meant them.

Models fill optional arguments with blanks, wrap a value in an object or a list, write
numbers, lists and objects as text, and pass on what another tool returned. What has
only one possible meaning is read so; the step's own check judges the rest.
"""

from __future__ import annotations

import json

from ..client.validate import kind_of, schema_problems

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shapes import Json, Members, Schema, Step

# Members of an object that hold the text which is meant, the surest first.
HOLDERS = ("url", "value", "id", "model", "text")
NOTHING = ("", "null", "none")


def understood(step: Step, arguments: Members) -> Members:
    """Return a step's arguments as they are meant, without those that are not given."""
    schema = step["arguments"]
    members, required = schema["properties"], schema.get("required", ())
    found = {}
    for name, value in arguments.items():
        read = meant(value, members[name])
        optional = name not in required
        if optional and any(_is_blank(v, members[name]) for v in (value, read)):
            continue
        found[name] = read
    return found


def _is_blank(value: Json, schema: Schema) -> bool:
    """Say whether a value is empty where the schema forbids that: it counts as not
    given."""
    if value is False or value:
        return False
    return bool(schema_problems(value, schema, ""))


def meant(value: Json, schema: Schema) -> Json:
    """Return a value as a schema wants it, where there is one way to read it; else as
    it is."""
    kind = kind_of(schema)
    if value is None:
        return None
    if kind == "array":
        return _list(value, schema.get("items", {}))
    if value.__class__ is list and len(value) <= 1:
        return meant(value[0], schema) if value else None
    if kind == "string":
        return _text(value)
    if value.__class__ is dict and len(value) == 1 and "value" in value:
        return meant(value["value"], schema)
    if value.__class__ is str and kind == "object":
        return _json_of_kind(value, dict)
    if value.__class__ is str and kind in ("integer", "number", "boolean"):
        plain = value.strip().lower()
        if plain in NOTHING:
            return None
        return plain if plain in ("true", "false") else value
    return value


def _list(value: Json, items: Schema) -> Json:
    if value.__class__ is str:
        value = _json_of_kind(value.strip(), list)
    if value.__class__ is not list:
        value = [value]
    read = [meant(one, items) for one in value]
    return [one for one in read if one not in (None, "", [], {})]


def _text(value: Json) -> Json:
    if value.__class__ is dict:
        if isinstance(value.get("s3"), str) and value["s3"]:
            key, storage = value["s3"], value.get("storage") or ""
            return key if key.startswith("s3://") else f"s3://{storage}/{key}"
        held = [value[name] for name in HOLDERS if isinstance(value.get(name), str)]
        return held[0] if held else value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return json.dumps(value)
    return value


def _json_of_kind(text: str, kind: type) -> Json:
    """Return what a text says as JSON of that kind, else the text."""
    if text[:1] != ("[" if kind is list else "{"):
        return text
    try:
        found = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return text
    return found if found.__class__ is kind else text
