"""Checks the JSON Schema that a user gives, and answers by it.

scripts/client/validate.py and composed.py say which part of JSON Schema is known, and do
the checking.
"""

from __future__ import annotations

from functools import lru_cache

from ..client import TogetherError
from ..client.validate import TYPES, is_kind, problem, same, schema_problems
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
        fault = _problem_anywhere(schema, field)
    except RecursionError:
        fault = problem(field, "is nested too deeply")
    if fault is not None:
        advice = "Correct the schema: https://json-schema.org/learn explains how."
        raise TogetherError.refused_all([fault], advice=advice)


def check_vocabulary(schema: AnySchema, field: str) -> None:
    """Raise a TogetherError that names the field where a schema that check_schema lets
    pass has a word by which no value is checked here."""
    for place, part in schemas_within(schema, field):
        for word, instead in _UNCHECKED.items():
            if _forbids(part, word):
                fault = problem(f"{place}.{word}", f"is not checked here: {instead}")
                raise TogetherError.refused_all([fault], advice="Correct the schema.")


def schemas_within(schema: AnySchema, field: str) -> Iterator[tuple[str, Schema]]:
    """Yield (path, schema) of each schema by which a part of a value may be checked:
    the whole one, those inside it, and those that references lead to, which may be
    anywhere; each once. The whole must be one that check_schema lets pass."""
    stack, seen = [(field, schema)], set()
    while stack:
        place, part = stack.pop()
        if not isinstance(part, dict) or id(part) in seen:
            continue
        seen.add(id(part))
        yield place, part
        stack += [(f"{place}.{path}", inner) for path, inner in _subschemas(part)]
        if "$ref" in part:
            stack.append((f"{place}.$ref", ref_target(part["$ref"], schema)))


def _forbids(schema: Schema, word: str) -> bool:
    """Say whether a word of _UNCHECKED forbids anything where it stands."""
    if word == "additionalItems" and "prefixItems" not in schema:
        return False
    return word in schema and schema[word] is not True and schema[word] != {}


_UNCHECKED = {
    "unevaluatedProperties": "write the members in one object with "
    "additionalProperties",
    "unevaluatedItems": "write prefixItems, and items for what follows",
    "$dynamicRef": "write $ref",
    "$recursiveRef": "write $ref",
    "dependencies": "write dependentRequired or dependentSchemas",
    "additionalItems": "write items for what follows prefixItems",
}


def check_possible(schema: AnySchema, field: str) -> None:
    """Raise a TogetherError that names the field where no value at all can fit a schema
    that check_schema lets pass: its answers would be paid for, and never fit."""
    fault = _contradiction(schema, field)
    if fault is not None:
        advice = "Correct the schema: no answer can fit it."
        raise TogetherError.refused_all([fault], advice=advice)


def _contradiction(schema: AnySchema, field: str) -> Problem | None:
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
    for least, most in _OPEN_BOUNDS:
        if least in schema and most in schema and schema[least] >= schema[most]:
            return problem(f"{field}.{least}", f"must be less than {most}")
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    for name, values in (
        ("enum", schema.get("enum", ())),
        ("const", _const_values(schema)),
    ):
        if kinds and values and not any(is_kind(v, k) for v in values for k in kinds):
            return problem(f"{field}.{name}", f"holds no value of the type {kinds[0]}")
    for value in _const_values(schema) if "enum" in schema else ():
        if not any(same(value, one) for one in schema["enum"]):
            return problem(f"{field}.const", "is none of enum")
    if schema.get("additionalProperties") is False and not schema.get(
        "patternProperties"
    ):
        known = schema.get("properties", {})
        lost = [name for name in schema.get("required", []) if name not in known]
        if lost:
            words = f"names {lost[0]!r}, which is none of properties"
            return problem(f"{field}.required", words)
    for path, part in _subschemas(schema):
        may_fail = path.partition(".")[0] in _MAY_FAIL
        fault = None if may_fail else _contradiction(part, f"{field}.{path}")
        if fault is not None:
            return fault
    return None


def _const_values(schema: Schema) -> list[Json]:
    return [schema["const"]] if "const" in schema else []


# What need not fit a value, that the value fits the whole.
_MAY_FAIL = (
    "not",
    "if",
    "then",
    "else",
    "contains",
    "propertyNames",
    "dependentSchemas",
)

_OPEN_BOUNDS = (
    ("exclusiveMinimum", "exclusiveMaximum"),
    ("exclusiveMinimum", "maximum"),
    ("minimum", "exclusiveMaximum"),
)

_BOUNDS = (
    ("minimum", "maximum"),
    ("minLength", "maxLength"),
    ("minItems", "maxItems"),
    ("minProperties", "maxProperties"),
    ("minContains", "maxContains"),
)


def problems(value: Json, schema: AnySchema, field: str = "answer") -> list[Problem]:
    """Return [{"field": path, "problem": text}] of what does not fit, [] if all does.

    The schema must be one that check_schema lets pass.
    """
    try:
        return schema_problems(value, schema, field, search=search, words=WORDS)
    except RecursionError:  # of what is compared whole: enum, uniqueItems
        return [problem(field, "is nested too deeply")]


def search(pattern: str, text: str) -> object:
    """Look for a pattern in a text. Raises UnfitError where that may take for ever."""
    return _searcher(pattern)(text)


_searcher = lru_cache(maxsize=256)(searcher)


def _problem_anywhere(root: Json, field: str) -> Problem | None:
    """Return the first problem of a schema, or of what its references lead to, which
    may be anywhere in it; or None."""
    seen: set[int] = set()
    refs: list[tuple[str, Schema, AnySchema]] = []
    fault = _first_problem(root, root, field, seen, refs)
    for place, _, target in refs:  # which grows
        fault = fault or _first_problem(target, root, place, seen, refs)
    in_no_circle: set[int] = set()
    for place, schema, _ in () if fault else refs:
        if _leads_to_itself(schema, root, (), in_no_circle):
            return problem(place, f"leads to itself: {schema['$ref']!r}")
    return fault


def _first_problem(
    schema: Json,
    root: Json,
    field: str,
    seen: set[int],
    refs: list[tuple[str, Schema, AnySchema]],
) -> Problem | None:
    """Return the first problem of a schema, or None; add its references to `refs`."""
    if isinstance(schema, bool) or id(schema) in seen:
        return None
    seen.add(id(schema))
    if not isinstance(schema, dict):
        return problem(field, "must be an object that holds a JSON Schema")
    kinds = schema.get("type", "object")
    kinds = kinds if isinstance(kinds, list) and kinds else [kinds]
    for kind in kinds:
        if not isinstance(kind, str) or kind not in TYPES:
            allowed = ", ".join(TYPES)
            return problem(f"{field}.type", f"must be of {allowed} (got {kind!r})")
    for name, kind in _SHAPES.items():
        if name in schema and not is_kind(schema[name], kind):
            return problem(f"{field}.{name}", f"must be {TYPES[kind]}")
    if not _are_names(schema.get("required", [])):
        return problem(f"{field}.required", "must be a list of names")
    for name, needed in schema.get("dependentRequired", {}).items():
        if not _are_names(needed):
            place = f"{field}.dependentRequired.{name}"
            return problem(place, "must be a list of names")
    for pattern in (schema.get("pattern", ""), *schema.get("patternProperties", ())):
        try:
            _searcher(pattern)
        except UnfitError as error:
            return problem(f"{field}.pattern", f"{error} ({pattern!r})")
    if "$ref" in schema:
        try:
            target = ref_target(schema["$ref"], root)
        except (LookupError, ValueError):
            return problem(f"{field}.$ref", f"leads nowhere: {schema['$ref']!r}")
        refs.append((f"{field}.$ref", schema, target))
    for path, part in _subschemas(schema):
        fault = _first_problem(part, root, f"{field}.{path}", seen, refs)
        if fault is not None:
            return fault
    return None


def _are_names(value: Json) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


_SHAPES = {
    **dict.fromkeys(("dependentRequired", "dependentSchemas"), "object"),
    **dict.fromkeys(("minContains", "maxContains"), "integer"),
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


def _subschemas(schema: Schema) -> Iterator[tuple[str, AnySchema]]:
    """Yield (path, schema) of every schema directly inside another."""
    for name in _NAMED_PARTS:
        for key, part in schema.get(name, {}).items():
            yield f"{name}.{key}", part
    for name in ("anyOf", "oneOf", "allOf", "prefixItems"):
        for number, part in enumerate(schema.get(name, [])):
            yield f"{name}[{number}]", part
    for name in _SINGLE_PARTS:
        if name in schema:
            yield name, schema[name]


_NAMED_PARTS = (
    *("properties", "patternProperties", "dependentSchemas"),
    *("$defs", "definitions"),
)
_SINGLE_PARTS = (
    *("items", "additionalProperties", "contains", "propertyNames"),
    *("not", "if", "then", "else"),
)


def _leads_to_itself(
    schema: AnySchema,
    root: AnySchema,
    path: tuple[Schema, ...],
    in_no_circle: set[int],
) -> bool:
    """Say whether checking a value by a schema would come back to that schema with the
    same value, for ever. To come back with a part of the value is fine."""
    if not isinstance(schema, dict) or id(schema) in in_no_circle:
        return False
    if any(schema is one for one in path):
        return True
    nexts = [p for n in ("anyOf", "oneOf", "allOf") for p in schema.get(n, ())]
    nexts += [schema.get(name) for name in ("not", "if", "then", "else")]
    nexts += schema.get("dependentSchemas", {}).values()
    if "$ref" in schema:
        nexts.append(ref_target(schema["$ref"], root))
    if any(
        _leads_to_itself(part, root, (*path, schema), in_no_circle) for part in nexts
    ):
        return True
    in_no_circle.add(id(schema))
    return False
