"""What a stored schema becomes where a model sees a script or flow as a tool.

Windmill's server for the Model Context Protocol changes it in a few ways; the step for
AI agents hands it on as it is stored. A provider that finds one schema that is no JSON
Schema refuses the whole list of tools, the user's own ones too, so both must be valid.
Source: schema.rs, types.rs and transform.rs of windmill-mcp/src/common, 1.713.1.
"""

import copy
import hashlib
import json
from collections.abc import Iterator
from functools import cache

from jsonschema import Draft202012Validator

META = Draft202012Validator(Draft202012Validator.META_SCHEMA)
KEPT = ("type", "properties", "required")  # of the top level; all three must be there
UNIONS = ("allOf", "oneOf", "anyOf")
LONGEST_NAME = 40
# Of what is made for agents: the whole list goes along with everything that is asked.
LONGEST = 1500  # characters of a schema as JSON
PLAIN = ("string", "number", "boolean", "array")  # types of an argument
TYPES_OF_ROWS = ("string", "number")


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


def tool_name(path: str, kind: str = "script") -> str:
    """The name under which Windmill lists a script or flow: one that is too long ends
    in a hash, so that a model sees only its beginning."""
    escaped = path.replace("_", "__").replace("/", "_")
    name = f"{kind[0]}-{escaped}"
    if len(name) <= LONGEST_NAME:
        return name
    mark = hashlib.sha256(name.encode()).hexdigest()[:16]
    return f"{kind[0].upper()}-{escaped[: LONGEST_NAME - 18]}{mark}"


def agent_faults(path: str, schema: dict) -> Iterator[str]:
    """Why a script at a path is no good tool for an agent."""
    if tool_name(path)[0].isupper():
        yield f"as a model's tool, {path} is too long: {tool_name(path)} hides it"
    seen = tool_schema(schema)
    if len(json.dumps(seen)) > LONGEST:
        words = f"is {len(json.dumps(seen))} characters, more than {LONGEST}"
        yield f"as a model's tool, its schema {words}"
    for name, member in seen["properties"].items():
        if name == "auth":
            continue
        plain = member.get("type") in PLAIN and "format" not in member
        rows = member.get("items")
        plain = plain and (rows is None or rows.get("type") in TYPES_OF_ROWS)
        if not plain or "oneOf" in member or "contentEncoding" in member:
            yield f"as a model's tool, {name} is no plain text, number, truth or list"


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
