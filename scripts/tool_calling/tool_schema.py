"""The form of a script of the workspace, as JSON Schema for a model."""

from __future__ import annotations

from ..client import TogetherError
from ..client.validate import TYPES
from ..json_schema.linear_regex import UnfitError, searcher

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..shapes import Json, Members, Schema


def schema_of(found: Members, field: str) -> Schema:
    """Return the schema of a script's arguments, {} where it has none. Raises
    TogetherError where it is none."""
    schema = found.get("schema") or {}
    if isinstance(schema, dict) and isinstance(schema.get("properties") or {}, dict):
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
    known = schema.get("properties") or {}
    for name, member in (parameters.get("properties") or {}).items():
        own = known.get(name)
        if is_resource(member) or is_resource(own):
            yield name
        elif isinstance(member, dict):
            own = own if isinstance(own, dict) else {}
            for inner in resources_in(member, own):
                yield f"{name}.{inner}"
            rows = member.get("items")
            if isinstance(rows, dict):
                for inner in resources_in(rows, own.get("items") or {}):
                    yield f"{name}[].{inner}"


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


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


# Of Windmill's form of a schema, what JSON Schema has too, and how it must look.
_STANDARD = {"min": "minimum", "max": "maximum"}
_KEPT = {
    "type": lambda kind: isinstance(kind, str) and kind in TYPES,
    "description": lambda text: isinstance(text, str) and text != "",
    "enum": lambda values: isinstance(values, list) and values != [],
    "required": lambda names: (
        isinstance(names, list) and all(isinstance(name, str) for name in names)
    ),
    "pattern": _compiles,
    "min": _is_number,
    "max": _is_number,
}
