"""A question to a table, and its answer: rows that match, or measures of groups."""

from __future__ import annotations

import heapq
import json
import tempfile

from ..client import TogetherError
from ..table.table import AHEAD, Flaw, find
from .cells import sort_key
from .column_format import ColumnFormat, decimal_sign_of
from .conditions import read_condition
from .measures import measured_groups, other_kinds, read_measure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import IO

    from ..shapes import Json, Members
    from ..table.table import Table

HELD_CHARACTERS = 256 << 20  # of rows that wait until a column shows how it writes
HELD_IN_MEMORY = 1 << 20  # characters of them that are not on disk


class Query:
    """What is asked of a table.

    where     conditions, all of which a row must meet: `amount >= 100`, `city = Rome`,
              `name contains ltd`, `note is blank`
    groups    columns; the answer then has the measures for each of their values
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
            read_condition(text, f"where[{n}]") for n, text in enumerate(where)
        ]
        self.groups = [name.strip() for name in groups]
        self.measures = [
            read_measure(m, f"measures[{n}]") for n, m in enumerate(measures)
        ]
        if self.groups and not self.measures:
            self.measures = [("count", "", "count")]
        self.measures = [
            (what, column, _other_than(self.groups, name))
            for what, column, name in self.measures
        ]
        self.columns = [name.strip() for name in columns]
        self.order, self.down = _read_order((order or "").strip(), self.names())
        # Of the columns whose cells are compared or added, by name.
        self.formats: dict[str, ColumnFormat] = {}
        # Those of them that do not know yet how they write numbers and dates.
        self.unsettled: list[tuple[str, ColumnFormat]] = []
        self.waits = False  # whether what some cells mean is not clear yet
        self.seen = 0  # rows that were looked at before the rest

    def names(self) -> list[str]:
        """Return the columns of the answer where something is measured."""
        return [*self.groups, *(name for _, _, name in self.measures)]

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
            if self.order not in self.names():
                problem = f"must be one of {', '.join(self.names())}"
                raise TogetherError.refused("sort", problem)
        elif self.order:
            table.require([self.order], "sort")
        self.look(table, self.read_columns())

    def read_columns(self) -> list[str]:
        """Return the columns whose cells are compared or added."""
        names = [one.column for one in self.where if one.compares]
        names += [
            c for what, c, _ in self.measures if what not in ("count", "distinct")
        ]
        if self.order and (self.order in self.groups or not self.measures):
            names.append(self.order)
        return list(dict.fromkeys(names))

    def look(self, table: Table, columns: list[str]) -> None:
        """See in the first rows how columns write what they hold."""
        rows = [row for row in table.first if not isinstance(row, Flaw)]
        elsewhere = decimal_sign_of(rows) if columns else ""
        self.formats = {name: ColumnFormat(elsewhere) for name in columns}
        self.seen = len(rows)
        for name, column in self.formats.items():
            for row in rows:
                column.see(find(row, name))
        for one in self.where:
            if one.compares:
                self.formats[one.column].ask(one.value)
        for column in self.formats.values():
            column.begin()
        self.settle(end=len(table.first) < AHEAD)

    def see(self, row: Members) -> None:
        """Learn from a row behind the first ones."""
        learned = [column.see(find(row, name)) for name, column in self.unsettled]
        if any(learned):
            self.settle()

    def settle(self, end: bool = False) -> None:
        """Decide by what was seen how columns write, at the end in any case."""
        for column in self.formats.values():
            column.settle(end)
        self.unsettled = [
            (n, one) for n, one in self.formats.items() if not one.settled
        ]
        self.waits = any(column.waits for _, column in self.unsettled)

    def format_of(self, column: str) -> ColumnFormat:
        """Return how a column writes what it holds."""
        found = self.formats.get(column)
        if found is None:
            found = self.formats[column] = ColumnFormat()
            found.settle(True)
        return found

    def format_of_order(self) -> ColumnFormat:
        """Return how the column is written by which the answer is sorted."""
        for _, column, name in self.measures:
            if name == self.order:
                return self.format_of(column).apart_from_cells()
        return self.format_of(self.order)

    def notes(self, counts: Members) -> Iterator[str]:
        """Yield sentences about how columns were read, of so many rows."""
        left = counts["read"] - counts["unreadable"] - counts["matched"]
        for name, column in self.formats.items():
            for words in column.notes():
                yield f"{name} {words}".removesuffix(".") + "."
        for one in self.where:
            yield from one.notes(bool(left and counts["matched"]))
        for what, measured, name in self.measures:
            usual = f"{what} {measured}".strip()
            if name != usual:
                yield f"{name} is the measure {usual}, as a column is called so."


def _other_than(columns: list[str], name: str) -> str:
    """Return a measure's name in the answer, with a number behind it where one of the
    columns by which is grouped has it already."""
    made, number = name, 1
    while made in columns:
        number += 1
        made = f"{name}_{number}"
    return made


def _read_order(text: str, names: list[str]) -> tuple[str, bool]:
    """Return (column, whether the largest comes first) of an order that is written as
    text. A column may itself be called desc, and one of the `names` of an answer may
    end so."""
    column, _, way = text.rpartition(" ")
    if text in names or not column or way.lower() not in ("asc", "desc"):
        return text, False
    return column.strip(), way.lower() == "desc"


def ask(table: Table, query: Query, most: int) -> Members:
    """Return {"rows": at most `most`, "read", "matched", "found": of these rows how
    many there are, "unreadable": rows, "words": sentences about how it was read}.

    Raises TogetherError for too many groups, and where the table cannot be read.
    """
    query.check(table)
    counts = {"read": 0, "matched": 0, "unreadable": 0}
    rows = matching_rows(table, query, counts)
    notes: list[str] = []
    if query.measures:
        groups = measured_groups(rows, query, notes)
        found, shown = len(groups), _first_in_order(groups, query, most, notes)
    else:
        first = _first_in_order(rows, query, most, notes)
        found = counts["matched"]
        shown = [_only_columns(row, query.columns) for row in first]
    notes += query.notes(counts)
    words = list(dict.fromkeys(notes))
    return {"rows": shown, "found": found, **counts, "words": words}


def matching_rows(table: Table, query: Query, counts: Members) -> Iterator[Members]:
    """Yield the rows that meet all conditions; `counts` are raised on the way."""
    for row in _rows_once_clear(_readable_rows(table, counts), query):
        for one in query.where:
            if not one.meets(find(row, one.column), query.format_of(one.column)):
                break
        else:
            counts["matched"] += 1
            yield row


def _readable_rows(table: Table, counts: Members) -> Iterator[Members]:
    for row in table:
        counts["read"] += 1
        if isinstance(row, Flaw):
            counts["unreadable"] += 1
        else:
            yield row


def _rows_once_clear(rows: Iterable[Members], query: Query) -> Iterator[Members]:
    """Yield rows once it is clear what their cells mean. Until a later one shows how a
    column writes its numbers or dates, they wait on disk."""
    with tempfile.SpooledTemporaryFile(HELD_IN_MEMORY, "w+", encoding="ascii") as file:
        held = 0
        for number, row in enumerate(rows):
            if number >= query.seen and query.unsettled:
                query.see(row)
            if query.waits and held < HELD_CHARACTERS:
                line = json.dumps(row)
                file.write(f"{line}\n")
                held += len(line)
                continue
            if query.waits:  # no more rows can wait
                query.settle(end=True)
            if held:
                yield from _rows_written_to(file)
                held = 0
            yield row
        query.settle(end=True)
        yield from _rows_written_to(file) if held else ()


def _rows_written_to(file: IO[str]) -> Iterator[Members]:
    """Yield the rows that were written to a file, and make it empty."""
    file.seek(0)
    for line in file:
        yield json.loads(line)
    file.seek(0)
    file.truncate()


def _first_in_order(
    rows: Iterable[Members], query: Query, most: int, notes: list[str]
) -> list[Members]:
    """Return the first rows in the order that is asked, holding no more than these."""
    if not query.order:
        first: list[Members] = []
        for row in rows:  # all of them, which are counted on the way
            if len(first) < most:
                first.append(row)
        return first
    pick = heapq.nlargest if query.down else heapq.nsmallest
    kinds = [0] * 4
    column_format = query.format_of_order()

    def place(row: Members) -> tuple[int, Json]:
        kind, value = column_format.read(find(row, query.order))
        kinds[kind] += 1
        # Blank cells come last in either order, numbers before texts.
        rank = -kind if query.down else kind
        return rank, sort_key(kind, value)

    found = pick(most, rows, key=place)
    if query.order in query.formats:
        words = other_kinds(kinds, query.order)
        notes += [f"{words} and come behind them."] if words else []
    return found


def _only_columns(row: Members, columns: list[str]) -> Members:
    return {name: find(row, name) for name in columns} if columns else row
