"""What a model gives a tool: read, and refused where it must not give it."""

from __future__ import annotations

import json
import re

from ..client import TogetherError
from ..client.jsonio import is_deep
from ..client.references import is_word
from ..client.validate import problem
from ..json_schema.checker import search
from ..json_schema.composed import ref_target
from .tool_schema import is_resource, object_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..shapes import AnySchema, Json, Members, Problem, Schema

DEEPEST = 60  # levels of what a model may give
REFUSED = (
    "holds a $ that Windmill would take for the name of a variable or resource: write "
    "it without the $"
)


def arguments_of(text: str) -> Members:
    """Return the arguments that a model wrote. Raises TogetherError for no object."""
    try:
        given = json.loads(text, strict=False) if text.strip() else {}
    except (ValueError, RecursionError):
        raise TogetherError(
            "the arguments are not JSON", type="answer_misfit"
        ) from None
    if given is None:  # so some models write that a tool takes none
        return {}
    if not isinstance(given, dict):
        raise TogetherError("the arguments must be a JSON object", type="answer_misfit")
    if text.count("[") + text.count("{") > DEEPEST and is_deep(given, DEEPEST):
        raise TogetherError("the arguments are nested too deeply", type="answer_misfit")
    return given


def strangers(
    value: Json,
    schemas: Iterable[AnySchema],
    root: AnySchema,
    field: str,
    depth: int = 0,
) -> Iterator[Problem]:
    """Yield the problem of each member that no schema names.

    The schemas are those by which a value may be; an object for which none names a
    member is free, save for the names that Windmill keeps for itself.
    """
    if depth > DEEPEST:
        yield problem(field, "is nested too deeply")
        return
    parts = _branches(schemas, root)
    if isinstance(value, list):
        for number, item in enumerate(value):
            rows = [part["items"] for part in parts if "items" in part]
            rows += [r for part in parts for r in part.get("prefixItems", ())]
            yield from strangers(item, rows, root, f"{field}[{number}]", depth + 1)
    if not isinstance(value, dict):
        return
    named = [part["properties"] for part in parts if "properties" in part]
    patterns = [p for part in parts for p in part.get("patternProperties", {}).items()]
    more = [part["additionalProperties"] for part in parts if _says_more(part)]
    free = not (named or patterns or more) or any(one is not False for one in more)
    for name, item in value.items():
        place = f"{field}.{name}"
        own = [members[name] for members in named if name in members]
        own += [part for key, part in patterns if _matches(key, name)]
        if name.startswith(("_", "wm_")):
            yield problem(place, "is a name that Windmill keeps for itself")
        elif own or free:
            yield from strangers(item, own or more, root, place, depth + 1)
        else:
            yield problem(place, "is no parameter of the tool")


def _matches(pattern: str, name: str) -> bool:
    """Say whether a name has a pattern; one that is too long to tell has not, which
    the check by the schema says."""
    try:
        return bool(search(pattern, name))
    except ValueError:
        return False


def _says_more(part: Schema) -> bool:
    return "additionalProperties" in part


def _branches(schemas: Iterable[AnySchema], root: AnySchema) -> list[Schema]:
    """Return the schemas with all those that they consist of."""
    found: list[Schema] = []
    left = list(schemas)
    while left:
        part = left.pop()
        if not isinstance(part, dict) or any(part is one for one in found):
            continue
        found.append(part)
        for name in ("allOf", "anyOf", "oneOf"):
            left += part.get(name, ())
        left += [part[name] for name in ("if", "then", "else") if name in part]
        left += part.get("dependentSchemas", {}).values()
        if "$ref" in part:
            left.append(ref_target(part["$ref"], root))
    return found


def resources_chosen(value: Json, schema: Json, field: str) -> Iterator[Problem]:
    """Yield the problem of each member that is a resource in the script's schema."""
    if not isinstance(schema, dict):
        return
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from resources_chosen(item, schema.get("items"), f"{field}[{number}]")
    if isinstance(value, dict):
        variants = schema.get("oneOf")
        variants = variants if isinstance(variants, list) else []
        for members in (object_in(one, "properties") for one in (schema, *variants)):
            for name in members.keys() & value.keys():
                if is_resource(members[name]):
                    words = "is a resource, which is not yours to choose"
                    yield problem(f"{field}.{name}", words)
                yield from resources_chosen(
                    value[name], members[name], f"{field}.{name}"
                )


def references_in(value: Json, field: str) -> Iterator[Problem]:
    """Yield the problem of each text that Windmill would resolve, or that would make it
    resolve others."""
    left = [(field, value)]
    while left:
        place, item = left.pop()
        if isinstance(item, str):
            if is_word(item) or re.match(r"\$[A-Za-z_]", item):
                yield problem(place, REFUSED)
        elif isinstance(item, list):
            left += [(f"{place}[{number}]", one) for number, one in enumerate(item)]
        elif isinstance(item, dict):
            for name, one in item.items():
                left += [(f"the name in {place}", name), (f"{place}.{name}", one)]
