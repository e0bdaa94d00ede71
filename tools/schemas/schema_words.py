"""What is wrong with a schema, or with a value that should fit one, in words of the
pack: which word was meant, what is allowed, what is still to do.

in_words    what a JSON Schema's validator says of the schema of an operation
unfit       what an example, a default or a constant of a flow has that does not fit
senseless   what is said where the reading itself fails
place       where it is: properties.file_id.type, examples[1].limit
"""

import json
import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches

import jsonschema

from scripts.client.validate import TYPES, schema_problems
from scripts.json_schema.composed import WORDS

# What other dialects have, and what stands for it here.
ELSEWHERE = {
    "nullable": 'a type with null in it says so: "type": ["string", "null"]',
    "exclusiveMinimum": "minimum is all that a form knows",
    "exclusiveMaximum": "maximum is all that a form knows",
    "oneOf": "say anyOf",
    "allOf": "write the members of all in one object",
    "const": "say enum, with this one value",
    "$ref": "write out what it leads to",
    "$defs": "write each out where it is used",
    "example": "examples stand at the end of the file, each a whole request",
    "in": "say x-in: path, query or header",
    "x-enum": "say enum where nothing else is taken, else x-suggestions",
}
KINDS = ((dict, "an object"), (list, "a list"), (str, "text"), (bool, "true or false"))


def in_words(error: jsonschema.ValidationError) -> list[str]:
    """The problems that an error of the validator tells of, a line each."""
    rule, value, wanted = error.validator, error.instance, error.validator_value
    if rule == "additionalProperties" and isinstance(value, dict):
        known = sorted(error.schema.get("properties", {}))
        return [_unknown(name, known) for name in value if name not in known]
    if rule in ("enum", "anyOf") and (words := _choices(error)):
        return [f"{_shown(value)} is none of: {', '.join(words)}"]
    if rule == "anyOf" and isinstance(value, list) and "items" in wanted[-1]:
        return ["a list of types has two or more, each another"]
    if rule in ("type", "anyOf"):
        return [f"must be {_kinds(error)} (got {_kind(value)})"]
    if rule == "const":
        return [f"must be {json.dumps(wanted)}"]
    if rule == "not" and isinstance(value, str):
        return [_unwanted(value)]
    if rule == "not" and wanted.get("required") == ["auth"]:
        return ["holds no auth: the key is no part of an example"]
    if rule == "oneOf" and isinstance(value, dict):
        names = [name for one in wanted for name in one.get("required", ())]
        both = all(name in value for name in names)
        one = " or ".join(names)
        return [f"{' and '.join(names)}: one of them" if both else f"{one} is missing"]
    if rule == "pattern" and wanted == "^[ -~]+$":
        return [_odd(str(value)) or "is empty"]
    if rule == "pattern":
        said = error.schema.get("$comment", f"must look like {wanted}")
        return [f"{_shown(value)}: {said}"]
    if rule in ("minLength", "minItems", "minProperties"):
        if wanted == 1:
            return ["must not be empty"]
        unit = "characters" if rule == "minLength" else "entries"
        return [f"needs at least {wanted} {unit} (got {len(value)})"]
    if rule == "maxProperties":
        return [f"takes at most {wanted} entries (got {len(value)})"]
    if rule == "minimum":
        return [f"must be at least {wanted} (got {value})"]
    if rule == "uniqueItems":
        return ["has an entry twice"]
    if rule == "format" and wanted == "regex":
        return [f"{_shown(value)} is no regular expression: {_why(value)}"]
    if rule == "dependentRequired" and "pattern" not in wanted:
        return ["use and of belong together: a function, and what it gets"]
    if rule == "dependentRequired":
        return ["a pattern needs a description, which says what fits it"]
    if rule == "required":
        return [_missing(error)]
    return [error.message[:200]]


def unfit(
    value: object, members: dict, required: Iterable[str], where: str
) -> list[str]:
    """What does not fit in an object, by the schemas of its members, a line each; what
    no schema knows is meant otherwise, in an example at least."""
    schema = {"type": "object", "properties": members, "required": list(required)}
    return misfit(value, schema, where)


def misfit(value: object, schema: dict, where: str) -> list[str]:
    """What does not fit of one value: a default, a constant of a flow."""
    try:
        found = schema_problems(value, schema, where, words=WORDS)
    except MISSHAPEN:
        found = []  # by a schema that is wrong itself, which is told of it
    said = [f"{one['field']}: {one['problem']}" for one in found]
    return [*said, *_strange(value, schema, where)]


def place(path: Iterable[str | int]) -> str:
    """Where it is, as people write it; nothing for the whole file."""
    words = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in path]
    return "".join(words).removeprefix(".")


# What reading a source raises where it has not the members, or the types, of one.
MISSHAPEN = (
    AttributeError,
    IndexError,
    KeyError,
    RuntimeError,  # a generator that ended within one
    StopIteration,
    TypeError,
    ValueError,
    re.error,
)


def senseless(error: Exception) -> str:
    """What is said of a source whose reading failed, where nothing else tells why."""
    if isinstance(error, KeyError) and error.args:
        return f"{error.args[0]} is missing, or named where it is not there"
    told = f": {error}" if isinstance(error, ValueError) else ""
    return f"is not of the shape that the others have{told}"


def _strange(value: object, schema: dict, where: str) -> Iterator[str]:
    """The members of a value that an object of the schema does not have."""
    if isinstance(value, list):
        items = schema.get("items")
        for number, item in enumerate(value if isinstance(items, dict) else ()):
            yield from _strange(item, items, f"{where}[{number}]")
    known = schema.get("properties")
    open_ = {"additionalProperties", "anyOf", "x-file"} & schema.keys()
    if not isinstance(value, dict) or not isinstance(known, dict) or open_:
        return
    for name, inner in value.items():
        if name not in known:
            close = get_close_matches(name, known, 1)
            hint = f"; did you mean {close[0]}?" if close else ""
            yield f"{where}: {name} is no argument{hint}"
        else:
            yield from _strange(inner, known[name], f"{where}.{name}")


def _unwanted(text: str) -> str:
    if "TODO" in text:
        return "is still a TODO"
    if odd := _odd(text):
        return odd
    if "\\" in text:
        return "has a backslash, which a text in Python cannot hold as it is"
    return f"{_shown(text)} says Together, which goes without saying"


def _odd(text: str) -> str:
    """What a text has beyond a line of ASCII, or nothing."""
    sign = next((sign for sign in text if not " " <= sign <= "~"), "")
    what = "a line break" if sign == "\n" else repr(sign)
    return f"has {what}: one line of letters, digits and signs of ASCII" if sign else ""


def _missing(error: jsonschema.ValidationError) -> str:
    value = error.instance
    name = next(
        one
        for one in error.validator_value
        if one not in value and error.message.startswith(repr(one))
    )
    close = get_close_matches(name, list(value), 1)
    hint = f"; it has {close[0]}: was that meant?" if close else ""
    return f"{name} is missing{hint}"


def _unknown(name: str, known: list[str]) -> str:
    if name in ELSEWHERE:
        return f"there is no word {name}; {ELSEWHERE[name]}"
    close = get_close_matches(name, known, 1)
    if close:
        return f"there is no word {name}; did you mean {close[0]}?"
    return f"there is no word {name}; allowed are: {', '.join(known)}"


def _choices(error: jsonschema.ValidationError) -> list[str]:
    """The values that are allowed, where there is a list of them."""
    if error.validator == "enum":
        return [str(one) for one in error.validator_value]
    if isinstance(error.instance, list | dict):
        return []
    found = [inner for inner in error.context if inner.validator == "enum"]
    return [str(one) for one in found[0].validator_value] if found else []


def _kinds(error: jsonschema.ValidationError) -> str:
    """The kinds of values that an error of type or anyOf asks for."""
    errors = [error, *(error.context or ())]
    kinds: list[str] = []
    for one in errors:
        if one.validator == "type":
            value = one.validator_value
            kinds += value if isinstance(value, list) else [value]
        elif one.validator == "const":
            kinds.append(json.dumps(one.validator_value))
    return " or ".join(TYPES.get(kind, kind) for kind in dict.fromkeys(kinds))


def _kind(value: object) -> str:
    name = next((name for kind, name in KINDS if isinstance(value, kind)), None)
    return name if name and not isinstance(value, bool) else json.dumps(value)


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _why(pattern: object) -> str:
    try:
        re.compile(str(pattern))
    except re.error as error:
        return str(error)
    return "it is not one of JavaScript's"
