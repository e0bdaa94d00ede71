"""Check JSON against a JSON Schema, on a worker.

The part of draft 2020-12 that schemas for models use: type, enum, const, properties,
patternProperties, required, additionalProperties, items, prefixItems, sizes, bounds,
pattern, anyOf, oneOf, allOf, not, and $ref within the schema. Other words are passed
over. `jsonschema` would do more, but importing it takes longer than a request.
"""

import json
import re

from .client import TogetherError

MAX_DEPTH = 100
TYPES = {
    "object": "an object",
    "array": "a list",
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "null",
}


def filled_in(schema):
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


def check_schema(schema, field):
    """Raise a TogetherError that names the field unless the schema can be used."""
    problem = _unusable(schema, schema, field)
    if problem is not None:
        advice = "Correct the schema: https://json-schema.org/learn explains how."
        raise TogetherError.refused_all([problem], advice=advice)


def problems(value, schema, field="answer"):
    """Return [{"field": path, "problem": text}] of what does not fit, [] if all does.

    The schema must be one that check_schema lets pass.
    """
    found = []
    _check(value, schema, schema, field, found, 0)
    return found


def _unusable(schema, root, field):
    """Return the first problem of a schema, or None."""
    if isinstance(schema, bool):
        return None
    if not isinstance(schema, dict):
        return _problem(field, "must be an object that holds a JSON Schema")
    kinds = schema.get("type", [])
    for kind in kinds if isinstance(kinds, list) else [kinds]:
        if not isinstance(kind, str) or kind not in TYPES:
            allowed = ", ".join(TYPES)
            return _problem(f"{field}.type", f"must be of {allowed} (got {kind!r})")
    for name, kind in _SHAPES.items():
        if name in schema and not _is(schema[name], kind):
            return _problem(f"{field}.{name}", f"must be {TYPES[kind]}")
    if not all(isinstance(name, str) for name in schema.get("required", [])):
        return _problem(f"{field}.required", "must be a list of names")
    for pattern in (schema.get("pattern", ""), *schema.get("patternProperties", ())):
        try:
            re.compile(pattern)
        except re.error as error:
            return _problem(
                f"{field}.pattern", f"is no regular expression: {pattern!r} ({error})"
            )
    if "$ref" in schema:
        try:
            _target(schema, root)
        except (LookupError, ValueError):
            return _problem(f"{field}.$ref", f"leads nowhere: {schema['$ref']!r}")
        if _circles(schema, root, ()):
            return _problem(f"{field}.$ref", f"leads to itself: {schema['$ref']!r}")
    for path, part in _parts(schema):
        problem = _unusable(part, root, f"{field}.{path}")
        if problem is not None:
            return problem
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


def _parts(schema):
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


def _target(schema, root):
    """Return what a $ref leads to. Raises LookupError or ValueError."""
    head, _, path = schema["$ref"].partition("#")
    if head:
        raise LookupError(head)
    found = root
    for part in path.split("/")[1:]:
        part = part.replace("~1", "/").replace("~0", "~")
        found = found[int(part) if isinstance(found, list) else part]
    if not isinstance(found, dict | bool):
        raise LookupError(path)
    return found


def _circles(schema, root, path):
    """Say whether checking a value by a schema would lead back to it for the same
    value; leading back for a part of the value is well."""
    if not isinstance(schema, dict):
        return False
    if any(schema is one for one in path):
        return True
    nexts = [p for n in ("anyOf", "oneOf", "allOf") for p in schema.get(n, ())]
    nexts.append(schema.get("not"))
    if "$ref" in schema:
        try:
            nexts.append(_target(schema, root))
        except (LookupError, ValueError):
            return False  # named where that schema itself is looked at
    return any(_circles(part, root, (*path, schema)) for part in nexts)


def _check(value, schema, root, field, found, depth):
    if depth > MAX_DEPTH:
        found.append(_problem(field, "is nested too deeply"))
        return
    if schema is True:
        return
    if schema is False:
        found.append(_problem(field, "must not be there"))
        return
    if "$ref" in schema:
        _check(value, _target(schema, root), root, field, found, depth + 1)
    kinds = schema.get("type")
    if kinds is not None:
        kinds = kinds if isinstance(kinds, list) else [kinds]
        if not any(_is(value, kind) for kind in kinds):
            wanted = " or ".join(TYPES[kind] for kind in kinds)
            found.append(_problem(field, f"must be {wanted} (got {_shown(value)})"))
            return
    listed = [[schema["const"]]] if "const" in schema else []
    listed += [schema["enum"]] if "enum" in schema else []
    for allowed in listed:
        if not any(_same(value, one) for one in allowed):
            choices = ", ".join(_shown(one) for one in allowed)
            problem = f"must be one of {choices} (got {_shown(value)})"
            found.append(_problem(field, problem))
            break
    if isinstance(value, str):
        _check_text(value, schema, field, found)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        _check_number(value, schema, field, found)
    elif isinstance(value, list):
        _check_list(value, schema, root, field, found, depth)
    elif isinstance(value, dict):
        _check_object(value, schema, root, field, found, depth)
    _check_combined(value, schema, root, field, found, depth)


def _check_text(value, schema, field, found):
    _check_size(len(value), schema, "Length", "characters", field, found)
    if "pattern" in schema and not re.search(schema["pattern"], value):
        found.append(_problem(field, f"must match {schema['pattern']}"))


def _check_number(value, schema, field, found):
    for name, fits, words in _BOUNDS:
        bound = schema.get(name)
        if bound is not None and not fits(value, bound):
            found.append(_problem(field, f"must be {words} {bound} (got {value})"))


def _is_multiple(value, of):
    if of == 0:
        return True
    if isinstance(value, int) and isinstance(of, int):
        return value % of == 0
    from fractions import Fraction  # of the decimals: 0.3 is a multiple of 0.1

    return (Fraction(str(value)) / Fraction(str(of))).denominator == 1


_BOUNDS = (
    ("minimum", lambda value, bound: value >= bound, "at least"),
    ("maximum", lambda value, bound: value <= bound, "at most"),
    ("exclusiveMinimum", lambda value, bound: value > bound, "more than"),
    ("exclusiveMaximum", lambda value, bound: value < bound, "less than"),
    ("multipleOf", _is_multiple, "a multiple of"),
)


def _check_list(value, schema, root, field, found, depth):
    _check_size(len(value), schema, "Items", "entries", field, found)
    first = schema.get("prefixItems", [])
    for number, item in enumerate(value):
        part = first[number] if number < len(first) else schema.get("items", True)
        _check(item, part, root, f"{field}[{number}]", found, depth + 1)
    if schema.get("uniqueItems") is True:
        for number, item in enumerate(value):
            if any(_same(item, other) for other in value[:number]):
                found.append(_problem(f"{field}[{number}]", "is there twice"))
                break


def _check_object(value, schema, root, field, found, depth):
    _check_size(len(value), schema, "Properties", "members", field, found)
    known = schema.get("properties", {})
    for name in schema.get("required", []):
        if name not in value:
            found.append(_problem(f"{field}.{name}", "is required"))
    patterns = schema.get("patternProperties", {})
    for name, member in value.items():
        parts = [known[name]] if name in known else []
        parts += [part for key, part in patterns.items() if re.search(key, name)]
        for part in parts or [schema.get("additionalProperties", True)]:
            _check(member, part, root, f"{field}.{name}", found, depth + 1)


def _check_combined(value, schema, root, field, found, depth):
    def faults(part):
        inner = []
        _check(value, part, root, field, inner, depth + 1)
        return inner

    for part in schema.get("allOf", []):
        found.extend(faults(part))
    if schema.get("anyOf"):
        tried = [faults(part) for part in schema["anyOf"]]
        if all(tried):
            # What is nearest to fitting says most.
            found.extend(min(tried, key=len))
    if "oneOf" in schema:
        tried = [faults(part) for part in schema["oneOf"]]
        fitting = sum(not inner for inner in tried)
        if not fitting:
            found.extend(
                min(tried, key=len, default=[_problem(field, "must not be there")])
            )
        elif fitting > 1:
            found.append(_problem(field, "fits several of the variants of oneOf"))
    if "not" in schema and not faults(schema["not"]):
        found.append(_problem(field, "must not be such a value"))


def _check_size(size, schema, name, unit, field, found):
    least, most = schema.get(f"min{name}"), schema.get(f"max{name}")
    if least is not None and size < least:
        found.append(_problem(field, f"needs at least {least} {unit} (got {size})"))
    if most is not None and size > most:
        found.append(_problem(field, f"takes at most {most} {unit} (got {size})"))


def _is(value, kind):
    if kind == "boolean":
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    if kind == "integer":
        return isinstance(value, int) or (
            isinstance(value, float) and value.is_integer()
        )
    kinds = {"object": dict, "array": list, "string": str, "number": int | float}
    return value is None if kind == "null" else isinstance(value, kinds[kind])


def _same(one, other):
    """JSON's equality: 1 is 1.0, and neither is true."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[n], other[n]) for n in one)
    return one == other


def _shown(value):
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _problem(field, problem):
    return {"field": field, "problem": problem}
