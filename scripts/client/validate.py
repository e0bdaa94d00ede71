"""Checks a value by its schema, and says what is wrong with it."""

from __future__ import annotations

import json
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    from ..shapes import AnySchema, Json, Members, Problem, Schema

    Pressed: TypeAlias = dict[int, tuple[Json, Schema]]
    Search: TypeAlias = Callable[[str, str], object]
    Seen: TypeAlias = dict[tuple[int, int, str], list[Problem]]
    Words: TypeAlias = dict[str, Callable[..., None]]
    Context: TypeAlias = tuple[AnySchema, Pressed, Search, Words, Seen]


def kind_of(schema: Schema) -> Json:
    """Return the type of a schema, null aside."""
    kinds = schema.get("type")
    if kinds.__class__ is list:
        return next((kind for kind in kinds if kind != "null"), "null")
    return kinds


def allows_null(schema: Schema) -> bool:
    kinds = schema.get("type")
    if kinds is None:
        return any(map(allows_null, schema.get("anyOf", ())))
    return kinds == "null" or (kinds.__class__ is list and "null" in kinds)


def may_be_empty(schema: Schema) -> bool:
    """Say whether the service takes an empty text or list where one is required."""
    least = (schema.get("minLength"), schema.get("minItems"))
    return 0 in least or any(map(may_be_empty, schema.get("anyOf", ())))


def read_text(text: str, kind: str) -> Json:
    """Return the number or boolean that a text holds, else the text: a form sends
    selects, and the rows of a list of whole numbers, as texts."""
    if kind == "boolean":
        return {"true": True, "false": False}.get(text, text)
    if re.fullmatch(r"\s*[-+]?\d+(\.\d+)?([eE][-+]?\d+)?\s*", text):
        try:
            return int(text)
        except ValueError:
            number = float(text)
            if abs(number) < 2**53 and number.is_integer():
                return int(number)
            if kind == "number" and number - number == 0:  # finite
                return number
    return text


class FileValue:
    """A file in a body where JSON has text; see transfer/multipart.py."""

    def __init__(self, value: Json, field: str, kind: str) -> None:
        self.value, self.field, self.kind = value, field, kind


def takes_file(schema: Schema) -> bool:
    return "x-file" in schema


def has_file(schema: Schema) -> bool:
    return takes_file(schema) or any(map(takes_file, schema.get("anyOf", ())))


def is_carried(schema: Schema) -> bool:
    """Say whether a file stays as it was given until the request is built."""
    return schema["x-file"] in ("bytes", "content") or "format" in schema


def surely_file(value: Json) -> bool:
    """Say whether a value can be nothing but a file."""
    if value.__class__ is dict:
        return any(name in value for name in ("s3", "file", "url", "text", "rows"))
    return not isinstance(value, str | int | float | list | dict)


def file_value(value: Json, schema: Schema, field: str) -> Json:
    """Return a file, given in any of the shapes that scripts/transfer/file_input.py
    knows, as a FileValue where the API takes it as text. A text that can be sent
    already, and what is no file, stay as they are."""
    if isinstance(value, bool | int | float) or is_carried(schema):
        return value
    kind = schema["x-file"]
    if value.__class__ is str and value[:5] != "s3://":
        known = value[:5] in ("http:", "https", "data:")
        # A data URI that its encoder broke into lines is read like a file.
        known = known and not (kind == "uri" and "\n" in value)
        if known if kind == "base64" else not (known or len(value) < 24):
            return FileValue(value, field, kind)
        return value  # an address, base64, or shorter than any file in base64
    return FileValue(value, field, kind)


#
# The part of draft 2020-12 that operations use: type, enum, const, properties,
# patternProperties, required, additionalProperties, items, prefixItems, sizes, bounds,
# pattern and anyOf; scripts/json_schema/composed.py has more for schemas that users
# give. Other words are passed over. `jsonschema` would do more, but importing it takes
# longer than a request.

MAX_DEPTH = 100
MOST_CHOICES = 20  # of an enum, in each problem
TYPES = {
    "object": "an object",
    "array": "a list",
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "null",
}
# How well a value fits a variant: it names the variant, its type fits, its type fits
# but required members are missing, it can be read as the type, or it does not fit.
TOLD, TYPED, LACKING, READABLE, UNFIT = range(5)


def schema_problems(
    value: Json,
    schema: Schema,
    field: str,
    pressed: Pressed | None = None,
    search: Search = re.search,
    words: Words | None = None,
) -> list[Problem]:
    """Return [{"field": path, "problem": text}] of what does not fit, [] if all does.

    The schema must be one that `check_schema` of scripts/json_schema/checker.py lets pass.
    `pressed` is what `normalise` says of the value; `search` looks for a pattern in a
    text, and may raise a ValueError that says why it cannot. `words` are those that
    need a function of their own, with it, in place of those of operations.
    """
    context: Context = (schema, pressed or {}, search, words or COMBINED, {})
    return faults_of(value, schema, field, context, 0)


def faults_of(
    value: Json, schema: AnySchema, field: str, context: Context, depth: int
) -> list[Problem]:
    found: list[Problem] = []
    check(value, schema, field, found, context, depth)
    return found


def check(
    value: Json,
    schema: AnySchema,
    field: str,
    found: list[Problem],
    context: Context,
    depth: int,
) -> None:
    """Add to found what does not fit; context is (where a $ref begins, pressed, what
    looks for a pattern, the words of schema_problems, what was found behind a $ref)."""
    if depth > MAX_DEPTH:
        found.append(problem(field, "is nested too deeply"))
        return
    if schema.__class__ is bool:
        if not schema:
            found.append(problem(field, "must not be there"))
        return
    words = context[3]
    if "$ref" in schema and "$ref" in words:  # told even of a value of a wrong type
        words["$ref"](value, schema, field, found, context, depth)
    if takes_file(schema):
        check_file(value, schema, field, found, context)
        return
    kinds = schema.get("type")
    if kinds is not None:
        kinds = kinds if kinds.__class__ is list else [kinds]
        if not any(is_kind(value, kind) for kind in kinds):
            wanted = " or ".join(TYPES[kind] for kind in kinds)
            found.append(mistyped(field, value, wanted))
            return
    for allowed in allowed_values(schema):
        if not any(same(value, one) for one in allowed):
            found.append(not_allowed(field, value, allowed))
            break
    if value.__class__ is str:
        check_text(value, schema, field, found, context)
    elif isinstance(value, int | float) and value.__class__ is not bool:
        check_number(value, schema, field, found)
    elif value.__class__ is list:
        check_list(value, schema, field, found, context, depth)
    elif value.__class__ is dict:
        check_object(value, schema, field, found, context, depth)
    for word, checked in words.items():
        if word in schema and word != "$ref":
            checked(value, schema, field, found, context, depth)


def check_file(
    value: Json, schema: Schema, field: str, found: list[Problem], context: Context
) -> None:
    if value.__class__ is FileValue:
        value = value.value
    no_file = value is None or isinstance(value, bool | int | float)
    if no_file or (value == "" and is_carried(schema)):
        found.append(mistyped(field, value, "a file"))
    elif value.__class__ is str and not is_carried(schema):
        check_text(value, schema, field, found, context)


def allowed_values(schema: Schema) -> Iterator[list[Json]]:
    if "const" in schema:
        yield [schema["const"]]
    if "enum" in schema:
        yield schema["enum"]


def check_text(
    value: str, schema: Schema, field: str, found: list[Problem], context: Context
) -> None:
    check_size(len(value), schema, "Length", "characters", field, found)
    if "pattern" in schema:
        try:
            if not context[2](schema["pattern"], value):
                # The description explains the pack's own patterns; for a user's, show
                # both.
                found.append(unlike(field, value, schema, context[2] is re.search))
        except ValueError as error:
            found.append(problem(field, f"{schema['pattern']!r} {error}"))


def check_number(
    value: int | float, schema: Schema, field: str, found: list[Problem]
) -> None:
    for name, fits, words in BOUNDS:
        bound = schema.get(name)
        if bound is not None and not fits(value, bound):
            found.append(problem(field, f"must be {words} {bound} (got {value})"))


BOUNDS = (
    ("minimum", lambda value, bound: value >= bound, "at least"),
    ("maximum", lambda value, bound: value <= bound, "at most"),
    ("exclusiveMinimum", lambda value, bound: value > bound, "more than"),
    ("exclusiveMaximum", lambda value, bound: value < bound, "less than"),
)


def check_list(
    value: list[Json],
    schema: Schema,
    field: str,
    found: list[Problem],
    context: Context,
    depth: int,
) -> None:
    check_size(len(value), schema, "Items", "entries", field, found)
    first = schema.get("prefixItems", [])
    rest = schema.get("items", True)
    for number, item in enumerate(value if first or rest is not True else ()):
        part = first[number] if number < len(first) else rest
        check(item, part, f"{field}[{number}]", found, context, depth + 1)


def check_object(
    value: Members,
    schema: Schema,
    field: str,
    found: list[Problem],
    context: Context,
    depth: int,
) -> None:
    check_size(len(value), schema, "Properties", "members", field, found)
    known = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            found.append(problem(f"{field}.{name}", "is required"))
    patterns = schema.get("patternProperties", {})
    others = schema.get("additionalProperties", True)
    for name, member in value.items():
        parts = [known[name]] if name in known else []
        try:
            parts += [p for key, p in patterns.items() if context[2](key, name)]
        except ValueError as error:
            found.append(problem(field, f"has a name that {error}"))
        for part in parts or [others]:
            if part is not True:
                check(member, part, f"{field}.{name}", found, context, depth + 1)


def check_any(
    value: Json,
    schema: Schema,
    field: str,
    found: list[Problem],
    context: Context,
    depth: int,
) -> None:
    pressed = context[1]
    if id(value) in pressed:
        _, variant = pressed[id(value)]
        check(value, variant, field, found, context, depth + 1)
        return
    nearest = None
    variants = schema["anyOf"]
    for variant in variants:
        faults = faults_of(value, variant, field, context, depth + 1)
        if not faults:
            return
        rank = (fit(value, variant), len(faults))
        if nearest is None or rank < nearest[0]:
            nearest = rank, faults
    if nearest is None:
        return
    (fitting, _), faults = nearest
    if fitting < UNFIT:
        found.extend(faults)
        return
    # Each has a type: whatever a value is, it fits those that have none.
    told_by = discriminator(variants)
    if value.__class__ is dict and told_by:
        name, allowed = told_by
        if value.get(name) is not None:
            found.append(not_allowed(f"{field}.{name}", value[name], allowed))
        else:
            found.append(problem(f"{field}.{name}", "is required"))
        return
    found.append(mistyped(field, value, " or ".join(map(noun, variants))))


COMBINED: Words = {"anyOf": check_any}


def check_size(
    size: int, schema: Schema, name: str, unit: str, field: str, found: list[Problem]
) -> None:
    least, most = schema.get(f"min{name}"), schema.get(f"max{name}")
    if least is not None and size < least:
        words = f"needs at least {least} {unit} (got {size})"
        if least == 1:
            words = "must not be empty"
        found.append(problem(field, words))
    if most is not None and size > most:
        found.append(problem(field, f"takes at most {most} {unit} (got {size})"))


def fit(value: Json, schema: AnySchema) -> int:
    """Say how well a value fits a variant, by its type and its constants."""
    if schema.__class__ is bool or "type" not in schema:
        return TYPED
    kinds = schema["type"]
    kinds = kinds if kinds.__class__ is list else [kinds]
    if value.__class__ is dict and "object" in kinds:
        for name, member in schema.get("properties", {}).items():
            if value.get(name) is not None and is_constant(member):
                return TOLD if value[name] in member["enum"] else UNFIT
        if any(value.get(name) is None for name in schema.get("required", ())):
            return LACKING
    if takes_file(schema) and surely_file(value):
        return TYPED
    if any(is_kind(value, kind) for kind in kinds):
        return TYPED
    if value.__class__ is str and read_text(value, kind_of(schema)) is not value:
        return READABLE
    return UNFIT


def is_constant(schema: Json) -> bool:
    return schema.__class__ is dict and len(schema.get("enum", ())) == 1


def discriminator(variants: list[AnySchema]) -> tuple[str, list[Json]] | None:
    """Return (name, values) of the member that tells all variants apart, or None."""
    members = [variant.get("properties", {}) for variant in variants]
    for name in members[0]:
        if all(is_constant(own.get(name)) for own in members):
            return name, [own[name]["enum"][0] for own in members]
    return None


def noun(variant: AnySchema) -> str:
    return str(variant.get("title") or TYPES[kind_of(variant)])


def is_kind(value: Json, kind: str) -> bool:
    if kind == "boolean" or value.__class__ is bool:
        return kind == "boolean" and value.__class__ is bool
    if kind == "integer":
        whole = isinstance(value, float) and value.is_integer()
        return whole or isinstance(value, int)
    if kind == "null":
        return value is None
    kinds = {"object": dict, "array": list, "string": str, "number": int | float}
    return isinstance(value, kinds[kind])


def same(one: Json, other: Json) -> bool:
    """JSON's equality: 1 is 1.0, and neither is true."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[n], other[n]) for n in one)
    return one == other


def problem(field: str, words: str) -> Problem:
    return {"field": field, "problem": words}


def mistyped(field: str, value: Json, wanted: str) -> Problem:
    """Say what a value should be, and what it is; a long text is not repeated, as it
    may be a secret."""
    names = {dict: "an object", list: "a list", str: "text"}
    is_short = value.__class__ is str and len(value) <= 20
    got = shown(value) if is_short else names.get(value.__class__, shown(value))
    return problem(field, f"must be {wanted} (got {got})")


def unlike(field: str, value: str, schema: Schema, own: bool) -> Problem:
    """Say that a text does not match its pattern: by the schema's description, if there
    is one, and by the pattern, if it is the user's own or has no description. A long
    text is not repeated, as it may be a secret."""
    got = shown(value) if len(value) <= 20 else "such a text"
    words = schema.get("description")
    words = [words] if words and isinstance(words, str) else []
    if not own or not words:
        words.insert(0, f"must match {schema['pattern']}")
    return problem(field, f"cannot be {got}: {'; '.join(words)}")


def not_allowed(field: str, value: Json, allowed: list[Json]) -> Problem:
    choices = ", ".join(map(shown, allowed[:MOST_CHOICES]))
    if len(allowed) > MOST_CHOICES:
        choices += f" and {len(allowed) - MOST_CHOICES} more"
    return problem(field, f"must be one of {choices} (got {shown(value)})")


def shown(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."
