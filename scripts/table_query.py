"""Questions to a table whose answer is a small table: conditions, groups, measures.

    Query     what is asked, as texts such as `amount > 100` and `sum amount`
    ask       the answer, in one pass over the rows
    describe  what the columns hold
    Writing   how a column writes its numbers and dates

A cell counts as a number where it is one, or reads as one in the way of its column:
1,234.50 or 1.234,50, with a currency or a percent sign too. Which sign groups digits
and which stands before decimals is told by the column as a whole; rows wait on disk
while a cell that hangs on it came before one that shows it. Where none does, `words`
says what was taken. Numbers are exact; what begins with 0, as 007, is none. What is
blank counts in no measure.
"""

from __future__ import annotations

import copy
import heapq
import json
import re
import tempfile
from collections import Counter
from datetime import date
from decimal import Context, Decimal
from functools import lru_cache

from .client import TogetherError
from .table.table import AHEAD, Flaw, find

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import IO, TypeAlias

    from .shapes import Json, Members
    from .table.table import Table

    Exact: TypeAlias = int | Decimal

GROUPS = 10_000  # groups of a query
DISTINCT = 200_000  # values that `distinct` counts, of all groups
COLUMNS = 100  # columns that are described
VALUE_SIGNS = 100  # of a number or date
HELD_CHARACTERS = 256 << 20  # of rows that wait until a column is clear
HELD_IN_MEMORY = 1 << 20
SIGNS = (">=", "<=", "!=", "<>", "=", ">", "<")
EQUAL = ("=", "!=", "<>")
WORDS = (" is not blank", " is blank", " contains ")
MEASURES = {"count": "count", "sum": "sum", "mean": "mean", "average": "mean"}
MEASURES |= {"avg": "mean", "min": "min", "max": "max", "distinct": "distinct"}
# What a cell is, in the order in which a sort has them.
NUMBER, MOMENT, TEXT, BLANK = range(4)
KINDS = {NUMBER: "numbers", MOMENT: "dates"}


class Query:
    """What is asked of a table.

    where     conditions, all of which a row must meet: `amount >= 100`, `city = Rome`,
              `name contains ltd`, `note is blank`
    groups    columns; the measures are then told for each of their values
    measures  `count`, or sum, mean, min, max or distinct and a column
    order     a column of the answer, with ` desc` behind it for the largest first
    columns   what is shown of the rows where nothing is measured; none: all

    Raises TogetherError for what cannot be understood.
    """

    def __init__(
        self,
        where: Iterable[str] = (),
        groups: Iterable[str] = (),
        measures: Iterable[str] = (),
        order: str | None = None,
        columns: Iterable[str] = (),
    ) -> None:
        self.where = [
            _read_condition(text, f"where[{n}]") for n, text in enumerate(where)
        ]
        self.groups = [name.strip() for name in groups]
        self.measures = [
            _read_measure(m, f"measures[{n}]") for n, m in enumerate(measures)
        ]
        if self.groups and not self.measures:
            self.measures = [("count", "", "count")]
        self.columns = [name.strip() for name in columns]
        name, _, way = (order or "").strip().rpartition(" ")
        self.down = way.lower() == "desc"
        self.order = name if self.down or way.lower() == "asc" else (order or "")
        self.order = self.order.strip()
        # Of the columns whose cells are compared or added, by name.
        self.writings: dict[str, Writing] = {}
        self.open: list[tuple[str, Writing]] = []  # of them, those that may learn more
        self.waits = False  # whether what some cells mean is not clear yet
        self.seen = 0  # rows that were looked at before the rest

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked: the table itself is meant."""
        return not (self.where or self.groups or self.measures or self.order)

    def check(self, table: Table) -> None:
        """Raise TogetherError where the table lacks a column; look how it writes its
        numbers and dates."""
        table.require([one.column for one in self.where], "where")
        table.require(self.groups, "group_by")
        table.require([column for _, column, _ in self.measures if column], "measures")
        table.require(self.columns, "columns")
        if self.order and self.measures:
            known = [*self.groups, *(name for _, _, name in self.measures)]
            if self.order not in known:
                problem = f"must be one of {', '.join(known)}"
                raise TogetherError.refused("sort", problem)
        elif self.order:
            table.require([self.order], "sort")
        self.look(table, self.read_columns())

    def read_columns(self) -> list[str]:
        """Return the columns whose cells are compared or added."""
        found = [one.column for one in self.where if one.compares]
        found += [
            c for what, c, _ in self.measures if what not in ("count", "distinct")
        ]
        if self.order and (self.order in self.groups or not self.measures):
            found.append(self.order)
        return list(dict.fromkeys(found))

    def look(self, table: Table, columns: list[str]) -> None:
        """See in the first rows how columns write what they hold."""
        rows = [row for row in table.first if not isinstance(row, Flaw)]
        elsewhere = _sign_of(rows) if columns else ""
        self.writings = {name: Writing(elsewhere) for name in columns}
        self.seen = len(rows)
        for name, writing in self.writings.items():
            for row in rows:
                writing.see(find(row, name))
        for one in self.where:
            if one.compares:
                self.writings[one.column].ask(one.value)
        for writing in self.writings.values():
            writing.begin()
        self.settle(end=len(table.first) < AHEAD)

    def see(self, row: Members) -> None:
        """Learn from a row behind the first ones."""
        learned = [writing.see(find(row, name)) for name, writing in self.open]
        if any(learned):
            self.settle()

    def settle(self, end: bool = False) -> None:
        """Decide how columns write by what was seen, at the end in any case."""
        for writing in self.writings.values():
            writing.settle(end)
        self.open = [(n, one) for n, one in self.writings.items() if not one.settled]
        self.waits = any(writing.waits for _, writing in self.open)

    def writing(self, column: str) -> Writing:
        """Return how a column writes what it holds."""
        found = self.writings.get(column)
        if found is None:
            found = self.writings[column] = Writing()
            found.settle(True)
        return found

    def written(self) -> Writing:
        """Return how that is written by which the answer is sorted."""
        for _, column, name in self.measures:
            if name == self.order:
                return self.writing(column).apart()
        return self.writing(self.order)

    def notes(self) -> Iterator[str]:
        """Yield what is to be known of how columns were read."""
        for name, writing in self.writings.items():
            for words in writing.notes():
                yield f"{name} {words}".removesuffix(".") + "."
        for one in self.where:
            yield from one.notes(self.writing(one.column))


def ask(table: Table, query: Query, most: int) -> Members:
    """Return {"rows": at most `most`, "read", "matched", "found": of these rows how
    many there are, "unreadable": rows, "words": what else is to be known}.

    Raises TogetherError for too many groups, and where the table cannot be read.
    """
    query.check(table)
    counts = {"read": 0, "matched": 0, "unreadable": 0}
    rows = _matching(table, query, counts)
    notes: list[str] = []
    if query.measures:
        made = _measured(rows, query, notes)
        found, kept = len(made), _first(made, query, most, notes)
    else:
        kept = _first(rows, query, most, notes)
        found = counts["matched"]
        kept = [_columns_of(row, query.columns) for row in kept]
    notes += query.notes()
    words = list(dict.fromkeys(notes))
    return {"rows": kept, "found": found, **counts, "words": words}


def describe(table: Table, most: int) -> Members:
    """Return what `ask` does, of the first rows, with a line for each column."""
    counts = {"read": 0, "matched": 0, "unreadable": 0}
    query = Query()
    query.look(table, _names(table.first))
    columns: dict[str, _Column] = {}
    kept: list[Members] = []
    for row in _matching(table, query, counts):
        if len(kept) < most:
            kept.append(row)
        for name, cell in row.items():
            if name in columns or len(columns) < COLUMNS:
                if name not in columns:
                    columns[name] = _Column(query.writing(name))
                columns[name].add(cell)
    words = [f"{n}: {c.told(counts['matched'])}" for n, c in columns.items()]
    return {"rows": kept, "found": counts["matched"], **counts, "words": words}


def is_blank(cell: Json) -> bool:
    """Say whether nothing stands in a cell."""
    return cell is None or (cell.__class__ is str and not cell.strip())


# --- how a column writes -----------------------------------------------------------


class Writing:
    """How a column writes its numbers and dates, as its cells have shown so far.

    sign   what stands before decimals; "" where some cells have a point there and as
           many a comma, and None while it is open
    order  of day, month and year in dates, as "dmy"; "" and None likewise
    ids    whether its numbers are texts: some begin with 0
    """

    def __init__(self, elsewhere: str = "") -> None:
        self.elsewhere = elsewhere  # the sign of the table's other columns
        self.sign: str | None = None
        self.order: str | None = None
        self.signs, self.orders = _Ways(), _Ways()
        self.ids = self.zeros = self.amounts = self.native = self.plain = False
        self.texts = False
        self.units: dict[str, None] = {}  # of cells that were read, "" for none
        self.unclear: list[str] = []

    def see(self, cell: Json) -> bool:
        """Learn from a cell; say whether it may be one that decides."""
        if cell.__class__ is not str:
            self.native = self.native or cell.__class__ in (int, float)
            return False
        text = cell.strip()
        if text.isdigit() and text.isascii():  # as most are, and any way reads alike
            if text[0] == "0" and len(text) > 1:
                self.zeros = True
            else:
                self.plain = True
            return False
        if not _may_be_value(text):
            self.texts = self.texts or bool(text)
            return False
        found = _DOUBTFUL.fullmatch(text)
        if found and found[1] in self.signs.doubtful:
            return False  # one more of those that show nothing
        numbers = _numbers(text)
        if numbers:
            self.amounts = True
            self.plain = self.plain or len({*numbers.values()}) == 1
            self.signs.see(text, numbers, 2)
            return True
        return self.orders.see(text, _moments(text), len(_ORDERS))

    def ask(self, text: str) -> None:
        """Take what cells are compared with: the column decides how it is read."""
        if not self.native and _may_be_value(text):
            self.signs.doubt(text, _numbers(text))
            self.orders.doubt(text, _moments(text))

    def begin(self) -> None:
        """Take the first rows for what the column holds: ids, amounts, or words."""
        self.ids = self.zeros and not self.amounts
        values = self.zeros or self.plain or self.amounts or self.orders.fits
        if self.texts and not values and not self.waits:
            self.sign, self.order = self.elsewhere or ".", ""

    @property
    def settled(self) -> bool:
        return self.sign is not None and self.order is not None

    @property
    def waits(self) -> bool:
        """Whether there were cells that hang on what is still open."""
        return bool(
            (self.sign is None and self.signs.doubtful)
            or (self.order is None and self.orders.doubtful)
        )

    def settle(self, end: bool = False) -> None:
        """Decide by what was seen; at the end, on what is still open, too."""
        if self.sign is None:
            self.sign = self.signs.best() or (self._taken() if end else None)
        if self.sign is None and self.order and not (self.plain or self.amounts):
            self.sign = "."  # a column of dates
        if self.order is None:
            self.order = self.orders.best() or None
            doubtful = self.orders.doubtful.get(".")
            if self.order is None and (end or (self.sign and not doubtful)):
                self.order = ""
                if doubtful:
                    self.unclear.append(
                        f"does not show whether the day or the month is first in "
                        f"{doubtful}: such dates are compared as texts"
                    )

    def _taken(self) -> str:
        """Return the sign that is taken for the one before decimals where no cell, or
        as many cells for each, shows it."""
        if self.signs.fits:
            self.unclear.append(
                "has a point before the decimals in some cells and a comma in others: "
                "only what has a point is read as a number"
            )
            return ""
        doubtful = self.signs.doubtful
        if not doubtful:
            return "."
        sign = self.elsewhere or "."
        # A comma before three digits groups. A point there is one before decimals, if
        # all cells have as many. The table's other columns may show another way.
        sure = "." not in doubtful or self.elsewhere == "." or not self.plain
        if sign == "," or len(doubtful) > 1 or not sure:
            text = next(iter(doubtful.values()))
            found = {one: _told(value) for one, value in _numbers(text).items()}
            other = "," if sign == "." else "."
            self.unclear.append(
                f"does not show whether {text} is {found[sign]} or {found[other]}: "
                f"{found[sign]} is taken"
            )
        return sign

    def number(self, cell: Json) -> Exact | None:
        """Return a cell as an exact number, or None where it is none."""
        if cell.__class__ is not str:
            value = _exact(cell)
            if value is not None:
                self.units[""] = None
            return value
        text = cell.strip()
        if self.sign != "," and _SIMPLE.fullmatch(text) and len(text) <= VALUE_SIGNS:
            self.units[""] = None
            return Decimal(text) if "." in text else int(text)
        found = _parted(text) if _may_be_value(text) else None
        if found is None:
            return None
        unit, minus, body = found
        value = _value(minus, body, "." if self.sign is None else self.sign)
        if value is not None:
            self.units[unit] = None
        return value

    def read(self, cell: Json) -> tuple[int, Json]:
        """Return (NUMBER, MOMENT, TEXT or BLANK, what a cell is compared by)."""
        if is_blank(cell):
            return BLANK, ""
        if not self.ids:
            value = self.number(cell)
            if value is not None:
                return NUMBER, value
            moment = self.moment(cell) if cell.__class__ is str else None
            if moment is not None:
                return MOMENT, moment
        return TEXT, str(cell)

    def moment(self, text: str) -> int | None:
        """Return a date or time as a number by which it is compared, or None."""
        text = text.strip()
        found = _moments(text) if _may_be_value(text) else {}
        if len(set(found.values())) == 1:
            return next(iter(found.values()))
        return found.get(self.order or "")

    def wanted(self, text: str) -> tuple[int, Json]:
        """Return what `read` does of what cells are compared with: written as the
        column writes it or, where that is none, as only one way does."""
        kind, value = self.apart().read(text)
        if kind == TEXT and not self.ids and _may_be_value(text):
            numbers = {*_numbers(text).values()}
            if len(numbers) == 1:
                return NUMBER, numbers.pop()
        return kind, value

    def apart(self) -> Writing:
        """Return the same for what is no cell of the column."""
        other = copy.copy(self)
        other.units = {}
        return other

    def notes(self) -> Iterator[str]:
        """Yield what is to be known of a column, its name aside."""
        yield from self.unclear
        if self.ids:
            yield "has numbers that begin with 0: they are compared as texts"
        named = [unit for unit in self.units if unit]
        if len(named) > 1 or ("%" in named and "" in self.units):
            listed = ", ".join([*named, *(["no sign"] if "" in self.units else [])])
            yield f"has cells with {listed}: their numbers are taken as they stand"
        elif named:
            yield f"is in {named[0]}"


class _Ways:
    """Which of several ways of writing a column has.

    fits      by way, how many cells it reads of those that some ways do not read
    doubtful  a text that ways read differently, by the sign in it: what a comma is in
              is a whole number where a point stands before decimals
    """

    def __init__(self) -> None:
        self.fits: Counter[str] = Counter()
        self.doubtful: dict[str, str] = {}

    def see(self, text: str, found: Mapping[str, Exact], ways: int) -> bool:
        if found and len(found) < ways:
            self.fits.update(found.keys())
        self.doubt(text, found)
        return bool(found)

    def doubt(self, text: str, found: Mapping[str, Exact]) -> None:
        if len({*found.values()}) > 1:
            sign = "," if isinstance(found.get("."), int) else "."
            self.doubtful.setdefault(sign, text)

    def best(self) -> str:
        """Return the way that reads the most cells, "" where two read as many."""
        most = self.fits.most_common(2)
        if not most or (len(most) > 1 and most[0][1] == most[1][1]):
            return ""
        return most[0][0]


def _sign_of(rows: list[Members]) -> str:
    """Return the sign before decimals that the columns of a table agree upon, or ""."""
    found = set()
    for name in _names(rows):
        writing = Writing()
        for row in rows:
            writing.see(row.get(name))
        found.add(writing.signs.best())
    found.discard("")
    return found.pop() if len(found) == 1 else ""


def _names(rows: Iterable[Members | Flaw]) -> list[str]:
    """Return the first columns of some rows."""
    known: dict[str, None] = {}
    for row in rows:
        if isinstance(row, dict):
            known.update(dict.fromkeys(row))
    return [*known][:COLUMNS]


# Signs of currencies, those of the block that Unicode has for them, and names.
_MONEY = "$\u00a2-\u00a5\u058f\u060b\u0e3f\u17db\u20a0-\u20cf\ufdfc\uff04\uffe1\uffe5"
_CODES = (
    "AED|ARS|AUD|BGN|BRL|CAD|CHF|CLP|CNY|COP|CZK|DKK|EGP|EUR|GBP|HKD|HUF|IDR|ILS|INR|"
    "JPY|KES|KRW|MXN|MYR|NGN|NOK|NZD|PEN|PHP|PKR|PLN|RMB|RON|RUB|SAR|SEK|SGD|THB|TRY|"
    r"TWD|UAH|USD|VND|ZAR|S?Fr\.|[Kk]r\.?|z\u0142|K\u010d|Ft|Rs\.?|Rp|RM|lei"
)
_UNIT = rf"(?:[%\u2030]|[A-Z]{{0,3}}[{_MONEY}]|{_CODES})"
_BLANKS = " \u00a0\u2009\u202f"
_MINUS = "+\\-\u2212"
_PARTED = re.compile(
    rf"([{_MINUS}]?)(?:({_UNIT})[{_BLANKS}]?)?([{_MINUS}]?)"
    rf"([\d.,](?:[\d.,'\u2019{_BLANKS}]*[\d.])?(?:[eE][+-]?\d{{1,3}})?)"
    rf"(?:[{_BLANKS}]?({_UNIT}))?",
    re.ASCII,
)
_MAY = re.compile(rf"[{_MINUS}]?(?:{_UNIT}[{_BLANKS}]?)?[{_MINUS}]?[.,]?\d", re.ASCII)
_DOUBTFUL = re.compile(r"[1-9]\d{0,2}([.,])\d{3}", re.ASCII)  # most of those that are
_SIMPLE = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?", re.ASCII)


def _body(sign: str, other: str, more: str = "") -> re.Pattern[str]:
    """Return the pattern of a number without its unit, with a sign before decimals."""
    power = r"(?:[eE][+-]?\d{1,3})?"
    whole = rf"(?:0|[1-9]\d*)(?:\{sign}\d+|\.)?{power}|\{sign}\d+{power}"
    group = rf"[1-9]\d{{0,2}}([{other}'\u2019{_BLANKS}])\d{{3}}(?:\1\d{{3}})*"
    return re.compile(rf"{whole}|(?:{group}{more})(?:\{sign}\d+)?", re.ASCII)


# By the sign before decimals. In India, a comma is behind two digits, too: 12,34,567.
_BODY = {
    ".": _body(".", ",", r"|[1-9]\d?(?:,\d\d)+,\d{3}"),
    ",": _body(",", "."),
    "": re.compile(
        r"(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII
    ),
}
_DROPPED = dict.fromkeys(map(ord, f"'\u2019{_BLANKS}"))
_PLAIN = {
    ".": {**_DROPPED, ord(","): None},
    ",": {**_DROPPED, ord("."): None, ord(","): "."},
    "": {},
}
MOST_POWER = 308  # as many programs hold


def _may_be_value(text: str) -> bool:
    """Say whether a text may be a number or date, which most texts cannot."""
    return 0 < len(text) <= VALUE_SIGNS and _MAY.match(text) is not None


def _parted(text: str) -> tuple[str, str, str] | None:
    """Return the unit of a number, its minus and the rest of it; None for others."""
    found = _PARTED.fullmatch(text)
    if found is None or (found[1] and found[3]):
        return None
    unit = " ".join(filter(None, (found[2], found[5])))
    return unit, "" if (found[1] or found[3]) in ("", "+") else "-", found[4]


def _numbers(text: str) -> dict[str, Exact]:
    """Return what a text is as a number, by the sign before decimals."""
    found = _parted(text)
    if found is None:
        return {}
    _, minus, body = found
    values = {sign: _value(minus, body, sign) for sign in ".,"}
    return {sign: value for sign, value in values.items() if value is not None}


def _value(minus: str, body: str, sign: str) -> Exact | None:
    if _BODY[sign].fullmatch(body) is None:
        return None
    plain = body.translate(_PLAIN[sign])
    if plain.isdigit():
        return int(minus + plain)
    value = Decimal(minus + plain)
    return value if abs(value.adjusted()) <= MOST_POWER else None


def _exact(cell: Json) -> Exact | None:
    """Return a number of JSON as it is written, None for what is none."""
    if cell.__class__ is int:
        return cell
    if cell.__class__ is not float or cell - cell != 0:
        return None
    return Decimal(repr(cell))


_CLOCK = (
    r"(\d{1,6}):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(?: ?([AaPp])\.?[Mm]\.?)?"
    r"(?: ?(Z|[+-]\d\d:?\d\d))?"
)
_DATE = re.compile(
    rf"(\d{{1,4}})([./-])(\d{{1,2}})\2(\d{{1,4}})(?:(?:,? |T){_CLOCK})?", re.ASCII
)
_TIME = re.compile(rf"(-?){_CLOCK}", re.ASCII)
_ORDERS = ("dmy", "mdy", "ymd")


@lru_cache(2_000)  # the dates of a table repeat
def _moments(text: str) -> dict[str, int]:
    """Return a date, a time or how long something took as nanoseconds, by the order of
    day, month and year."""
    found = _TIME.fullmatch(text)
    if found:
        took = _clock(found.groups()[1:], 1 << 20)
        past = -took if found[1] and took else took
        return {} if past is None else dict.fromkeys(_ORDERS, past)
    found = _DATE.fullmatch(text)
    if not found:
        return {}
    first, sign, second, third, *clock = found.groups()
    past = _clock(clock, 24) if clock[0] else 0
    moments: dict[str, int] = {}
    for order in _possible(first, sign, second, third):
        day = _day(dict(zip(order, (first, second, third), strict=True)))
        if day is not None and past is not None:
            moments[order] = day * 86_400 * 10**9 + past
    return moments


def _possible(first: str, sign: str, second: str, third: str) -> tuple[str, ...]:
    """Return the orders that a date may have, by its lengths and the sign within."""
    if len(first) > 2:
        return ("ymd",) if len(first) == 4 and len(third) <= 2 else ()
    if len(third) == 4:
        return ("dmy",) if sign == "." else ("dmy", "mdy")
    if len(third) != 2 or sign == "-":
        return ()  # as numbers of versions and parts have it
    if sign == ".":
        return ("dmy",) if len(first) == len(second) == 2 else ()
    return _ORDERS


def _day(parts: dict[str, str]) -> int | None:
    year = int(parts["y"])
    if len(parts["y"]) == 2:
        year += 1900 if year > 68 else 2000
    try:
        return date(year, int(parts["m"]), int(parts["d"])).toordinal()
    except ValueError:
        return None


def _clock(parts: Iterable[str | None], most: int) -> int | None:
    """Return a time of day as nanoseconds since midnight, None for what is none."""
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


# --- rows --------------------------------------------------------------------------


def _matching(table: Table, query: Query, counts: Members) -> Iterator[Members]:
    for row in _clear(_sound(table, counts), query):
        for one in query.where:
            if not one.meets(find(row, one.column), query.writing(one.column)):
                break
        else:
            counts["matched"] += 1
            yield row


def _sound(table: Table, counts: Members) -> Iterator[Members]:
    for row in table:
        counts["read"] += 1
        if isinstance(row, Flaw):
            counts["unreadable"] += 1
        else:
            yield row


def _clear(rows: Iterable[Members], query: Query) -> Iterator[Members]:
    """Yield rows once it is clear what their cells mean. Until a later one shows how a
    column writes its numbers or dates, they wait on disk."""
    with tempfile.SpooledTemporaryFile(HELD_IN_MEMORY, "w+", encoding="ascii") as file:
        held = 0
        for number, row in enumerate(rows):
            if number >= query.seen and query.open:
                query.see(row)
            if query.waits and held < HELD_CHARACTERS:
                line = json.dumps(row)
                file.write(f"{line}\n")
                held += len(line)
                continue
            if query.waits:  # so many rows are kept that what is open is taken
                query.settle(end=True)
            if held:
                yield from _again(file)
                held = 0
            yield row
        query.settle(end=True)
        yield from _again(file) if held else ()


def _again(file: IO[str]) -> Iterator[Members]:
    """Yield the rows that were written to a file, and make it empty."""
    file.seek(0)
    for line in file:
        yield json.loads(line)
    file.seek(0)
    file.truncate()


def _first(
    rows: Iterable[Members], query: Query, most: int, notes: list[str]
) -> list[Members]:
    """Return the first rows in the order that is asked, holding no more than these."""
    if not query.order:
        kept: list[Members] = []
        for row in rows:
            if len(kept) < most:
                kept.append(row)
        return kept
    pick = heapq.nlargest if query.down else heapq.nsmallest
    kinds = [0] * 4
    writing = query.written()

    def place(row: Members) -> tuple[int, Json]:
        kind, value = writing.read(find(row, query.order))
        kinds[kind] += 1
        # What is blank comes last, either way; numbers come before texts.
        rank = -kind if query.down else kind
        return rank, value.casefold() if kind == TEXT else value

    found = pick(most, rows, key=place)
    if query.order in query.writings:
        odd = _odd(kinds, query.order)
        notes += [f"{odd} and come behind them."] if odd else []
    return found


def _odd(kinds: list[int], column: str) -> str:
    """Say of counts by kind how many cells are not what others of their column are,
    "" where there are none."""
    kind = NUMBER if kinds[NUMBER] else MOMENT
    count = kinds[TEXT] + (kinds[MOMENT] if kind == NUMBER else 0)
    if not kinds[kind] or not count:
        return ""
    return f"{count} cells of {column} are no {KINDS[kind]}"


def _columns_of(row: Members, columns: list[str]) -> Members:
    return {name: find(row, name) for name in columns} if columns else row


def _measured(rows: Iterable[Members], query: Query, notes: list[str]) -> list[Members]:
    groups: dict[tuple[str, ...], list[_Sum]] = {}
    shared = [0]  # values that are held for `distinct`
    for row in rows:
        key = tuple(str(_without_none(find(row, name))) for name in query.groups)
        sums = groups.get(key)
        if sums is None:
            if len(groups) >= GROUPS:
                problem = f"make more than {GROUPS} groups: take coarser columns"
                raise TogetherError.refused("group_by", problem)
            sums = groups[key] = _sums(query, shared)
        for one, (_, column, _) in zip(sums, query.measures, strict=True):
            one.add(find(row, column) if column else row)
    if not groups and not query.groups:
        groups[()] = _sums(query, shared)
    for number, (what, column, _) in enumerate(query.measures):
        found = [sums[number].kinds for sums in groups.values()]
        kinds = [sum(counts) for counts in zip(*found, [0] * 4, strict=True)]
        if what in ("sum", "mean") and kinds[TEXT]:
            odd = f"{kinds[TEXT]} cells of {column} are no numbers"
        else:
            odd = _odd(kinds, column)
        notes += [f"{odd} and are left out."] if odd else []
    names = [name for _, _, name in query.measures]
    return [
        dict(zip(query.groups, key, strict=True))
        | {n: one.value() for n, one in zip(names, sums, strict=True)}
        for key, sums in groups.items()
    ]


def _sums(query: Query, shared: list[int]) -> list[_Sum]:
    return [
        _Sum(what, query.writing(column), shared) for what, column, _ in query.measures
    ]


_EXACT = Context(prec=100)  # digits; what is added is exact as far as that


class _Sum:
    """One measure of a group."""

    def __init__(self, what: str, writing: Writing, shared: list[int]) -> None:
        self.what, self.writing, self.shared = what, writing, shared
        self.count = 0
        self.kinds = [0] * 4  # by kind, the cells that were added
        self.total: Exact = 0
        self.best: tuple[int, Json, Json] | None = None  # kind, by what, as it is told
        self.seen: set[str] = set()

    def add(self, cell: Json) -> None:
        if is_blank(cell):
            return
        if self.what == "count":
            self.count += 1
        elif self.what == "distinct":
            self.notice(str(cell))
        elif self.what in ("sum", "mean"):
            value = self.writing.number(cell)
            self.kinds[TEXT if value is None else NUMBER] += 1
            if value is not None:
                self.total = _EXACT.add(self.total, value)
        else:
            kind, value = self.writing.read(cell)
            self.kinds[kind] += 1
            if self.best is None or self._is_better(kind, value):
                told = _told(value) if kind == NUMBER else str(cell)
                self.best = kind, value, told

    def notice(self, text: str) -> None:
        if text not in self.seen:
            self.shared[0] += 1
            if self.shared[0] > DISTINCT:
                problem = f"distinct has more than {DISTINCT} values to count"
                raise TogetherError.refused("measures", problem)
            self.seen.add(text)

    def _is_better(self, kind: int, value: Json) -> bool:
        best, known, _ = self.best or (BLANK, None, None)
        if kind != best:
            return kind < best  # a number is told rather than a text
        return value < known if self.what == "min" else value > known

    def value(self) -> Json:
        if self.what == "count":
            return self.count
        if self.what == "distinct":
            return len(self.seen)
        if self.what in ("min", "max"):
            return self.best[2] if self.best else None
        if self.what == "mean":
            count = self.kinds[NUMBER]
            return _rounded(_EXACT.divide(self.total, count)) if count else None
        return _rounded(self.total)


class _Column:
    """What is told of a column."""

    def __init__(self, writing: Writing) -> None:
        self.writing = writing
        self.filled = self.numbers = 0
        self.least: Exact = 0
        self.most: Exact = 0
        self.texts: list[str] = []

    def add(self, cell: Json) -> None:
        kind, value = self.writing.read(cell)
        if kind == BLANK:
            return
        self.filled += 1
        if kind == NUMBER:
            self.least = min(self.least, value) if self.numbers else value
            self.most = max(self.most, value) if self.numbers else value
            self.numbers += 1
        if len(self.texts) < 5:
            text = str(cell)[:40]
            if text not in self.texts:
                self.texts.append(text)

    def told(self, rows: int) -> str:
        words = f"such as {', '.join(self.texts)}" if self.texts else "blank"
        if self.filled and self.numbers == self.filled:
            words = f"numbers from {_told(self.least)} to {_told(self.most)}"
        elif self.numbers:
            words += f"; {self.numbers} of {self.filled} are numbers"
        blank = rows - self.filled
        words = f"{words}; {blank} blank" if blank and self.filled else words
        return "; ".join([words, *self.writing.notes()])


def _without_none(cell: Json) -> Json:
    return "" if cell is None else cell


def _folded(cell: Json) -> str:
    return str(_without_none(cell)).casefold().strip()


def _told(value: Exact) -> Json:
    """Return an exact number as JSON has it, as text where that would round it."""
    if isinstance(value, int):
        return value
    if value == value.to_integral_value():
        return int(value)
    near = float(value)
    return near if Decimal(repr(near)) == value else f"{value:f}"


def _rounded(value: Exact) -> Json:
    """Return a sum or mean to 6 decimals, or to 6 digits where it is below 1."""
    if isinstance(value, int) or value.adjusted() > 20:
        return _told(value)
    digits = max(6, 5 - value.adjusted())
    return _told(value.quantize(Decimal(1).scaleb(-digits), context=_FINE))


_FINE = Context(prec=400)  # digits of the smallest number that is rounded


# --- what is asked -----------------------------------------------------------------


class _Condition:
    """One condition: a column, what it is compared by, and with what."""

    def __init__(self, column: str, sign: str, value: str) -> None:
        self.column, self.sign, self.value = column, sign, value
        self.compares = sign in SIGNS
        self.folded = value.casefold()
        self.worded = None if self.compares else _worded(sign, value)
        self.state: object = None  # of the column, when `wanted` was read
        self.wanted: tuple[int, Json] = (TEXT, value)
        self.odd = 0  # cells that are neither more nor less than what is wanted
        self.texts = 0  # cells that are compared as texts though they, or it, are none

    def meets(self, cell: Json, writing: Writing) -> bool:
        if self.worded:
            return self.worded(cell)
        state = writing.sign, writing.order
        if self.state != state:  # what is wanted is read as the column is written
            self.state, self.wanted = state, writing.wanted(self.value)
        wanted_kind, wanted = self.wanted
        if wanted_kind == TEXT and self.sign in EQUAL:
            return _holds(self.sign, _folded(cell), self.folded)
        kind, mine = writing.read(cell)
        if kind == wanted_kind and kind in (NUMBER, MOMENT):
            return _holds(self.sign, mine, wanted)
        if kind == BLANK:
            return self.sign in EQUAL and _holds(self.sign, "", self.folded)
        if self.sign not in EQUAL and kind != wanted_kind:
            words = kind == TEXT and not _may_be_value(str(cell).strip())
            if wanted_kind == NUMBER or (wanted_kind == MOMENT and words):
                self.odd += 1
                return False  # a text is neither more nor less than a number or date
            self.texts += 1
        return _holds(self.sign, _folded(cell), self.folded)

    def notes(self, writing: Writing) -> Iterator[str]:
        """Yield what is to be known of how cells were compared."""
        if self.odd:
            kind = KINDS[self.wanted[0]]
            yield f"{self.odd} cells of {self.column} are no {kind} and do not match."
        if self.texts:
            yield f"{self.texts} cells of {self.column} are compared as texts."
        if not self.compares or self.wanted[0] != NUMBER:
            return
        plain = _numbers(self.value).get(".", self.wanted[1])
        if plain != self.wanted[1]:
            yield (
                f"{self.value} is read as {_told(self.wanted[1])}, as {self.column} "
                "has its numbers."
            )


def _read_condition(text: str, field: str) -> _Condition:
    low = text.lower()
    for word in WORDS:
        place = low.find(word, 1)
        if place > 0 and (word.startswith(" is ") == low.endswith(word)):
            column, value = text[:place].strip(), text[place + len(word) :].strip()
            return _Condition(column, word, value)
    found = [(p, -len(s), s) for s in SIGNS if (p := text.find(s)) > 0]
    if not found:
        listed = f"{' '.join(SIGNS)}, contains, is blank, is not blank"
        problem = f"is no condition: write a column, one of {listed}, and a value"
        raise TogetherError.refused(field, problem)
    place, _, sign = min(found)
    column, value = text[:place].strip(), text[place + len(sign) :].strip()
    if value[:1] in "'\"" and value[-1:] == value[:1] and len(value) > 1:
        value = value[1:-1]
    return _Condition(column, sign, value)


def _worded(word: str, value: str) -> Callable[[Json], bool]:
    if word == " is blank":
        return is_blank
    if word == " is not blank":
        return lambda cell: not is_blank(cell)
    part = value.strip("'\"").casefold()
    return lambda cell: part in str(_without_none(cell)).casefold()


def _holds(sign: str, mine: Exact | str, wanted: Exact | str) -> bool:
    if sign in ("!=", "<>"):
        return mine != wanted
    if sign == "=":
        return mine == wanted
    less, same = mine < wanted, mine == wanted  # type: ignore[operator]
    if sign in ("<", "<="):
        return less or (same and sign == "<=")
    return not less and (not same or sign == ">=")


def _read_measure(text: str, field: str) -> tuple[str, str, str]:
    """Return (what, column, its name in the answer) of a measure."""
    words = text.replace("(", " ").replace(")", " ").strip()
    head, _, column = words.partition(" ")
    column = column.strip().removeprefix("of ").strip().strip("*")
    what = MEASURES.get(head.lower())
    if what is None or (not column and what != "count"):
        known = ", ".join(dict.fromkeys(MEASURES.values()))
        raise TogetherError.refused(field, f"must be one of {known}, and a column")
    return what, column, f"{what} {column}".strip()
