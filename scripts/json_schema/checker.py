"""Checks the JSON Schema that a user gives, and answers by it.

scripts/client/validate.py and composed.py say which part of JSON Schema is known, and do
the checking.
"""

from __future__ import annotations

from functools import lru_cache

from ..client import TogetherError
from ..client.validate import TYPES, is_kind, problem, schema_problems
from .composed import WORDS, ref_target
from .linear_regex import UnfitError, searcher

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..shapes import AnySchema, Json, Problem, Schema


def filled_in(schema: Json) -> Json:
    """Return a schema, or {} where it says nothing: as an untouched editor gives it."""
    if not isinstance(schema, dict) or schema.keys() - {
        "$schema",
        "type",
        "properties",
        "required",
        "order",
    }:
        return schema or {}
    said = schema.get("properties") or schema.get("type", "object") != "object"
    return schema if said else {}


def check_schema(schema: Json, field: str) -> None:
    """Raise a TogetherError that names the field unless the schema can be used."""
    try:
        fault = _unusable(schema, schema, field)
    except RecursionError:
        fault = problem(field, "is nested too deeply")
    if fault is not None:
        advice = "Correct the schema: https://json-schema.org/learn explains how."
        raise TogetherError.refused_all([fault], advice=advice)


def check_possible(schema: AnySchema, field: str) -> None:
    """Raise a TogetherError that names the field where no value at all can fit a schema
    that check_schema lets pass: its answers would be paid for, and never fit."""
    fault = _impossible(schema, field)
    if fault is not None:
        advice = "Correct the schema: no answer can fit it."
        raise TogetherError.refused_all([fault], advice=advice)


def _impossible(schema: AnySchema, field: str) -> Problem | None:
    if not isinstance(schema, dict):
        return None
    for name in ("enum", "anyOf", "oneOf", "allOf"):
        if schema.get(name) == []:
            return problem(f"{field}.{name}", "must not be empty")
    if schema.get("multipleOf", 1) <= 0:
        return problem(f"{field}.multipleOf", "must be more than 0")
    for least, most in _BOUNDS:
        if least != "minimum" and min(schema.get(least, 0), schema.get(most, 0)) < 0:
            name = least if schema.get(least, 0) < 0 else most
            return problem(f"{field}.{name}", "must be at least 0")
        if least in schema and most in schema and schema[least] > schema[most]:
            return problem(f"{field}.{least}", f"must not be more than {most}")
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    values = schema.get("enum", [])
    if kinds and values and not any(is_kind(v, k) for v in values for k in kinds):
        return problem(f"{field}.enum", f"holds no value of the type {kinds[0]}")
    if schema.get("additionalProperties") is False and not schema.get(
        "patternProperties"
    ):
        known = schema.get("properties", {})
        lost = [name for name in schema.get("required", []) if name not in known]
        if lost:
            words = f"names {lost[0]!r}, which is none of properties"
            return problem(f"{field}.required", words)
    for path, part in _parts(schema):
        fault = None if path == "not" else _impossible(part, f"{field}.{path}")
        if fault is not None:
            return fault
    return None


_BOUNDS = (
    ("minimum", "maximum"),
    ("minLength", "maxLength"),
    ("minItems", "maxItems"),
    ("minProperties", "maxProperties"),
)


def problems(value: Json, schema: AnySchema, field: str = "answer") -> list[Problem]:
    """Return [{"field": path, "problem": text}] of what does not fit, [] if all does.

    The schema must be one that check_schema lets pass.
    """
    return schema_problems(value, schema, field, search=search, words=WORDS)


def search(pattern: str, text: str) -> object:
    """Look for a pattern in a text. Raises UnfitError where that may take for ever."""
    return _searcher(pattern)(text)


_searcher = lru_cache(maxsize=256)(searcher)


def _unusable(schema: Json, root: Json, field: str) -> Problem | None:
    """Return the first problem of a schema, or None."""
    if isinstance(schema, bool):
        return None
    if not isinstance(schema, dict):
        return problem(field, "must be an object that holds a JSON Schema")
    kinds = schema.get("type", [])
    for kind in kinds if isinstance(kinds, list) else [kinds]:
        if not isinstance(kind, str) or kind not in TYPES:
            allowed = ", ".join(TYPES)
            return problem(f"{field}.type", f"must be of {allowed} (got {kind!r})")
    for name, kind in _SHAPES.items():
        if name in schema and not is_kind(schema[name], kind):
            return problem(f"{field}.{name}", f"must be {TYPES[kind]}")
    if not all(isinstance(name, str) for name in schema.get("required", [])):
        return problem(f"{field}.required", "must be a list of names")
    for pattern in (schema.get("pattern", ""), *schema.get("patternProperties", ())):
        try:
            _searcher(pattern)
        except UnfitError as error:
            return problem(f"{field}.pattern", f"{error} ({pattern!r})")
    if "$ref" in schema:
        try:
            ref_target(schema["$ref"], root)
        except (LookupError, ValueError):
            return problem(f"{field}.$ref", f"leads nowhere: {schema['$ref']!r}")
        if _circles(schema, root, ()):
            return problem(f"{field}.$ref", f"leads to itself: {schema['$ref']!r}")
    for path, part in _parts(schema):
        fault = _unusable(part, root, f"{field}.{path}")
        if fault is not None:
            return fault
    return None


_SHAPES = {
    **dict.fromkeys(("properties", "patternProperties"), "object"),
    **dict.fromkeys(("$defs", "definitions"), "object"),
    **dict.fromkeys(("required", "enum", "prefixItems"), "array"),
    **dict.fromkeys(("anyOf", "oneOf", "allOf"), "array"),
    **dict.fromkeys(("pattern", "$ref"), "string"),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum"), "number"),
    **dict.fromkeys(("exclusiveMaximum", "multipleOf"), "number"),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), "integer"),
    **dict.fromkeys(("minProperties", "maxProperties"), "integer"),
}


def _parts(schema: Schema) -> Iterator[tuple[str, AnySchema]]:
    """Yield (path, schema) of every schema directly inside another."""
    for name in ("properties", "patternProperties", "$defs", "definitions"):
        for key, part in schema.get(name, {}).items():
            yield f"{name}.{key}", part
    for name in ("anyOf", "oneOf", "allOf", "prefixItems"):
        for number, part in enumerate(schema.get(name, [])):
            yield f"{name}[{number}]", part
    for name in ("items", "additionalProperties", "not"):
        if name in schema:
            yield name, schema[name]


def _circles(
    schema: AnySchema,
    root: AnySchema,
    path: tuple[Schema, ...],
    done: set[int] | None = None,
) -> bool:
    """Say whether checking a value by a schema would come back to that schema with the
    same value, for ever. To come back with a part of the value is fine."""
    done = set() if done is None else done
    if not isinstance(schema, dict) or id(schema) in done:
        return False
    if any(schema is one for one in path):
        return True
    nexts = [p for n in ("anyOf", "oneOf", "allOf") for p in schema.get(n, ())]
    nexts.append(schema.get("not"))
    if "$ref" in schema:
        try:
            nexts.append(ref_target(schema["$ref"], root))
        except (LookupError, ValueError):
            return False  # named where that schema itself is looked at
    if any(_circles(part, root, (*path, schema), done) for part in nexts):
        return True
    done.add(id(schema))
    return False
