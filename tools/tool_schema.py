"""What a stored schema becomes where a model sees a script or flow as a tool.

Windmill's server for the Model Context Protocol changes it in a few ways; the step for
AI agents hands it on as it is stored. A provider that finds one schema that is no JSON
Schema refuses the whole list of tools, the user's own ones too, so both must be valid.
Source: windmill-mcp/src/common/schema.rs and types.rs of Windmill 1.713.1.
"""

import copy
import json
from collections.abc import Iterator
from functools import cache

from jsonschema import Draft202012Validator

META = Draft202012Validator(Draft202012Validator.META_SCHEMA)
KEPT = ("type", "properties", "required")  # of the top level; all three must be there
UNIONS = ("allOf", "oneOf", "anyOf")


def tool_schema(schema: dict) -> dict:
    """The inputSchema under which Windmill 1.713.1 lists a script or flow, save what it
    tells of the workspace's resources."""
    if not all(name in schema for name in KEPT):
        return {"type": "object", "properties": {}, "required": []}
    found = {name: copy.deepcopy(schema[name]) for name in KEPT}
    _repair(found)
    return found


def faults(schema: dict) -> Iterator[str]:
    """Why a schema is no JSON Schema of 2020-12, as a tool of either kind."""
    told = set()
    for seen in (schema, tool_schema(schema)):
        for place, words in _wrong(seen):
            told.add(f"as a model's tool, {place} is no JSON Schema: {words}")
    missing = [name for name in KEPT if name not in schema]
    if missing:
        told.add(
            f"as a model's tool it has no arguments: {', '.join(missing)} is missing"
        )
    yield from sorted(told)


def _wrong(schema: dict) -> Iterator[tuple[str, str]]:
    """Where a schema breaks the rules of 2020-12, and how.

    Properties are judged one by one, since many scripts have the same.
    """
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        yield from _wrong_alone(json.dumps(schema))
        return
    yield from _wrong_alone(json.dumps({**schema, "properties": {}}))
    for name, member in properties.items():
        for place, words in _wrong_alone(json.dumps(member)):
            yield ".".join(filter(None, ("properties", name, place))), words


@cache
def _wrong_alone(text: str) -> tuple[tuple[str, str], ...]:
    return tuple(
        (".".join(map(str, error.absolute_path)), error.message)
        for error in META.iter_errors(json.loads(text))
    )


def _repair(node: object) -> None:
    if not isinstance(node, dict):
        return
    for word in ("originalType", "resourceType"):
        node.pop(word, None)
    if str(node.get("format", "")).startswith("resource-"):
        del node["format"]
    if node.get("type") == "resource":
        node["type"] = "string"
    if "properties" in node:
        node["type"] = "object"
    kinds = node.get("type")
    if kinds == "integer":
        node["type"] = "number"
    elif isinstance(kinds, list):
        node["type"] = ["number" if kind == "integer" else kind for kind in kinds]
    if "default" in node and node["default"] is None and not _nullable(node):
        del node["default"]
    if "enum" in node and not isinstance(node["enum"], list):
        del node["enum"]
    if node and "type" not in node:
        node["type"] = "object"
    for member in node.get("properties", {}).values():
        _repair(member)
    for word in ("items", "additionalProperties"):
        _repair(node.get(word))
    for word in UNIONS:
        for variant in node.get(word, ()):
            _repair(variant)


def _nullable(node: dict) -> bool:
    kinds = node.get("type")
    return kinds == "null" or (isinstance(kinds, list) and "null" in kinds)
