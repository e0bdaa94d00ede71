"""How a column writes its numbers and dates, which its cells show together.

Which sign groups digits and which stands before decimals is told by the column as a
whole: where some cell has 1,5 the comma is a decimal sign in all of them.
"""

from __future__ import annotations

import copy
from collections import Counter
from decimal import Decimal

from ..table.table import Flaw
from .cells import BLANK, MOMENT, NUMBER, TEXT, is_blank, text_of
from .date_texts import DATE_ORDERS, moments_by_order
from .number_texts import (
    AMBIGUOUS,
    PLAIN_NUMBER,
    VALUE_SIGNS,
    as_json,
    exact_number,
    may_be_value,
    number_from,
    numbers_by_sign,
    unit_and_digits,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ..shapes import Json, Members
    from .number_texts import Exact

COLUMNS = 100  # of a table, that are looked at


class ColumnFormat:
    """How a column writes its numbers and dates, as its cells have shown so far.

    sign   the decimal sign; "" where as many cells have a point as have a comma, and
           None while no cell has shown it
    order  of day, month and year in dates, as "dmy"; "" and None likewise
    ids    whether its numbers are texts, such as postcodes: some begin with 0
    """

    def __init__(self, elsewhere: str = "") -> None:
        self.elsewhere = elsewhere  # the decimal sign of the table's other columns
        self.sign: str | None = None
        self.order: str | None = None
        self.signs, self.orders = _Ways(), _Ways()
        self.ids = False
        # Whether some cells are digits that begin with 0, numbers with signs in them,
        # numbers of JSON, numbers that read alike in any way, and texts.
        self.zeros = self.amounts = self.native = self.plain = self.texts = False
        self.units: dict[str, None] = {}  # of numbers that were read, "" for none
        self.unclear: list[str] = []  # sentences about what was not clear

    def see(self, cell: Json) -> bool:
        """Learn from a cell; say whether it may be one that decides."""
        if cell.__class__ is not str:
            self.native = self.native or cell.__class__ in (int, float)
            return False
        text = cell.strip()
        if text.isdigit() and text.isascii():  # as most numbers are
            if text[0] == "0" and len(text) > 1:
                self.zeros = True
            else:
                self.plain = True
            return False
        if not may_be_value(text):
            self.texts = self.texts or bool(text)
            return False
        found = AMBIGUOUS.fullmatch(text)
        if found and found[1] in self.signs.doubtful:
            return False  # a further one shows nothing new
        numbers = numbers_by_sign(text)
        if numbers:
            self.amounts = True
            self.plain = self.plain or len({*numbers.values()}) == 1
            self.signs.see(text, numbers, 2)
            return True
        return self.orders.see(text, moments_by_order(text), len(DATE_ORDERS))

    def ask(self, text: str) -> None:
        """Take what cells are compared with: the column decides how it is read."""
        if not self.native and may_be_value(text):
            self.signs.doubt(text, numbers_by_sign(text))
            self.orders.doubt(text, moments_by_order(text))

    def begin(self) -> None:
        """Decide by the first rows whether the column holds ids, amounts, or words."""
        self.ids = self.zeros and not self.amounts
        values = self.zeros or self.plain or self.amounts or self.orders.fits
        if self.texts and not values and not self.waits:
            self.sign, self.order = self.elsewhere or ".", ""

    @property
    def settled(self) -> bool:
        """Whether nothing is open any more."""
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
            self.sign = self.signs.best() or (self._assumed_sign() if end else None)
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

    def _assumed_sign(self) -> str:
        """Return the decimal sign that is assumed where no cell shows it, or as many cells
        show each."""
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
        # A comma before three digits is taken to group them, a point to stand before
        # decimals, unless the table's other columns show the contrary.
        sure = "." not in doubtful or self.elsewhere == "." or not self.plain
        if sign == "," or len(doubtful) > 1 or not sure:
            text = next(iter(doubtful.values()))
            found = {
                one: as_json(value) for one, value in numbers_by_sign(text).items()
            }
            other = "," if sign == "." else "."
            self.unclear.append(
                f"does not show whether {text} is {found[sign]} or {found[other]}: "
                f"{found[sign]} is taken"
            )
        return sign

    def number(self, cell: Json) -> Exact | None:
        """Return a cell as an exact number, or None where it is none."""
        if cell.__class__ is not str:
            value = exact_number(cell)
            if value is not None:
                self.units[""] = None
            return value
        text = cell.strip()
        if (
            self.sign != ","
            and PLAIN_NUMBER.fullmatch(text)
            and len(text) <= VALUE_SIGNS
        ):
            self.units[""] = None
            return Decimal(text) if "." in text else int(text)
        found = unit_and_digits(text) if may_be_value(text) else None
        if found is None:
            return None
        unit, minus, body = found
        value = number_from(minus, body, "." if self.sign is None else self.sign)
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
        return TEXT, text_of(cell)

    def moment(self, text: str) -> int | None:
        """Return a date or time as a number by which it is compared, or None."""
        text = text.strip()
        found = moments_by_order(text) if may_be_value(text) else {}
        if len(set(found.values())) == 1:
            return next(iter(found.values()))
        return found.get(self.order or "")

    def wanted(self, text: str) -> tuple[int, Json]:
        """Return what `read` does of what cells are compared with: written as the
        column writes it or, where that is none, as only one way does."""
        kind, value = self.apart_from_cells().read(text)
        if kind == TEXT and not self.ids and may_be_value(text):
            numbers = {*numbers_by_sign(text).values()}
            if len(numbers) == 1:
                return NUMBER, numbers.pop()
        return kind, value

    def apart_from_cells(self) -> ColumnFormat:
        """Return a copy that reads what is no cell of the column, so that its unit is not
        taken for one of the column's."""
        other = copy.copy(self)
        other.units = {}
        return other

    def notes(self) -> Iterator[str]:
        """Yield sentences about the column, its name left out at their beginning."""
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
    """Which of several ways of writing a column has: a decimal sign, an order of dates.

    fits      by way, how many cells it reads, of those that some other cannot read
    doubtful  a cell that different ways read as different values, one for a comma and
              one for a point in it
    """

    def __init__(self) -> None:
        self.fits: Counter[str] = Counter()
        self.doubtful: dict[str, str] = {}

    def see(self, text: str, found: Mapping[str, Exact], ways: int) -> bool:
        """Learn from a cell: {way: its value}, of so many ways; say whether it has any."""
        if found and len(found) < ways:
            self.fits.update(found.keys())
        self.doubt(text, found)
        return bool(found)

    def doubt(self, text: str, found: Mapping[str, Exact]) -> None:
        """Note a text whose values differ by the way in which it is read."""
        if len({*found.values()}) > 1:
            sign = "," if isinstance(found.get("."), int) else "."
            self.doubtful.setdefault(sign, text)

    def best(self) -> str:
        """Return the way that reads the most cells, "" where two read as many."""
        most = self.fits.most_common(2)
        if not most or (len(most) > 1 and most[0][1] == most[1][1]):
            return ""
        return most[0][0]


def decimal_sign_of(rows: list[Members]) -> str:
    """Return the decimal sign that the columns of a table agree upon, or ""."""
    signs = set()
    for name in first_columns(rows):
        column_format = ColumnFormat()
        for row in rows:
            column_format.see(row.get(name))
        signs.add(column_format.signs.best())
    signs.discard("")
    return signs.pop() if len(signs) == 1 else ""


def first_columns(rows: Iterable[Members | Flaw]) -> list[str]:
    """Return the names of the first columns of some rows."""
    known: dict[str, None] = {}
    for row in rows:
        if isinstance(row, dict):
            known.update(dict.fromkeys(row))
    return [*known][:COLUMNS]
