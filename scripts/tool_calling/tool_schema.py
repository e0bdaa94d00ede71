"""The form of a script of the workspace, as JSON Schema for a model; a schema without the
arguments that are fixed."""

from __future__ import annotations

import json
from urllib.parse import unquote

from ..client import TogetherError
from ..client.validate import TYPES
from ..json_schema.checker import schemas_within
from ..json_schema.linear_regex import UnfitError, searcher

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..shapes import Json, Members, Schema


def schema_of(found: Members, field: str) -> Schema:
    """Return the schema of a script's arguments, {} where it has none. Raises
    TogetherError where it is none."""
    schema = found.get("schema") or {}
    if isinstance(schema, dict):
        members, required = schema.get("properties") or {}, schema.get("required") or []
        if isinstance(members, dict) and _are_names(required):
            return schema
    raise TogetherError.refused(field, "names a script whose schema cannot be read")


def is_resource(member: Json) -> bool:
    """Say whether a property of Windmill's form takes a resource, or a list of them;
    an object in storage is none."""
    if not isinstance(member, dict):
        return False
    if "resourceType" in member:
        kind = f"resource-{member['resourceType']}"
    else:
        kind = str(member.get("format", ""))
    if kind.startswith("resource-"):
        return not kind.startswith(("resource-s3", "resource-S3"))
    return member.get("type") == "resource" or is_resource(member.get("items"))


def resources_in(parameters: Schema, schema: Schema) -> Iterator[str]:
    """Yield what parameters offer and is a resource, by itself or in the schema."""
    known = object_in(schema, "properties")
    for name, member in object_in(parameters, "properties").items():
        own = known.get(name)
        if is_resource(member) or is_resource(own):
            yield name
        elif isinstance(member, dict):
            own = own if isinstance(own, dict) else {}
            for inner in resources_in(member, own):
                yield f"{name}.{inner}"
            rows = object_in(member, "items")
            for inner in resources_in(rows, object_in(own, "items")):
                yield f"{name}[].{inner}"


def object_in(schema: Json, name: str) -> Members:
    """Return the object that a member of a script's form is, {} where it is none."""
    found = schema.get(name) if isinstance(schema, dict) else None
    return found if isinstance(found, dict) else {}


def without_fixed(parameters: Schema, fixed: Members) -> Schema:
    """Return the schema of a tool's arguments, one that check_schema lets pass, without
    those that are fixed. Where a reference leads to such a one, or to the whole, the
    whole is kept among the definitions, and the reference leads there."""
    members = parameters.get("properties") or {}
    if not members.keys() & fixed.keys():
        return {**parameters, "properties": members, "required": _needed(parameters)}
    whole: Schema = json.loads(json.dumps(parameters))
    parts = [part for _, part in schemas_within(whole, "") if "$ref" in part]
    moved = [part for part in parts if _leads_to(part["$ref"], fixed)]
    definitions = whole.get("$defs", {})
    place = "whole"
    while place in definitions:
        place += "_"
    for part in moved:
        part["$ref"] = f"#/$defs/{place}{part['$ref'].removeprefix('#')}"
    shown = {n: m for n, m in whole["properties"].items() if n not in fixed}
    needed = [name for name in _needed(parameters) if name in shown]
    schema = {**whole, "properties": shown, "required": needed}
    if moved:
        inner = {n: v for n, v in whole.items() if n not in ("$defs", "definitions")}
        schema["$defs"] = {**definitions, place: inner}
    return schema


def _needed(parameters: Schema) -> list[str]:
    members = parameters.get("properties") or {}
    return [name for name in parameters.get("required") or () if name in members]


def _leads_to(ref: str, fixed: Members) -> bool:
    """Say whether a reference leads to a fixed argument, or to the whole."""
    path = unquote(ref.removeprefix("#")).split("/")[1:]
    if not path:
        return True
    name = "".join(path[1:2]).replace("~1", "/").replace("~0", "~")
    return path[0] == "properties" and (len(path) == 1 or name in fixed)


def json_schema_of(member: Json) -> Schema:
    """Return one property of Windmill's form as JSON Schema."""
    if not isinstance(member, dict):
        return {}
    schema = {}
    for name, fits in _KEPT.items():
        if name in member and fits(member[name]):
            schema[_STANDARD.get(name, name)] = member[name]
    kind = str(member.get("format", ""))
    if kind.startswith("dynselect"):
        schema["type"] = "string"
    elif kind.startswith("dynmultiselect"):
        schema |= {"type": "array", "items": {"type": "string"}}
    if isinstance(member.get("properties"), dict):
        schema["properties"] = {
            n: json_schema_of(p)
            for n, p in member["properties"].items()
            if not is_resource(p)
        }
        if "required" in schema:
            kept = [n for n in schema["required"] if n in schema["properties"]]
            schema["required"] = kept
    if isinstance(member.get("items"), dict):
        schema["items"] = json_schema_of(member["items"])
    if isinstance(member.get("oneOf"), list) and member["oneOf"]:
        schema["anyOf"] = [json_schema_of(part) for part in member["oneOf"]]
    if "enum" in schema:
        values = [v.get("value") if isinstance(v, dict) else v for v in schema["enum"]]
        schema["enum"] = values
    return schema


def _compiles(pattern: Json) -> bool:
    try:
        return isinstance(pattern, str) and pattern != "" and bool(searcher(pattern))
    except UnfitError:  # JavaScript's, where it differs from Python's, or too slow
        return False


def _are_names(value: Json) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


# Of Windmill's form of a schema, what JSON Schema has too, and how it must look.
_STANDARD = {"min": "minimum", "max": "maximum"}
_KEPT = {
    "type": lambda kind: isinstance(kind, str) and kind in TYPES,
    "description": lambda text: isinstance(text, str) and text != "",
    "enum": lambda values: isinstance(values, list) and values != [],
    "required": _are_names,
    "pattern": _compiles,
    "min": _is_number,
    "max": _is_number,
}
