"""Numbers that a server tells about itself, in the text format of Prometheus.

    samples  the rows of a text, and how many of its lines could not be read

A line is `name{label="text", ...} number`, with a time in milliseconds behind it, or a
comment; `# TYPE name kind` says what kind of number it is. A name that has other signs
than these is in quotes: `{"my.metric", "any label"="text"} number`.
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
TEXT = r'"([^"\\]*(?:\\.[^"\\]*)*)"'
# A label, whose name may be in quotes; what is in quotes alone is the number's own name.
LABEL = re.compile(
    rf"[ \t]*(?:([a-zA-Z_][a-zA-Z0-9_.]*)|{TEXT})[ \t]*"
    rf"(?:=[ \t]*{TEXT}[ \t]*)?(,|(?=}}))"
)
# As Go reads a number, which Prometheus does: .5, 5., 0x1p-2 and any case of Inf, too.
NUMBER = re.compile(
    r"[+-]?(?:(?:\d{1,400}(?:\.\d{0,400})?|\.\d{1,400})(?:e[+-]?\d{1,4})?"
    r"|inf(?:inity)?|nan)",
    re.ASCII | re.IGNORECASE,
)
HEX = re.compile(
    r"[+-]?0x(?:[\da-f]{1,40}(?:\.[\da-f]{0,40})?|\.[\da-f]{1,40})p[+-]?\d{1,4}",
    re.ASCII | re.IGNORECASE,
)
TYPE = re.compile(rf"#[ \t]+TYPE[ \t]+(?:{TEXT}|(\S+))[ \t]+(\S+)")
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
            if told := TYPE.fullmatch(line):
                name = told[2] if told[1] is None else _meant(told[1])
                kinds[name] = told[3]
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
    found = NAME.match(line)
    name = found[0] if found else None
    rest = line[found.end() :].lstrip() if found else line
    labels: dict[str, str] = {}
    if rest.startswith("{"):
        place = 1
        while label := LABEL.match(rest, place):
            place = label.end()
            own = label[1] if label[2] is None else _meant(label[2])
            if label[3] is not None:
                labels[own] = _meant(label[3])
            elif name is None and label[2] is not None:
                name = own  # {"a name of any letters", label="..."}
            else:
                return None
        rest = rest[place:].lstrip()
        if not rest.startswith("}"):
            return None
        rest = rest[1:]
    elif found and rest == line[found.end() :]:
        return None  # nothing is between the name and its number
    words = rest.partition("#")[0].split()  # behind that, OpenMetrics has an exemplar
    numbers = [number for word in words if (number := _number(word)) is not None]
    if not name or not 1 <= len(words) <= 2 or len(numbers) < len(words):
        return None
    read: Members = {"name": name, "labels": labels, "value": numbers[0]}
    if len(numbers) == 2:
        if not math.isfinite(numbers[1]):
            return None
        read["milliseconds"] = round(numbers[1] * unit)
    return read


def _number(word: str) -> float | None:
    """Return a number as Prometheus writes it, None for what is none."""
    if NUMBER.fullmatch(word):
        return float(word)
    if HEX.fullmatch(word):
        try:
            return float.fromhex(word)
        except OverflowError:
            return None
    return None


def _meant(text: str) -> str:
    """Return what stands between quotes, as it is meant."""
    return re.sub(r"\\.", _unescaped, text)


def _unescaped(found: re.Match[str]) -> str:
    return MEANT.get(found[0], found[0])


def _kind(name: str, kinds: dict[str, str]) -> str | None:
    """Return the kind of a number; a histogram's has an ending of its own."""
    if name in kinds:
        return kinds[name]
    stem = re.sub(r"_(bucket|sum|count|total|created)$", "", name)
    return kinds.get(stem)
