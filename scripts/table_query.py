"""Questions to a table whose answer is a small table: conditions, groups, measures.

    Query   what is asked, as texts such as `amount > 100` and `sum amount`
    ask     the answer, in one pass over the rows

A cell counts as a number where it is one, or reads as one: 1,234.50 and 1.234,50 too,
in a column whose first rows show which sign stands before its decimals. What is blank
counts in no measure but `count`.
"""

from __future__ import annotations

import heapq
import re

from .client import TogetherError
from .table.table import Flaw, find

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from .shapes import Json, Members
    from .table.table import Table

GROUPS = 10_000  # groups of a query
DISTINCT = 200_000  # values that `distinct` counts, of all groups
COLUMNS = 100  # columns that are described
SIGNS = (">=", "<=", "!=", "<>", "=", ">", "<")
WORDS = (" is not blank", " is blank", " contains ")
MEASURES = {"count": "count", "sum": "sum", "mean": "mean", "average": "mean"}
MEASURES |= {"avg": "mean", "min": "min", "max": "max", "distinct": "distinct"}


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
        # By column, the sign before the decimals: of those that write numbers as text.
        self.decimals: dict[str, str] = {}

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked: the table itself is meant."""
        return not (self.where or self.groups or self.measures or self.order)

    def check(self, table: Table) -> None:
        """Raise TogetherError where the table lacks a column; look how it writes its
        numbers."""
        self.decimals = _decimals(table.first)
        table.require([column for column, _ in self.where], "where")
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

    def cell(self, row: Members, column: str) -> Json:
        """Return a cell of a row, a number as people write it as number() reads it."""
        found = find(row, column)
        sign = self.decimals.get(column)
        if sign is None or found.__class__ is not str or len(found) > NUMBER_SIGNS:
            return found
        text = found.strip()
        if not _GROUPED[sign].fullmatch(text):
            return found
        head, _, decimals = text.partition(sign)
        head = re.sub(r"[^0-9+-]", "", head)
        return f"{head}.{decimals}" if decimals else head


NUMBER_SIGNS = 40  # of a number
_GROUPED = {
    sign: re.compile(
        rf"[+-]?(?:\d{{1,3}}(?:[{other}'\u00a0\u202f ]\d{{3}})+|\d+)(?:\{sign}\d+)?"
    )
    for sign, other in ((",", "."), (".", ","))
}
# What only a number with such a sign before its decimals is written like.
_SURE = {
    sign: re.compile(
        rf"[+-]?(?:\d{{1,3}}(?:\{other}\d{{3}})+\{sign}\d+|\d+\{sign}(?:\d\d?|\d{{4,}}))"
    )
    for sign, other in ((",", "."), (".", ","))
}


def _decimals(rows: Iterable[Members | Flaw]) -> dict[str, str]:
    """Return, by column, the sign that stands before decimals, where rows show it."""
    found: dict[str, set[str]] = {}
    for row in rows:
        for name, value in row.items() if isinstance(row, dict) else ():
            if value.__class__ is str and len(value) <= NUMBER_SIGNS:
                text = value.strip()
                signs = {sign for sign, one in _SURE.items() if one.fullmatch(text)}
                if signs:
                    found.setdefault(name, set()).update(signs)
    return {name: signs.pop() for name, signs in found.items() if len(signs) == 1}


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
        found, kept = len(made), _first(made, query, most)
    else:
        kept = _first(rows, query, most)
        found = counts["matched"]
        kept = [_columns_of(row, query.columns) for row in kept]
    return {"rows": kept, "found": found, **counts, "words": notes}


def describe(table: Table, most: int) -> Members:
    """Return what `ask` does, of the first rows, with a line for each column."""
    counts = {"read": 0, "matched": 0, "unreadable": 0}
    columns: dict[str, _Column] = {}
    kept: list[Members] = []
    for row in _matching(table, Query(), counts):
        if len(kept) < most:
            kept.append(row)
        for name, cell in row.items():
            if name in columns or len(columns) < COLUMNS:
                columns.setdefault(name, _Column()).add(cell)
    words = [f"{n}: {c.told(counts['matched'])}" for n, c in columns.items()]
    return {"rows": kept, "found": counts["matched"], **counts, "words": words}


def number(cell: Json) -> float | None:
    """Return a cell as a number, or None where it is none."""
    if cell.__class__ is str:
        text = cell.strip()
        if not text or text[-1] not in "0123456789." or text[0] in "_iInN":
            return None
        try:
            cell = float(text)
        except ValueError:
            return None
    if cell.__class__ not in (int, float):
        return None
    return cell if cell - cell == 0 else None


def is_blank(cell: Json) -> bool:
    """Say whether nothing stands in a cell."""
    return cell is None or (cell.__class__ is str and not cell.strip())


# --- rows --------------------------------------------------------------------------


def _matching(table: Table, query: Query, counts: Members) -> Iterator[Members]:
    for row in table:
        counts["read"] += 1
        if isinstance(row, Flaw):
            counts["unreadable"] += 1
        elif all(test(query.cell(row, column)) for column, test in query.where):
            counts["matched"] += 1
            yield row


def _first(rows: Iterable[Members], query: Query, most: int) -> list[Members]:
    """Return the first rows in the order that is asked, holding no more than these."""
    if not query.order:
        kept: list[Members] = []
        for row in rows:
            if len(kept) < most:
                kept.append(row)
        return kept
    pick = heapq.nlargest if query.down else heapq.nsmallest
    last = float("-inf" if query.down else "inf")

    def place(row: Members) -> tuple[bool, float, str]:
        cell = query.cell(row, query.order)
        value, blank = number(cell), is_blank(cell)
        # What is blank comes last, either way; numbers come before texts.
        first = blank != query.down
        if value is not None:
            return first, value, ""
        return first, last, "" if blank else str(cell).casefold()

    return pick(most, rows, key=place)


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
            sums = groups[key] = [_Sum(what, shared) for what, _, _ in query.measures]
        for one, (_, column, _) in zip(sums, query.measures, strict=True):
            one.add(query.cell(row, column) if column else row)
    if not groups and not query.groups:
        groups[()] = [_Sum(what, shared) for what, _, _ in query.measures]
    for number, (what, column, _) in enumerate(query.measures):
        odd = sum(sums[number].odd for sums in groups.values())
        if odd and what in ("sum", "mean"):
            notes.append(f"{odd} cells of {column} are no numbers and are left out.")
    names = [name for _, _, name in query.measures]
    return [
        dict(zip(query.groups, key, strict=True))
        | {n: one.value() for n, one in zip(names, sums, strict=True)}
        for key, sums in groups.items()
    ]


class _Sum:
    """One measure of a group."""

    def __init__(self, what: str, shared: list[int]) -> None:
        self.what, self.shared = what, shared
        self.count = self.odd = 0
        self.total: float = 0
        self.best: Json = None
        self.seen: set[str] = set()

    def add(self, cell: Json) -> None:
        if self.what == "count":
            self.count += not is_blank(cell)
            return
        if is_blank(cell):
            return
        if self.what == "distinct":
            text = str(_without_none(cell))
            if text not in self.seen:
                self.shared[0] += 1
                if self.shared[0] > DISTINCT:
                    problem = f"distinct has more than {DISTINCT} values to count"
                    raise TogetherError.refused("measures", problem)
                self.seen.add(text)
            return
        value = number(cell)
        if self.what in ("sum", "mean"):
            if value is None:
                self.odd += 1
            else:
                self.count += 1
                self.total += value
            return
        found = value if value is not None else str(cell)
        if self.best is None or self._is_better(found):
            self.best = found

    def _is_better(self, found: float | str) -> bool:
        mine, new = isinstance(self.best, str), isinstance(found, str)
        if mine != new:
            return mine  # a number is told rather than a text
        return found < self.best if self.what == "min" else found > self.best

    def value(self) -> Json:
        if self.what == "count":
            return self.count
        if self.what == "distinct":
            return len(self.seen)
        if self.what in ("min", "max"):
            return self.best
        if self.what == "mean":
            return _rounded(self.total / self.count) if self.count else None
        return _rounded(self.total)


class _Column:
    """What is told of a column."""

    def __init__(self) -> None:
        self.filled = self.numbers = 0
        self.least = self.most = 0.0
        self.texts: list[str] = []

    def add(self, cell: Json) -> None:
        if is_blank(cell):
            return
        self.filled += 1
        value = number(cell)
        if value is not None:
            self.least = min(self.least, value) if self.numbers else value
            self.most = max(self.most, value) if self.numbers else value
            self.numbers += 1
        if len(self.texts) < 5:
            text = str(_without_none(cell))[:40]
            if text not in self.texts:
                self.texts.append(text)

    def told(self, rows: int) -> str:
        words = f"such as {', '.join(self.texts)}" if self.texts else "blank"
        if self.filled and self.numbers == self.filled:
            words = f"numbers from {self.least:g} to {self.most:g}"
        elif self.numbers:
            words += f"; {self.numbers} of {self.filled} are numbers"
        blank = rows - self.filled
        return f"{words}; {blank} blank" if blank and self.filled else words


def _without_none(cell: Json) -> Json:
    return "" if cell is None else cell


def _rounded(value: float) -> float | int | None:
    if value - value != 0:
        return None  # beyond what a number holds
    return int(value) if value == int(value) else round(value, 6)


# --- what is asked -----------------------------------------------------------------


def _read_condition(text: str, field: str) -> tuple[str, Callable[[Json], bool]]:
    """Return (column, test) of a condition."""
    low = text.lower()
    for word in WORDS:
        place = low.find(word, 1)
        if place > 0 and (word.startswith(" is ") == low.endswith(word)):
            column, value = text[:place].strip(), text[place + len(word) :].strip()
            return column, _worded(word, value)
    found = [(p, -len(s), s) for s in SIGNS if (p := text.find(s)) > 0]
    if not found:
        listed = f"{' '.join(SIGNS)}, contains, is blank, is not blank"
        problem = f"is no condition: write a column, one of {listed}, and a value"
        raise TogetherError.refused(field, problem)
    place, _, sign = min(found)
    column, value = text[:place].strip(), text[place + len(sign) :].strip()
    if value[:1] in "'\"" and value[-1:] == value[:1] and len(value) > 1:
        value = value[1:-1]
    return column, _compared(sign, value)


def _worded(word: str, value: str) -> Callable[[Json], bool]:
    if word == " is blank":
        return is_blank
    if word == " is not blank":
        return lambda cell: not is_blank(cell)
    part = value.strip("'\"").casefold()
    return lambda cell: part in str(_without_none(cell)).casefold()


def _compared(sign: str, value: str) -> Callable[[Json], bool]:
    wanted, text = number(value), value.casefold()

    def test(cell: Json) -> bool:
        mine = number(cell)
        if mine is not None and wanted is not None:
            return _holds(sign, mine, wanted)
        if is_blank(cell):
            return _holds(sign, "", text) if sign in ("=", "!=", "<>") else False
        if wanted is not None and sign not in ("=", "!=", "<>"):
            return False  # a text is neither more nor less than a number
        return _holds(sign, str(cell).casefold().strip(), text)

    return test


def _holds(sign: str, mine: float | str, wanted: float | str) -> bool:
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
