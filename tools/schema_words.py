"""What a JSON Schema's validator says, in words of the pack for whoever writes a schema
of an operation: which word was meant, what is allowed, what is still to do."""

from difflib import get_close_matches

import jsonschema


def in_words(error: jsonschema.ValidationError) -> list[str]:
    """The problems that an error of the validator tells of, a line each."""
    rule, value = error.validator, error.instance
    if rule == "additionalProperties" and isinstance(value, dict):
        known = sorted(error.schema.get("properties", {}))
        return [_unknown(name, known) for name in value if name not in known]
    if rule in ("enum", "anyOf") and (words := _choices(error)):
        return [f"{value!r} is none of: {', '.join(words)}"]
    if rule == "not" and isinstance(value, str) and "TODO" in value:
        return ["is still a TODO"]
    if rule == "not" and isinstance(value, str) and "\n" in value:
        return ["may have no line breaks"]
    if rule == "pattern" and error.validator_value == "^[ -~]+$":
        odd = next((sign for sign in str(value) if not " " <= sign <= "~"), "")
        what = "a line break" if odd == "\n" else repr(odd)
        return [f"has {what}: letters, digits and signs of ASCII only"]
    if rule == "required":
        name = error.message.partition("'")[2].partition("'")[0]
        close = get_close_matches(name, list(value), 1)
        hint = f"; it has {close[0]}: was that meant?" if close else ""
        return [f"{name} is missing{hint}"]
    return [error.message[:200]]


def _unknown(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, 1)
    if close:
        return f"there is no word {name}; did you mean {close[0]}?"
    return f"there is no word {name}; allowed are: {', '.join(known)}"


def _choices(error: jsonschema.ValidationError) -> list[str]:
    """The values that are allowed, where there is a list of them."""
    if error.validator == "enum":
        return [str(one) for one in error.validator_value]
    found = [inner for inner in error.context if inner.validator == "enum"]
    return [str(one) for one in found[0].validator_value] if found else []
