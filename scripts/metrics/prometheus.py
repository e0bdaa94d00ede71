"""Numbers that a server tells about itself, in the text format of Prometheus.

    samples  the rows of a text, and how many of its lines could not be read

A line is `name{label="text", ...} number`, with a time in milliseconds behind it, or a
comment; `# TYPE name kind` says what kind of number it is.
"""

from __future__ import annotations

import math
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shapes import Members

MOST_SAMPLES = 100_000
METRIC_CHARACTERS = 64 << 20
NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:.]*")
LABEL = re.compile(
    r"[ \t]*([a-zA-Z_][a-zA-Z0-9_.]*)[ \t]*=[ \t]*"
    r'"([^"\\]*(?:\\.[^"\\]*)*)"[ \t]*(,|(?=}))'
)
NUMBER = re.compile(r"[+-]?(?:\d[\d.]{0,40}(?:[eE][+-]?\d{1,4})?|Inf|NaN)", re.ASCII)
MEANT = {r"\\": "\\", r"\"": '"', r"\n": "\n"}


class TooManyError(ValueError):
    """More text, or more numbers, than are read."""


def samples(text: str) -> tuple[list[Members], int]:
    """Return ([{"name", "labels": {name: text}, "value": number, "kind": counter, gauge
    and so on, or None, "milliseconds"?: since 1970}], lines that could not be read).

    What is not finite is no number, and so is left out. Raises TooManyError.
    """
    if len(text) > METRIC_CHARACTERS:
        raise TooManyError(f"is more than {METRIC_CHARACTERS >> 20} Mi characters")
    # OpenMetrics ends so, and has its times in seconds.
    unit = 1000 if text.rstrip().endswith("# EOF") else 1
    kinds: dict[str, str] = {}
    found: list[Members] = []
    unread = 0
    for line in text.split("\n"):
        line = line.strip()
        if line.startswith("#"):
            words = line.split(None, 3)
            if len(words) == 4 and words[1] == "TYPE":
                kinds[words[2]] = words[3]
        elif line:
            read = _sample(line, unit)
            if read is None:
                unread += 1
            elif math.isfinite(read["value"]):
                found.append({**read, "kind": _kind(read["name"], kinds)})
        if len(found) > MOST_SAMPLES:
            raise TooManyError(f"has more than {MOST_SAMPLES} numbers")
    return found, unread


def _sample(line: str, unit: int) -> Members | None:
    """Return the name, labels, number and time of a line; None for what is none."""
    name = NAME.match(line)
    if name is None:
        return None
    labels: dict[str, str] = {}
    place = name.end()
    if line.startswith("{", place):
        place += 1
        while label := LABEL.match(line, place):
            labels[label[1]] = re.sub(r"\\.", _unescaped, label[2])
            place = label.end()
        rest = line[place:].lstrip()
        if not rest.startswith("}"):
            return None
        rest = rest[1:]
    else:
        rest = line[place:]
    words = rest.partition("#")[0].split()  # behind that, OpenMetrics has an exemplar
    if not 1 <= len(words) <= 2 or not all(map(NUMBER.fullmatch, words)):
        return None
    try:
        read = {"name": name[0], "labels": labels, "value": float(words[0])}
        if len(words) == 2:
            read["milliseconds"] = round(float(words[1]) * unit)
    except (ValueError, OverflowError):
        return None
    return read


def _unescaped(found: re.Match[str]) -> str:
    return MEANT.get(found[0], found[0])


def _kind(name: str, kinds: dict[str, str]) -> str | None:
    """Return the kind of a number; a histogram's has an ending of its own."""
    if name in kinds:
        return kinds[name]
    stem = re.sub(r"_(bucket|sum|count|total|created)$", "", name)
    return kinds.get(stem)
