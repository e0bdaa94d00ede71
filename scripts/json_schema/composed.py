"""The words of JSON Schema that schemas of users have, and tables of scripts do not.

ref_target   what a $ref leads to
WORDS        what `schema_problems` is to check a user's schema by
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from ..client.validate import check, check_any, faults_of, problem, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..client.validate import Context, Words
    from ..shapes import AnySchema, Json, Problem, Schema

MOST_FAULTS = 20  # reported of the schema behind one $ref
PLACE = re.compile("0|[1-9][0-9]{0,9}")  # in a list


def ref_target(ref: str, root: AnySchema) -> AnySchema:
    """Return what a $ref leads to. Raises LookupError or ValueError."""
    head, _, path = ref.partition("#")
    path = unquote(path)
    if head or path[:1] not in ("", "/"):  # another document, or an anchor's name
        raise LookupError(ref)
    found = root
    for part in path.split("/")[1:]:
        part = part.replace("~1", "/").replace("~0", "~")
        if isinstance(found, list) and PLACE.fullmatch(part):
            found = found[int(part)]
        elif isinstance(found, dict):
            found = found[part]
        else:
            raise LookupError(path)
    if not isinstance(found, dict | bool):
        raise LookupError(path)
    return found


def check_ref(
    value: Json,
    schema: Schema,
    field: str,
    found: list[Problem],
    context: Context,
    depth: int,
) -> None:
    """A value is checked once by the schema that a $ref leads to: a few references to
    one another may lead there in a million ways."""
    target = ref_target(schema["$ref"], context[0])
    known = context[4]
    place = (id(value), id(target), field)
    if place not in known:
        faults = faults_of(value, target, field, context, depth + 1)
        known[place] = faults[:MOST_FAULTS]
    found += known[place]


def check_one(
    value: Json,
    schema: Schema,
    field: str,
    found: list[Problem],
    context: Context,
    depth: int,
) -> None:
    variants = schema["oneOf"]
    tried = [faults_of(value, one, field, context, depth + 1) for one in variants]
    fitting = sum(not faults for faults in tried)
    if not fitting:
        tried = tried or [[problem(field, "must not be there")]]
        found += sorted(tried, key=len)[0]
    elif fitting > 1:
        found.append(problem(field, "fits several of the variants of oneOf"))


def check_all(
    value: Json,
    schema: Schema,
    field: str,
    found: list[Problem],
    context: Context,
    depth: int,
) -> None:
    for variant in schema["allOf"]:
        check(value, variant, field, found, context, depth + 1)


def check_not(
    value: Json,
    schema: Schema,
    field: str,
    found: list[Problem],
    context: Context,
    depth: int,
) -> None:
    variant = schema["not"]
    if not faults_of(value, variant, field, context, depth + 1):
        found.append(problem(field, "must not be such a value"))


def check_unique(
    value: Json,
    schema: Schema,
    field: str,
    found: list[Problem],
    context: Context,
    depth: int,
) -> None:
    if schema["uniqueItems"] is not True or value.__class__ is not list:
        return
    seen = set()
    for number, item in enumerate(value):
        item = hashed(item)
        if item in seen:
            found.append(problem(f"{field}[{number}]", "is there twice"))
            break
        seen.add(item)


def hashed(value: Json) -> Json:
    """Return a hashable key, equal for values that are equal in JSON: 1 is 1.0, and
    neither is true."""
    if value.__class__ is list:
        return (list, *map(hashed, value))
    if value.__class__ is dict:
        return (dict, frozenset((name, hashed(item)) for name, item in value.items()))
    return (bool, value) if value.__class__ is bool else value


def check_multiple(
    value: Json,
    schema: Schema,
    field: str,
    found: list[Problem],
    context: Context,
    depth: int,
) -> None:
    number = isinstance(value, int | float) and value.__class__ is not bool
    of = schema["multipleOf"]
    if number and not is_multiple(value, of):
        found.append(problem(field, f"must be a multiple of {of} (got {value})"))


def is_multiple(value: int | float, of: int | float) -> bool:
    if of == 0:
        return True
    if isinstance(value, int) and isinstance(of, int):
        return value % of == 0
    if value - value != 0:
        return False  # infinite, or no number
    from fractions import Fraction  # of the decimals: 0.3 is a multiple of 0.1

    return (Fraction(str(value)) / Fraction(str(of))).denominator == 1


def check_if(
    value: Json,
    schema: Schema,
    field: str,
    found: list[Problem],
    context: Context,
    depth: int,
) -> None:
    misses = faults_of(value, schema["if"], field, context, depth + 1)
    chosen = schema.get("else" if misses else "then", True)
    check(value, chosen, field, found, context, depth + 1)


def check_dependent_names(
    value: Json,
    schema: Schema,
    field: str,
    found: list[Problem],
    context: Context,
    depth: int,
) -> None:
    if value.__class__ is not dict:
        return
    for given, needed in schema["dependentRequired"].items():
        for name in needed if given in value else ():
            if name not in value:
                words = f"is required where {given} is given"
                found.append(problem(f"{field}.{name}", words))


def check_dependent_schemas(
    value: Json,
    schema: Schema,
    field: str,
    found: list[Problem],
    context: Context,
    depth: int,
) -> None:
    if value.__class__ is not dict:
        return
    for given, part in schema["dependentSchemas"].items():
        if given in value:
            check(value, part, field, found, context, depth + 1)


def check_contains(
    value: Json,
    schema: Schema,
    field: str,
    found: list[Problem],
    context: Context,
    depth: int,
) -> None:
    if value.__class__ is not list:
        return
    part, count = schema["contains"], 0
    for number, item in enumerate(value):
        place = f"{field}[{number}]"
        count += not faults_of(item, part, place, context, depth + 1)
    least, most = schema.get("minContains", 1), schema.get("maxContains")
    if count < least:
        entries = "an entry that fits" if least == 1 else f"{least} entries that fit"
        words = f"needs {entries} contains (got {count})"
        found.append(problem(field, words))
    if most is not None and count > most:
        words = f"takes at most {most} entries that fit contains (got {count})"
        found.append(problem(field, words))


def check_names(
    value: Json,
    schema: Schema,
    field: str,
    found: list[Problem],
    context: Context,
    depth: int,
) -> None:
    for name in value if value.__class__ is dict else ():
        place = f"{field}.{name}"
        faults = faults_of(name, schema["propertyNames"], place, context, depth + 1)
        if faults:
            words = f"has the name {shown(name)}, which {faults[0]['problem']}"
            found.append(problem(field, words))


WORDS: Words = {
    "$ref": check_ref,
    "multipleOf": check_multiple,
    "uniqueItems": check_unique,
    "allOf": check_all,
    "anyOf": check_any,
    "oneOf": check_one,
    "not": check_not,
    "if": check_if,
    "dependentRequired": check_dependent_names,
    "dependentSchemas": check_dependent_schemas,
    "contains": check_contains,
    "propertyNames": check_names,
}
