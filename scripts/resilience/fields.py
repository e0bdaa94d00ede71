"""Messages about refused arguments that help whoever gave them.

with_reasons   why a required one counts as missing
with_titles    the fields named as the form names them
like           the known name that may be meant
unknown_names  members of a body that no schema has, and what may be meant
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..client import TogetherError
    from ..shapes import Json, Members, Problem, Schema

LIKE = 0.75  # how alike a misspelt name is, from 0 to 1


def with_reasons(
    found: list[Problem], arguments: Members, members: dict[str, Schema]
) -> None:
    """Say of each missing argument if it was given empty, or under a name that looks
    like a misspelling of its own."""
    known = set(_names(members))
    for one in found:
        if one["problem"] != "is required":
            continue
        *path, name = re.findall(r"[^.\[\]]+", one["field"])
        parent: Json = arguments
        for part in path:
            parent = _inner(parent, part)
        given = _inner(parent, name)
        if given == "" or given == [] or given == {}:
            one["problem"] = "is required, and is empty"
        elif isinstance(parent, dict) and given is None:
            unknown = [key for key in parent if key not in known]
            for near in like(name, unknown):
                one["problem"] = f"is required (there is {near!r}: is it misspelt?)"


def with_titles(error: TogetherError, members: dict[str, Schema]) -> None:
    """Make the message name each field by its title, too, where a form has another name
    for it: "Question (template) names no column"."""
    words, end = str(error), 0
    parts: list[str] = []
    for one in error.problems or ():
        field, problem = str(one.get("field")), str(one.get("problem"))
        title = members.get(re.split(r"[.\[]", field)[0], {}).get("title")
        # Behind the one before: a message has them in their order, and may have many.
        place = _place_of(f"{field} {problem}", words, end) if title else -1
        if place >= 0:
            parts += words[end:place], f"{title} ({field})"
            end = place + len(field)
    error.args = ("".join([*parts, words[end:]]),)


def _place_of(name: str, words: str, start: int) -> int:
    """Return the place of a name in words, -1 for none: not where it is the end of
    another one."""
    while (place := words.find(name, start)) > 0:
        before = words[place - 1]
        if not (before.isalnum() or before in "_."):
            break
        start = place + 1
    return place


def unknown_names(body: Json, members: Iterable[str]) -> list[str]:
    """Return a line for each unknown member of a body whose name looks like a known
    one."""
    known = list(members)
    return [
        f"body.{name} is not known here, and sent as it is. Is {near} meant?"
        for name in body
        if isinstance(name, str) and name not in known
        for near in like(name, known)
        if near not in body
    ]


def like(name: str, names: Iterable[str]) -> list[str]:
    """Return the name that is most like another one, as a list: empty for none."""
    from difflib import get_close_matches  # only where something is misspelt

    lower = {one.casefold(): one for one in names}
    found = get_close_matches(name.casefold(), lower, 1, LIKE)
    return [lower[one] for one in found]


def _inner(value: Json, name: str) -> Json:
    if isinstance(value, dict):
        return value.get(name)
    if isinstance(value, list) and name.isdecimal() and int(name) < len(value):
        return value[int(name)]
    return None


def _names(schema: Json) -> Iterator[str]:
    """Yield the names of all members that a schema knows."""
    if isinstance(schema, dict):
        yield from map(str, schema)
        for inner in schema.values():
            yield from _names(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from _names(inner)
