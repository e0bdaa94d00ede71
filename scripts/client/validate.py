"""Checks a value by its schema, and says what is wrong with it."""

from __future__ import annotations

import json
import re
from operator import ge, gt, le, lt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    from ..shapes import AnySchema, Json, Members, Problem, Schema

    Pressed: TypeAlias = dict[int, tuple[Json, Schema]]
    Search: TypeAlias = Callable[[str, str], object]
    Words: TypeAlias = dict[str, Callable[[Json, Schema, str, "Validation"], None]]


def kind_of(schema: Schema) -> Json:
    """Return the type of a schema, null aside."""
    kinds = schema.get("type")
    if isinstance(kinds, list):
        return next((kind for kind in kinds if kind != "null"), "null")
    return kinds


def allows_null(schema: Schema) -> bool:
    kinds = schema.get("type")
    if kinds is None:
        return any(map(allows_null, schema.get("anyOf", ())))
    return kinds == "null" or (isinstance(kinds, list) and "null" in kinds)


def may_be_empty(schema: Schema) -> bool:
    """Say whether the service takes an empty text or list where one is required."""
    least = (schema.get("minLength"), schema.get("minItems"))
    return 0 in least or any(map(may_be_empty, schema.get("anyOf", ())))


IN_TEXTS = ("integer", "number", "boolean")  # the kinds that a text may hold


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
    if isinstance(value, dict):
        return any(name in value for name in ("s3", "file", "url", "text", "rows"))
    return not isinstance(value, str | int | float | list | dict)


def file_value(value: Json, schema: Schema, field: str) -> Json:
    """Return a file, given in any of the shapes that scripts/transfer/file_input.py
    knows, as a FileValue where the API takes it as text. A text that can be sent
    already, and what is no file, stay as they are."""
    if isinstance(value, bool | int | float) or is_carried(schema):
        return value
    kind = schema["x-file"]
    if isinstance(value, str) and value[:5] != "s3://":
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
NAMED, TYPED, LACKING, READABLE, UNFIT = range(5)


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
    validation = Validation(schema, pressed or {}, search, words or COMBINED)
    validation.check(value, schema, field)
    return validation.found


class Validation:
    """The check of one value by one schema; see schema_problems.

    root         the schema of the whole value, in which a $ref is looked up
    found        what does not fit, so far
    depth        how many schemas are around the one that is looked at
    behind_refs  what does not fit the schema behind a $ref, where that was looked at
    """

    def __init__(
        self, root: AnySchema, pressed: Pressed, search: Search, words: Words
    ) -> None:
        self.root, self.pressed = root, pressed
        self.search, self.words = search, words
        self.found: list[Problem] = []
        self.depth = 0
        self.behind_refs: dict[tuple[int, int, str], list[Problem]] = {}

    def add(self, field: str, words: str) -> None:
        self.found.append(problem(field, words))

    def problems_of(self, value: Json, schema: AnySchema, field: str) -> list[Problem]:
        """Return what does not fit, apart from what was found so far."""
        before, self.found = self.found, []
        self.check(value, schema, field)
        problems, self.found = self.found, before
        return problems

    def check(self, value: Json, schema: AnySchema, field: str) -> None:
        """Add to `found` what does not fit."""
        if self.depth > MAX_DEPTH:
            self.add(field, "is nested too deeply")
            return
        if isinstance(schema, bool):
            if not schema:
                self.add(field, "must not be there")
            return
        words = self.words
        if "$ref" in schema and "$ref" in words:  # told even of a value of a wrong type
            self.check_word("$ref", value, schema, field)
        if takes_file(schema):
            self.check_file(value, schema, field)
            return
        kinds = schema.get("type")
        if kinds is not None:
            kinds = kinds if isinstance(kinds, list) else [kinds]
            if not any(is_kind(value, kind) for kind in kinds):
                wanted = " or ".join(TYPES[kind] for kind in kinds)
                self.found.append(type_problem(field, value, wanted))
                return
        for allowed in allowed_values(schema):
            if not any(same(value, one) for one in allowed):
                self.found.append(choice_problem(field, value, allowed))
                break
        if isinstance(value, str):
            self.check_text(value, schema, field)
        elif isinstance(value, dict):
            self.check_object(value, schema, field)
        elif isinstance(value, list):
            self.check_list(value, schema, field)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            self.check_number(value, schema, field)
        for word in words:
            if word in schema and word != "$ref":
                self.check_word(word, value, schema, field)

    def check_word(self, word: str, value: Json, schema: Schema, field: str) -> None:
        self.depth += 1
        self.words[word](value, schema, field, self)
        self.depth -= 1

    def check_file(self, value: Json, schema: Schema, field: str) -> None:
        if isinstance(value, FileValue):
            value = value.value
        no_file = value is None or isinstance(value, bool | int | float)
        if no_file or (value == "" and is_carried(schema)):
            self.found.append(type_problem(field, value, "a file"))
        elif isinstance(value, str) and not is_carried(schema):
            self.check_text(value, schema, field)

    def check_text(self, value: str, schema: Schema, field: str) -> None:
        self.check_size(len(value), schema, "Length", "characters", field)
        if "pattern" in schema:
            try:
                if not self.search(schema["pattern"], value):
                    # The description explains the pack's own patterns; for a user's,
                    # show both.
                    by_pack = self.search is re.search
                    self.found.append(pattern_problem(field, value, schema, by_pack))
            except ValueError as error:
                self.add(field, f"{schema['pattern']!r} {error}")

    def check_number(self, value: int | float, schema: Schema, field: str) -> None:
        for name, fits, words in BOUNDS:
            bound = schema.get(name)
            if bound is not None and not fits(value, bound):
                self.add(field, f"must be {words} {bound} (got {value})")

    def check_list(self, value: list[Json], schema: Schema, field: str) -> None:
        self.check_size(len(value), schema, "Items", "entries", field)
        first = schema.get("prefixItems", [])
        rest = schema.get("items", True)
        self.depth += 1
        for number, item in enumerate(value if first or rest is not True else ()):
            part = first[number] if number < len(first) else rest
            self.check(item, part, f"{field}[{number}]")
        self.depth -= 1

    def check_object(self, value: Members, schema: Schema, field: str) -> None:
        self.check_size(len(value), schema, "Properties", "members", field)
        known = schema.get("properties", {})
        for name in schema.get("required", ()):
            if name not in value:
                self.add(f"{field}.{name}", "is required")
        patterns = schema.get("patternProperties", {})
        others = schema.get("additionalProperties", True)
        self.depth += 1
        for name, member in value.items():
            parts = [known[name]] if name in known else []
            try:
                parts += [p for key, p in patterns.items() if self.search(key, name)]
            except ValueError as error:
                self.add(field, f"has a name that {error}")
            for part in parts or [others]:
                if part is not True:
                    self.check(member, part, f"{field}.{name}")
        self.depth -= 1

    def check_size(
        self, size: int, schema: Schema, name: str, unit: str, field: str
    ) -> None:
        least, most = schema.get(f"min{name}"), schema.get(f"max{name}")
        if least is not None and size < least:
            words = f"needs at least {least} {unit} (got {size})"
            if least == 1:
                words = "must not be empty"
            self.add(field, words)
        if most is not None and size > most:
            self.add(field, f"takes at most {most} {unit} (got {size})")


def allowed_values(schema: Schema) -> Iterator[list[Json]]:
    if "const" in schema:
        yield [schema["const"]]
    if "enum" in schema:
        yield schema["enum"]


BOUNDS = (
    ("minimum", ge, "at least"),
    ("maximum", le, "at most"),
    ("exclusiveMinimum", gt, "more than"),
    ("exclusiveMaximum", lt, "less than"),
)


def check_any(value: Json, schema: Schema, field: str, validation: Validation) -> None:
    if id(value) in validation.pressed:
        _, variant = validation.pressed[id(value)]
        validation.check(value, variant, field)
        return
    nearest = None
    variants = schema["anyOf"]
    for variant in variants:
        problems = validation.problems_of(value, variant, field)
        if not problems:
            return
        rank = (fit(value, variant), len(problems))
        if nearest is None or rank < nearest[0]:
            nearest = rank, problems
    if nearest is None:
        return
    (fitting, _), problems = nearest
    if fitting < UNFIT:
        validation.found += problems
        return
    # Each has a type: whatever a value is, it fits those that have none.
    told_by = discriminator(variants)
    if isinstance(value, dict) and told_by:
        name, allowed = told_by
        if value.get(name) is not None:
            wrong = choice_problem(f"{field}.{name}", value[name], allowed)
            validation.found.append(wrong)
        else:
            validation.add(f"{field}.{name}", "is required")
        return
    wanted = " or ".join(map(noun, variants))
    validation.found.append(type_problem(field, value, wanted))


COMBINED: Words = {"anyOf": check_any}


def fit(value: Json, schema: AnySchema) -> int:
    """Say how well a value fits a variant, by its type and its constants."""
    if isinstance(schema, bool) or "type" not in schema:
        return TYPED
    kinds = schema["type"]
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if isinstance(value, dict) and "object" in kinds:
        for name, member in schema.get("properties", {}).items():
            if value.get(name) is not None and is_constant(member):
                return NAMED if value[name] in member["enum"] else UNFIT
        if any(value.get(name) is None for name in schema.get("required", ())):
            return LACKING
    if takes_file(schema) and surely_file(value):
        return TYPED
    if any(is_kind(value, kind) for kind in kinds):
        return TYPED
    kind = kind_of(schema) if isinstance(value, str) else None
    if kind in IN_TEXTS and read_text(value, kind) is not value:
        return READABLE
    return UNFIT


def is_constant(schema: Json) -> bool:
    return isinstance(schema, dict) and len(schema.get("enum", ())) == 1


def discriminator(variants: list[AnySchema]) -> tuple[str, list[Json]] | None:
    """Return (name, values) of the member that tells all variants apart, or None."""
    members = [variant.get("properties", {}) for variant in variants]
    for name in members[0]:
        if all(is_constant(one.get(name)) for one in members):
            return name, [one[name]["enum"][0] for one in members]
    return None


def noun(variant: AnySchema) -> str:
    return str(variant.get("title") or TYPES[kind_of(variant)])


def is_kind(value: Json, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    if kind == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, CLASSES[kind])


CLASSES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "number": (int, float),
    "integer": int,
    "boolean": bool,
    "null": type(None),
}


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


def type_problem(field: str, value: Json, wanted: str) -> Problem:
    """Say what a value should be, and what it is; a long text is not repeated, as it
    may be a secret."""
    if isinstance(value, str) and len(value) > 20:
        got = TYPES["string"]
    elif isinstance(value, dict):
        got = TYPES["object"]
    elif isinstance(value, list):
        got = TYPES["array"]
    else:
        got = short_json(value)
    return problem(field, f"must be {wanted} (got {got})")


def pattern_problem(field: str, value: str, schema: Schema, by_pack: bool) -> Problem:
    """Say that a text does not match its pattern: by the schema's description, if there
    is one, and by the pattern, if it is the user's own or has no description. A long
    text is not repeated, as it may be a secret."""
    got = short_json(value) if len(value) <= 20 else "such a text"
    words = schema.get("description")
    words = [words] if words and isinstance(words, str) else []
    if not by_pack or not words:
        words.insert(0, f"must match {schema['pattern']}")
    return problem(field, f"cannot be {got}: {'; '.join(words)}")


def choice_problem(field: str, value: Json, allowed: list[Json]) -> Problem:
    choices = ", ".join(map(short_json, allowed[:MOST_CHOICES]))
    if len(allowed) > MOST_CHOICES:
        choices += f" and {len(allowed) - MOST_CHOICES} more"
    return problem(field, f"must be one of {choices} (got {short_json(value)})")


def short_json(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."
