"""What the columns of a table hold, in a line for each."""

from __future__ import annotations

from .cells import BLANK, NUMBER, text_of
from .column_format import COLUMNS, first_columns
from .number_texts import as_json
from .query import Query, matching_rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shapes import Json, Members
    from ..table.table import Table
    from .column_format import ColumnFormat
    from .number_texts import Exact


def describe(table: Table, most: int) -> Members:
    """Return what `ask` does, of the first rows, with a line for each column."""
    counts = {"read": 0, "matched": 0, "unreadable": 0}
    query = Query()
    query.look(table, first_columns(table.first))
    columns: dict[str, _ColumnSummary] = {}
    first: list[Members] = []
    for row in matching_rows(table, query, counts):
        if len(first) < most:
            first.append(row)
        for name, cell in row.items():
            if name in columns or len(columns) < COLUMNS:
                if name not in columns:
                    columns[name] = _ColumnSummary(query.format_of(name))
                columns[name].add(cell)
    words = [f"{n}: {c.line(counts['matched'])}" for n, c in columns.items()]
    return {"rows": first, "found": counts["matched"], **counts, "words": words}


class _ColumnSummary:
    """What one column holds."""

    def __init__(self, column_format: ColumnFormat) -> None:
        self.column_format = column_format
        self.filled = self.numbers = 0
        self.least: Exact = 0
        self.most: Exact = 0
        self.texts: list[str] = []

    def add(self, cell: Json) -> None:
        kind, value = self.column_format.read(cell)
        if kind == BLANK:
            return
        self.filled += 1
        if kind == NUMBER:
            self.least = min(self.least, value) if self.numbers else value
            self.most = max(self.most, value) if self.numbers else value
            self.numbers += 1
        if len(self.texts) < 5:
            text = text_of(cell)[:40]
            if text not in self.texts:
                self.texts.append(text)

    def line(self, rows: int) -> str:
        """Say what the column holds, in a table of so many rows."""
        words = f"such as {', '.join(self.texts)}" if self.texts else "blank"
        if self.filled and self.numbers == self.filled:
            words = f"numbers from {as_json(self.least)} to {as_json(self.most)}"
        elif self.numbers:
            words += f"; {self.numbers} of {self.filled} are numbers"
        blank = rows - self.filled
        words = f"{words}; {blank} blank" if blank and self.filled else words
        return "; ".join([words, *self.column_format.notes()])
