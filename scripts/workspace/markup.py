"""Other people's text in Markdown for Windmill's page, with nothing in it that acts.

The page renders any Markdown, also links to `javascript:` and pictures that load by
themselves.

    prose   a text of several lines: lists, headings and emphasis stay, and https links
    inline  a text on one line, without any marks of its own
    facts   an object as a list of its members

Wherever a text holds an address of https, the address itself is the link.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..shapes import Json, Members

# Marks that make links, pictures, HTML and code, in which an escape would be shown.
ACTING = re.compile(r"[\\`\[\]<&~]")
MARKS = re.compile(r"[\\`\[\]<>&~*_|#]")
# What is not seen and turns the order of what is, so that it reads as something else.
TURNING = re.compile("[\u200b\u200e\u200f\u2060\ufeff\u061c\u202a-\u202e\u2066-\u2069]")
HTTPS = re.compile(r"https://[\w!#$%&'*+,./:;=?@^~-]+(?<![.,:;!?'*_])", re.ASCII)


def prose(text: object) -> str:
    """Return a text as Markdown in which only its https addresses are links."""
    return _linked(str(text), ACTING)


def inline(text: object) -> str:
    """Return a text as Markdown on one line that shows it as it stands."""
    return _linked(" ".join(str(text).split()), MARKS)


def facts(members: Members) -> list[str]:
    """Return the lines of a Markdown list that tells an object's members."""
    return [f"- {inline(name)}: {inline(told)}" for name, told in _told("", members)]


def _linked(text: str, marks: re.Pattern[str]) -> str:
    text = TURNING.sub("", text)
    parts: list[str] = []
    start = 0
    for found in HTTPS.finditer(text):
        parts += _escaped(text[start : found.start()], marks), f"<{found[0]}>"
        start = found.end()
    return "".join([*parts, _escaped(text[start:], marks)])


def _escaped(text: str, marks: re.Pattern[str]) -> str:
    return marks.sub(r"\\\g<0>", text)


def _told(name: str, value: Json) -> Iterator[tuple[str, str]]:
    """Yield (name, words) of a value, members of members too."""
    if isinstance(value, dict):
        for inner, one in value.items():
            yield from _told(f"{name} {inner.replace('_', ' ')}".strip(), one)
    elif isinstance(value, list) and any(isinstance(one, dict | list) for one in value):
        for number, one in enumerate(value, 1):
            yield from _told(f"{name} {number}".strip(), one)
    elif isinstance(value, list):
        yield name, ", ".join(map(_words, value)) or "none"
    else:
        yield name, _words(value)


def _words(value: Json) -> str:
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
