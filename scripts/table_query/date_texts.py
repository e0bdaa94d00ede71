"""Dates, times of day and durations as people write them, as numbers to compare."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_CLOCK = (
    r"(\d{1,6}):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?: ?([AaPp])\.?[Mm]\.?)?"
    r"(?: ?(Z|[+-]\d\d:?\d\d))?"
)
_DATE = re.compile(
    rf"(\d{{1,4}})([./-])(\d{{1,2}})\2(\d{{1,4}})(?:(?:,? |T){_CLOCK})?", re.ASCII
)
_TIME = re.compile(rf"(-?){_CLOCK}", re.ASCII)
DATE_ORDERS = ("dmy", "mdy", "ymd")


@lru_cache(2_000)  # a table has the same dates again and again
def moments_by_order(text: str) -> dict[str, int]:
    """Return {order of day, month and year: the date that a text is in that order}, as
    nanoseconds; times of day and durations are the same in each."""
    found = _TIME.fullmatch(text)
    if found:
        took = _nanoseconds(found.groups()[1:], 1 << 20)
        past = -took if found[1] and took else took
        return {} if past is None else dict.fromkeys(DATE_ORDERS, past)
    found = _DATE.fullmatch(text)
    if not found:
        return {}
    first, sign, second, third, *clock = found.groups()
    past = _nanoseconds(clock, 24) if clock[0] else 0
    moments: dict[str, int] = {}
    for order in _possible_orders(first, sign, second, third):
        day = _day_number(dict(zip(order, (first, second, third), strict=True)))
        if day is not None and past is not None:
            moments[order] = day * 86_400 * 10**9 + past
    return moments


def _possible_orders(first: str, sign: str, second: str, third: str) -> tuple[str, ...]:
    """Return the orders of day, month and year that a date may have, by the lengths of
    its parts and the sign between them."""
    if len(first) > 2:
        return ("ymd",) if len(first) == 4 and len(third) <= 2 else ()
    if len(third) == 4:
        return ("dmy",) if sign == "." else ("dmy", "mdy")
    if len(third) != 2 or sign == "-":
        return ()  # as numbers of versions and parts have it
    if sign == ".":
        return ("dmy",) if len(first) == len(second) == 2 else ()
    return DATE_ORDERS


def _day_number(parts: dict[str, str]) -> int | None:
    """Return a date's number, counted from the year 1, by {"y", "m", "d"}; None for one
    that no calendar has."""
    year = int(parts["y"])
    if len(parts["y"]) == 2:
        year += 1900 if year > 68 else 2000
    try:
        return date(year, int(parts["m"]), int(parts["d"])).toordinal()
    except ValueError:
        return None


def _nanoseconds(parts: Iterable[str | None], most: int) -> int | None:
    """Return a time as nanoseconds since midnight, by what _CLOCK matches; None for what
    is none, and for more than `most` hours."""
    hours, minutes, seconds, rest, half, zone = parts
    hour, minute, second = int(hours or 0), int(minutes or 0), int(seconds or 0)
    if half and not 1 <= hour <= 12:
        return None
    if half:
        hour = hour % 12 + 12 * (half in "Pp")
    if hour > most or minute > 59 or second > 60:
        return None
    if zone and zone != "Z":
        ahead = int(zone[1:3]) * 60 + int(zone[-2:])
        minute += ahead if zone[0] == "-" else -ahead
    return (hour * 3600 + minute * 60 + second) * 10**9 + int(
        (rest or "").ljust(9, "0")
    )
