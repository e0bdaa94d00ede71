"""Rows in: those of a list, or of a file (scripts/table_files), read one at a time.

A row is an object whose members are the columns; a text alone stands for {"text": it}.
What a result cannot hold (NaN, NUL, half a character) is replaced as in an answer of
the API, and a whole number beyond 2^53 becomes text.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from itertools import chain, islice

from ..client import TogetherError
from ..client.job import log
from ..client.jsonio import (
    MOST_NESTING,
    encoder,
    mended,
    noting_decoder,
)
from ..client.references import SAFE
from .row import Flaw, filled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..shapes import Auth, Json, Members, Problem
    from .row import Row

AHEAD = 100  # rows that are looked at before anything is sent


class Table:
    """The rows of a step's argument; iterate over it once, for objects and Flaws.

    auth is the resource. value is a list of rows, or a file in any of the ways that
    scripts/transfer/file_input.py knows: JSON Lines, a JSON array, CSV whose first line
    names the columns, or the first sheet of an Excel workbook. `total` is the number of
    rows where that is known before they are read, `first` are the first of them. Raises
    TogetherError when there is no row, and while iterating when the file cannot be
    read.
    """

    def __init__(self, auth: Auth, value: Json, field: str = "rows") -> None:
        self.auth = auth
        self.field = field
        self.total: int | None = None
        self.read = 0
        self.size: int | None = None  # bytes of the file, where known
        self.position = 0
        self.new: tuple[str, ...] = ()  # columns that answers go to
        self.told: set[str] = set()
        self.lost: list[object] = []  # what the decoder met that is no JSON
        self.decode = noting_decoder(self.lost)
        # Of which table this is a part, as files/split_table said; else None.
        self.part: Members | None = _part_of(value, field)
        if isinstance(value, dict) and value.get("rows"):
            value = value["rows"]
        if isinstance(value, list) and not (value and _is_file(value)):
            self.total = len(value)
            found: Iterator[Row] = (
                self.row(row, f"row {n}") for n, row in enumerate(value, 1)
            )
        else:
            found = self.parse(value)
        self.first = list(islice(found, AHEAD))
        if not self.first:
            raise TogetherError.refused(field, "holds no row")
        last = self.first[-1]
        if not _is(last) and last.last and not self.part:
            raise TogetherError.refused(field, f"cannot be read: {last.why}")
        if self.part:
            self.total = self.part["rows"]
        elif len(self.first) < AHEAD and self.total is None:
            self.total = len(self.first)
        self.rows = chain(self.first, found)

    def __iter__(self) -> Iterator[Row]:
        for row in self.rows:
            self.read += 1
            yield row

    def share(self, done: int) -> float | None:
        """Return which part of all rows `done` rows are, 0 to 1, or None."""
        if self.total:
            return done / self.total
        if self.size and self.read:
            return min(1.0, self.position / self.size) * done / self.read
        return None

    def require(self, columns: Iterable[str], field: str) -> None:
        """Raise TogetherError unless each column is in one of the first rows. For a
        part this was checked before the table was split."""
        if self.part:
            return
        if not any(map(_is, self.first)):
            raise self.refused(f"cannot be read: {self.first[0].why}")
        known = dict.fromkeys(chain.from_iterable(r for r in self.first if _is(r)))
        problems: list[Problem] = [
            {"field": field, "problem": _unnamed(name, known)}
            for name in columns
            if not any(_is(r) and _look(r, name) is not _NONE for r in self.first)
        ]
        if problems:
            listed = "; ".join(f"{p['field']} {p['problem']}" for p in problems)
            names = ", ".join(map(_shown, list(known)[:30])) or "none"
            raise TogetherError.refused_all(
                problems,
                f"{listed}. The columns are: {names}",
                advice="Correct the names of the columns and run the step again.",
            )

    def keep_free(
        self, column: str, reserved: Iterable[str] = (), field: str = "answer_column"
    ) -> None:
        """Raise TogetherError where answers in this column would overwrite something.

        It and the one that says why there is no answer must be new; `reserved` are
        names that the step itself gives. Rows after the first ones are looked at as
        they come: see `taken`.
        """
        self.new = (column, error_column(column))
        if not column.strip():
            raise self.not_free("which is blank", field)
        if column in reserved:
            raise self.not_free("which the step itself fills", field)
        for row in () if self.part else self.first:
            if own := self.taken(row):
                raise self.not_free(
                    f"but the rows have a column {own!r} already", field
                )

    def not_free(self, why: str, field: str = "answer_column") -> TogetherError:
        """Return the error for an answer column that is taken."""
        problem = f"is {self.new[0]!r}, {why}"
        return TogetherError.refused_all(
            [{"field": field, "problem": problem}],
            f"Answer column ({field}) {problem}",
            advice="Choose another name for the column of the answers.",
        )

    def taken(self, row: Row) -> str | None:
        """Return the column of a row that its answer would overwrite, or None."""
        if row.__class__ is not Flaw:
            for name in self.new:
                if name in row:
                    return name
        return None

    def parse(self, value: Json) -> Iterator[Row]:
        """Return the rows of a file."""
        from ..table_files.table_file import rows_of  # only where a file is given

        return rows_of(self, value)

    def sound(self) -> Iterator[Members]:
        """Yield the rows. Raises TogetherError where one cannot be read."""
        for row in self:
            if isinstance(row, Flaw):
                raise self.refused(f"cannot be read: {row.why}")
            yield row

    def refused(self, problem: str) -> TogetherError:
        return TogetherError.refused(self.field, problem)

    def say(self, text: str) -> None:
        """Write to the log, once."""
        if text not in self.told:
            self.told.add(text)
            log(f"{self.field}: {text}")

    def row(self, value: Json, where: str) -> Row:
        """Return a value as a row that a result can hold, or a Flaw."""
        try:
            if not _sound(value):
                lost = self.lost
                value = mended(self.decode.decode(json.dumps(value)), lost)
                if lost:
                    lost.clear()
                    self.say(LOST)
        except RecursionError:
            return Flaw(f"{where} is nested more than {MOST_NESTING} deep")
        return self.rowed(value, where)

    def rowed(self, value: Json, where: str) -> Row:
        if isinstance(value, dict):
            return value
        if isinstance(value, str):
            return {"text": value}
        return Flaw(f"{where} is no object")


class BlankRowError(Exception):
    """There is nothing in a row to ask about; str() says why."""


class Template:
    """A text with {{column}} where a row's value goes."""

    def __init__(self, text: str, field: str = "template") -> None:
        self.texts, self.columns = [""], []
        # Texts and names by turns.
        for number, part in enumerate(re.split(r"{{([^{}]+)}}", text)):
            if number % 2 and part.strip():
                self.columns.append(part.strip())
                self.texts.append("")
            else:
                self.texts[-1] += f"{{{{{part}}}}}" if number % 2 else part
        if not self.columns:
            raise TogetherError.refused(
                field, "names no column: write {{column}} where a row's value goes"
            )

    def fill(self, row: Members) -> str:
        """Return the text for a row. Raises KeyError with a column that it lacks, and
        BlankRowError where all that the template names are blank."""
        parts = [self.texts[0]]
        blank = True
        for name, text in zip(self.columns, self.texts[1:], strict=True):
            value = _look(row, name)
            if value is _NONE:
                raise KeyError(name)
            blank = blank and not filled(value)
            if value is None:
                value = ""
            elif value.__class__ is not str:
                value = json.dumps(value, ensure_ascii=False)
            parts += value, text
        if blank:
            raise BlankRowError(nothing_in(self.columns))
        return "".join(parts)


def nothing_in(columns: Iterable[str]) -> str:
    """Say of a row that it is blank where something is asked about it."""
    names = ", ".join(map(repr, dict.fromkeys(columns)))
    return f"not asked: the row is blank in {names}"


def lines_of(blocks: Iterable[bytes | memoryview]) -> Iterator[bytes]:
    """Yield the lines of some blocks of bytes, each with its end."""
    rest: list[bytes] = []
    for block in blocks:
        first, *more = bytes(block).split(b"\n")
        rest.append(first)
        if more:
            yield b"".join(rest) + b"\n"
            rest = [more.pop()]
            for line in more:
                yield line + b"\n"
    if last := b"".join(rest):
        yield last


def broken_table(error: TogetherError) -> TogetherError:
    """Return the error for a table that cannot be read on, once something was sent for
    or beside it; `error` is what reading it raised."""
    found = error.problems or ()
    why = "; ".join(f"{one['field']} {one['problem']}" for one in found) or str(error)
    return TogetherError(
        f"The table breaks off, which was noticed after something was sent: {why}",
        type="broken_table",
        may_be_paid=True,
        advice="Mend the table and run the step again. What there is of the result is in "
        "the error's `partial`.",
    )


def error_column(column: str) -> str:
    """Return the column that says why a row has nothing in its answer column."""
    return f"{column}_error"


def summary(lines: list[str]) -> Members:
    """Return the members by which Windmill shows a short text above a result."""
    return {"wm_renderer": "markdown", "markdown": "\n".join(lines)}


def digest(row: Row) -> str:
    """Return 16 hexadecimal digits that stand for a row, or another JSON value."""
    return hashlib.sha256(canonical(row)).hexdigest()[:16]


_sorted = encoder(sort_keys=True)


def canonical(row: Row) -> bytes:
    """Return a row as the same bytes whatever the order of its columns."""
    value = row.why if isinstance(row, Flaw) else row
    return _sorted(value).encode("utf-8", "surrogatepass")


def find(row: Members, name: str) -> Json:
    """Return a column's value, or that of a member of a member named a.b; or None."""
    value = _look(row, name)
    return None if value is _NONE else value


_NONE = object()


def _look(row: Members, name: str) -> Json:
    """Return what find does, but _NONE where there is no such column."""
    if name in row:
        return row[name]
    found: Json = row
    for part in name.split("."):
        if not isinstance(found, dict) or part not in found:
            break
        found = found[part]
    else:
        return found
    for key in row:
        if key.strip() == name:
            return row[key]
    if not name.isascii():
        from unicodedata import normalize  # a Mac writes letters and accents apart

        same = normalize("NFC", name)
        for key in row:
            if not key.isascii() and normalize("NFC", key.strip()) == same:
                return row[key]
    return _NONE


def _unnamed(name: str, known: Iterable[object]) -> str:
    """Say of a column that there is none, and which one may be meant."""
    from ..resilience.fields import like  # only when something failed

    near = "".join(f" (is {one!r} meant?)" for one in like(name, map(str, known)))
    return f"names the column {name!r}, which no row has{near}"


def _is(row: object) -> bool:
    return row.__class__ is not Flaw


def _shown(name: object) -> str:
    """Return a column's name; in quotes where it would not be seen as it is."""
    name = str(name)
    return name if name == name.strip() != "" else repr(name)


LOST = "what no result can hold (NaN, Infinity, NUL, half of a character) was replaced"
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def _sound(value: Json, depth: int = 0) -> bool:
    """Say whether a value holds nothing but what a result can. Raises RecursionError
    for one that is nested deeper than that."""
    if depth > MOST_NESTING:
        raise RecursionError
    kind = value.__class__
    if kind is str:
        if value.isascii():
            return "\x00" not in value
        return _UNSTORABLE.search(value) is None
    if kind is float:
        return math.isfinite(value)
    if kind is int:
        return -SAFE <= value <= SAFE
    if kind is list:
        if set(map(type, value)) == {float} and math.isfinite(sum(value)):
            return True
        return all(_sound(item, depth + 1) for item in value)
    if kind is dict:
        members = all(_sound(item, depth + 1) for item in value.values())
        return members and all(map(_sound, value))
    return True


def _part_of(value: Json, field: str) -> Members | None:
    """Return which part of a table a value is, as files/split_table tells it, or None
    for a whole one. Raises TogetherError for what no such step said."""
    part = value.get("part") if isinstance(value, dict) else None
    if part is None:
        return None
    from ..table_files.part import checked  # only within a flow that splits a table

    return checked(part, field)


def _is_file(rows: list[Json]) -> bool:
    """Say whether a list is in fact a file, or several."""
    if not isinstance(rows[0], dict) or "s3" not in rows[0]:
        return False
    from ..transfer.file_input import are_files  # only where a file is given

    return are_files(rows)
