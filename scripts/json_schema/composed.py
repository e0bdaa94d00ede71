"""The words of JSON Schema that schemas of users have, and tables of scripts do not.

ref_target   what a $ref leads to
WORDS        what `schema_problems` is to check a user's schema by
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from ..client.validate import check_any, problem, short_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..client.validate import Validation, Words
    from ..shapes import AnySchema, Json, Schema

MOST_FAULTS = 20  # reported of the schema behind one $ref
PLACE = re.compile("0|[1-9][0-9]{0,9}")  # in a list


def ref_target(ref: str, root: AnySchema) -> AnySchema:
    """Return what a $ref leads to. Raises LookupError or ValueError."""
    head, _, path = ref.partition("#")
    path = unquote(path)
    if head or path[:1] not in ("", "/"):  # another document, or an anchor's name
        raise LookupError(ref)
    target = root
    for part in path.split("/")[1:]:
        part = part.replace("~1", "/").replace("~0", "~")
        if isinstance(target, list) and PLACE.fullmatch(part):
            target = target[int(part)]
        elif isinstance(target, dict):
            target = target[part]
        else:
            raise LookupError(path)
    if not isinstance(target, dict | bool):
        raise LookupError(path)
    return target


def check_ref(value: Json, schema: Schema, field: str, validation: Validation) -> None:
    """A value is checked once by the schema that a $ref leads to: a few references to
    one another may lead there in a million ways."""
    target = ref_target(schema["$ref"], validation.root)
    known = validation.behind_refs
    place = (id(value), id(target), field)
    if place not in known:
        known[place] = validation.problems_of(value, target, field)[:MOST_FAULTS]
    validation.found += known[place]


def check_one(value: Json, schema: Schema, field: str, validation: Validation) -> None:
    variants = schema["oneOf"]
    tried = [validation.problems_of(value, one, field) for one in variants]
    fitting = sum(not faults for faults in tried)
    if not fitting:
        tried = tried or [[problem(field, "must not be there")]]
        validation.found += sorted(tried, key=len)[0]
    elif fitting > 1:
        validation.add(field, "fits several of the variants of oneOf")


def check_all(value: Json, schema: Schema, field: str, validation: Validation) -> None:
    for variant in schema["allOf"]:
        validation.check(value, variant, field)


def check_not(value: Json, schema: Schema, field: str, validation: Validation) -> None:
    variant = schema["not"]
    if not validation.problems_of(value, variant, field):
        validation.add(field, "must not be such a value")


def check_unique(
    value: Json, schema: Schema, field: str, validation: Validation
) -> None:
    if schema["uniqueItems"] is not True or not isinstance(value, list):
        return
    seen = set()
    for number, item in enumerate(value):
        item = hash_key(item)
        if item in seen:
            validation.add(f"{field}[{number}]", "is there twice")
            break
        seen.add(item)


def hash_key(value: Json) -> Json:
    """Return a hashable key, equal for values that are equal in JSON: 1 is 1.0, and
    neither is true."""
    if isinstance(value, list):
        return (list, *map(hash_key, value))
    if isinstance(value, dict):
        return (dict, frozenset((name, hash_key(item)) for name, item in value.items()))
    return (bool, value) if isinstance(value, bool) else value


def check_multiple(
    value: Json, schema: Schema, field: str, validation: Validation
) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    of = schema["multipleOf"]
    if number and not is_multiple(value, of):
        validation.add(field, f"must be a multiple of {of} (got {value})")


def is_multiple(value: int | float, of: int | float) -> bool:
    if of == 0:
        return True
    if isinstance(value, int) and isinstance(of, int):
        return value % of == 0
    if value - value != 0:
        return False  # infinite, or no number
    from fractions import Fraction  # of the decimals: 0.3 is a multiple of 0.1

    return (Fraction(str(value)) / Fraction(str(of))).denominator == 1


def check_if(value: Json, schema: Schema, field: str, validation: Validation) -> None:
    misses = validation.problems_of(value, schema["if"], field)
    chosen = schema.get("else" if misses else "then", True)
    validation.check(value, chosen, field)


def check_dependent_names(
    value: Json, schema: Schema, field: str, validation: Validation
) -> None:
    if not isinstance(value, dict):
        return
    for given, needed in schema["dependentRequired"].items():
        for name in needed if given in value else ():
            if name not in value:
                words = f"is required where {given} is given"
                validation.add(f"{field}.{name}", words)


def check_dependent_schemas(
    value: Json, schema: Schema, field: str, validation: Validation
) -> None:
    if not isinstance(value, dict):
        return
    for given, part in schema["dependentSchemas"].items():
        if given in value:
            validation.check(value, part, field)


def check_contains(
    value: Json, schema: Schema, field: str, validation: Validation
) -> None:
    if not isinstance(value, list):
        return
    part, count = schema["contains"], 0
    for number, item in enumerate(value):
        place = f"{field}[{number}]"
        count += not validation.problems_of(item, part, place)
    least, most = schema.get("minContains", 1), schema.get("maxContains")
    if count < least:
        entries = "an entry that fits" if least == 1 else f"{least} entries that fit"
        words = f"needs {entries} contains (got {count})"
        validation.add(field, words)
    if most is not None and count > most:
        words = f"takes at most {most} entries that fit contains (got {count})"
        validation.add(field, words)


def check_names(
    value: Json, schema: Schema, field: str, validation: Validation
) -> None:
    for name in value if isinstance(value, dict) else ():
        place = f"{field}.{name}"
        faults = validation.problems_of(name, schema["propertyNames"], place)
        if faults:
            words = f"has the name {short_json(name)}, which {faults[0]['problem']}"
            validation.add(field, words)


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
