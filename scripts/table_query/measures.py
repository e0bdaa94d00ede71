"""Measures as a person writes them, `sum amount`, and what they come to by groups."""

from __future__ import annotations

from decimal import Context

from ..client import TogetherError
from ..client.references import SAFE
from ..table.table import find
from .cells import BLANK, KINDS, MOMENT, NUMBER, TEXT, is_blank, sort_key, text_of
from .date_texts import moments_by_order
from .number_texts import (
    as_json,
    may_be_value,
    numbers_by_sign,
    rounded,
    unit_and_digits,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..shapes import Json, Members
    from .column_format import ColumnFormat
    from .number_texts import Exact
    from .query import Query

GROUPS = 10_000  # groups of a query
DISTINCT = 200_000  # values that `distinct` counts, of all groups together
MEASURES = {"count": "count", "sum": "sum", "mean": "mean", "average": "mean"}
MEASURES |= {"avg": "mean", "min": "min", "max": "max", "distinct": "distinct"}


def read_measure(text: str, field: str) -> tuple[str, str, str]:
    """Return (what, column, its name in the answer) of a measure. Raises TogetherError
    that names the field."""
    what, column = _split_measure(text.strip())
    column = column.strip().removeprefix("of ").strip()
    column = "" if column == "*" else column
    what = MEASURES.get(what.lower(), "")
    if not what or (not column and what != "count"):
        known = ", ".join(dict.fromkeys(MEASURES.values()))
        raise TogetherError.refused(field, f"must be one of {known}, and a column")
    return what, column, f"{what} {column}".strip()


def _split_measure(text: str) -> tuple[str, str]:
    """Return (what, column) of `sum amount` or `sum(amount)`; the brackets of `sum price
    (EUR)` and `sum (net) price (EUR)` are the column's."""
    what, _, column = text.partition("(")
    column = column.removesuffix(")")
    opens, closes = column.find("("), column.find(")")
    around = closes < 0 or 0 <= opens < closes
    if text.endswith(")") and what.strip().isalpha() and around:
        return what.strip(), column
    what, _, column = text.partition(" ")
    return what, column


def measured_groups(
    rows: Iterable[Members], query: Query, notes: list[str]
) -> list[Members]:
    """Return a row for each group of rows: its values in the columns that are grouped
    by, and its measures. Adds sentences to `notes`; raises TogetherError for too many
    groups, or values to count."""
    groups: dict[tuple[str, ...], list[_Measure]] = {}
    counted = [0]  # values that are kept for `distinct`, of all groups together
    for row in rows:
        key = tuple(_as_value(find(row, name)) for name in query.groups)
        measures = groups.get(key)
        if measures is None:
            if len(groups) >= GROUPS:
                problem = f"make more than {GROUPS} groups: take coarser columns"
                raise TogetherError.refused("group_by", problem)
            measures = groups[key] = _measures_of_group(query, counted)
        for one, (_, column, _) in zip(measures, query.measures, strict=True):
            one.add(find(row, column) if column else row)
    if not groups and not query.groups:
        groups[()] = _measures_of_group(query, counted)
    notes += _left_out(query, [*groups.values()])
    for place, name in enumerate(query.groups):
        notes += _equal_groups(name, dict.fromkeys(key[place] for key in groups))
    names = [name for _, _, name in query.measures]
    return [
        dict(zip(query.groups, key, strict=True))
        | {n: one.value() for n, one in zip(names, measures, strict=True)}
        for key, measures in groups.items()
    ]


def _measures_of_group(query: Query, counted: list[int]) -> list[_Measure]:
    return [
        _Measure(what, query.format_of(column), counted)
        for what, column, _ in query.measures
    ]


def _as_value(cell: Json) -> str:
    """Return the text by which values are told apart in groups and by `distinct`. Blanks
    around it are no difference, nor is 1.0 as a number of JSON to 1. In texts it is one:
    1.1 and 1.10 may be versions."""
    if cell.__class__ is float and cell.is_integer() and abs(cell) <= SAFE:
        return str(int(cell))
    return text_of(cell).strip()


def _left_out(query: Query, groups: list[list[_Measure]]) -> Iterator[str]:
    """Yield a sentence for each measure that left cells out."""
    for number, (what, column, _) in enumerate(query.measures):
        by_group = [measures[number].kinds for measures in groups]
        kinds = [sum(counts) for counts in zip(*by_group, [0] * 4, strict=True)]
        if what in ("sum", "mean") and kinds[TEXT]:
            words = f"{kinds[TEXT]} cells of {column} are no numbers"
        else:
            words = other_kinds(kinds, column)
        if words:
            yield f"{words} and are left out."


def _equal_groups(column: str, texts: Iterable[str]) -> Iterator[str]:
    """Yield a sentence where groups are equal as numbers or dates, but not as texts."""
    known: dict[object, str] = {}
    for text in texts:
        value = _value_of(text)
        other = known.setdefault(value, text)
        if value is not None and other != text:
            yield (
                f"{column} has {other} and {text}: they are groups of their own, "
                "though equal as numbers or dates."
            )
            return


def _value_of(text: str) -> tuple[str, Exact] | None:
    """Return (unit, the number or date) that a text is in any way of writing, else
    None."""
    if not may_be_value(text):
        return None
    numbers = {*numbers_by_sign(text).values()}
    moments = {*moments_by_order(text).values()}
    parts = unit_and_digits(text) if numbers else None
    values = numbers or moments
    return (parts[0] if parts else "date", values.pop()) if len(values) == 1 else None


_EXACT_SUMS = Context(prec=100)  # digits up to which what is added stays exact


class _Measure:
    """One measure of a group."""

    def __init__(
        self, what: str, column_format: ColumnFormat, counted: list[int]
    ) -> None:
        self.what, self.column_format, self.counted = what, column_format, counted
        self.count = 0
        self.kinds = [0] * 4  # how many cells of each kind were added
        self.total: Exact = 0
        # The least or largest cell, as a sort has them: its kind, what it is sorted by
        # among these, and what the answer has of it.
        self.best: tuple[int, Json, Json] | None = None
        self.seen: set[str] = set()

    def add(self, cell: Json) -> None:
        """Add a cell of a row of the group. Raises TogetherError."""
        if is_blank(cell):
            return
        if self.what == "count":
            self.count += 1
        elif self.what == "distinct":
            self.count_value(_as_value(cell))
        elif self.what in ("sum", "mean"):
            value = self.column_format.number(cell)
            self.kinds[TEXT if value is None else NUMBER] += 1
            if value is not None:
                self.total = _EXACT_SUMS.add(self.total, value)
        else:
            kind, value = self.column_format.read(cell)
            self.kinds[kind] += 1
            key = sort_key(kind, value)
            if self.best is None or self._is_better(kind, key):
                shown = as_json(value) if kind == NUMBER else text_of(cell)
                self.best = kind, key, shown

    def count_value(self, text: str) -> None:
        """Take note of a value. Raises TogetherError for too many."""
        if text not in self.seen:
            self.counted[0] += 1
            if self.counted[0] > DISTINCT:
                problem = f"distinct has more than {DISTINCT} values to count"
                raise TogetherError.refused("measures", problem)
            self.seen.add(text)

    def _is_better(self, kind: int, key: Json) -> bool:
        best, known, _ = self.best or (BLANK, None, None)
        if kind != best:
            return kind < best  # a number goes before a text
        return key < known if self.what == "min" else key > known

    def value(self) -> Json:
        """Return what the measure comes to, None for the mean or so of nothing."""
        if self.what == "count":
            return self.count
        if self.what == "distinct":
            return len(self.seen)
        if self.what in ("min", "max"):
            return self.best[2] if self.best else None
        if self.what == "mean":
            count = self.kinds[NUMBER]
            return rounded(_EXACT_SUMS.divide(self.total, count)) if count else None
        return rounded(self.total)


def other_kinds(kinds: list[int], column: str) -> str:
    """Say, by how many cells of a column are of each kind, how many are not of its main
    kind; "" where all are."""
    kind = NUMBER if kinds[NUMBER] else MOMENT
    count = kinds[TEXT] + (kinds[MOMENT] if kind == NUMBER else 0)
    if not kinds[kind] or not count:
        return ""
    return f"{count} cells of {column} are no {KINDS[kind]}"
