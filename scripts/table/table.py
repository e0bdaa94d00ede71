"""Rows in: a list, JSON Lines, a JSON array, CSV or an Excel workbook, read one row at
a time.

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
    is_suspect,
    is_too_deep,
    mended,
    noting_decoder,
)
from ..client.references import SAFE
from .csv_rows import csv_records
from .encodings import BadTextError, texts
from .header import ABOVE, Header
from .json_rows import (
    JsonText,
    begins_with_object,
    gathered_lines,
    holds_rows,
    is_array,
    is_json,
    json_value,
    list_within,
)
from .row import ROW_CHARACTERS, Flaw, filled, too_long_row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..shapes import Auth, Json, Members, Problem
    from .row import Record, Refused, Row

AHEAD = 100  # rows that are looked at before anything is sent
NO_TABLES = (
    (b"\xd0\xcf\x11\xe0", "an old Excel file (.xls), or protected: save it as .xlsx"),
    (b"%PDF", "a PDF and no table: give CSV, .xlsx or JSON Lines"),
    (b"{\\rtf", "an RTF file and no table: give CSV, .xlsx or JSON Lines"),
    (b"PAR1", "a Parquet file: make rows of it with files/read_parquet"),
)
GZIP = b"\x1f\x8b"
PAGE = re.compile(
    r"<(?:!doctype|html|head|body|meta|style|table|\?xml|rss|svg)\b", re.IGNORECASE
)


def _head(blocks: Iterator[bytes | memoryview]) -> bytes:
    """Return at least the first eight bytes, where there are so many."""
    head = b""
    for block in blocks:
        head += bytes(block)
        if len(head) >= 8:
            break
    return head


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

    # --- files ---------------------------------------------------------------------

    def parse(self, value: Json) -> Iterator[Row]:
        """Yield the rows of a file."""
        from ..transfer.file_input import open_file  # only where a file is given

        if isinstance(value, str) and _is_written(value):
            value = {"text": value}
        source = open_file(value, self.field, self.auth)
        name, self.size = source.name, source.length
        blocks = source.blocks()
        if self.part:
            from .part import blocks_of  # only within a flow that splits a table

            blocks = blocks_of(source, self.part, self.field)
            self.size = self.part["head"] + self.part["end"] - self.part["start"]
        head = _head(blocks)
        blocks = self.counted(chain([head], blocks))
        if head.startswith(GZIP):
            from .gzipped import unpacked  # only for a table that is compressed

            name = name and name.removesuffix(".gz")
            blocks = unpacked(blocks, self.refused)
            head = _head(blocks)
            blocks = chain([head], blocks)
        for mark, what in NO_TABLES:
            if head.startswith(mark):
                raise self.refused(f"is {what}")
        if head.startswith(b"PK\x03\x04"):
            from ..documents.workbook import records  # only where such a file is given

            yield from self.tabled(records(blocks, self.field, self.say))
        else:
            yield from self.written(name, self.decoded(blocks))

    def written(self, name: str | None, blocks: Iterable[str]) -> Iterator[Row]:
        """Yield the rows of text."""
        head = ""
        for block in blocks:
            head = block.lstrip()[:1024]
            if head:
                break
        else:
            nothing = "holds no row" if self.position else "is empty: it has 0 bytes"
            raise self.refused(nothing)
        if PAGE.match(head) and self.part is None:
            raise self.refused("is a web page or XML and no table: give CSV or .xlsx")
        blocks = chain([block], blocks)
        whole = self.part is None  # a part holds lines
        if whole and head.startswith("[") and is_array(name, head):
            yield from self.array(blocks)
            return
        start = self.part["line"] if self.part else 1
        lines: Iterator[tuple[int, str]] = enumerate(
            _lines(blocks, self.refused), start
        )
        first = next((n, line) for n, line in lines if line.strip())
        second = next(lines, None)
        if whole and second and _is_drawn(first[1], second[1]):
            problem = "is a table in Markdown, or one drawn with lines"
            raise self.refused(f"{problem}: give CSV or JSON Lines")
        lines = chain([first], [second] if second else (), lines)
        if is_json(name, first[1]) if self.part is None else not self.part["csv"]:
            yield from self.json_lines(lines)
        else:
            form = self.part["csv"] if self.part else None
            yield from self.tabled(csv_records(lines, self.refused, form))

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

    def counted(
        self, blocks: Iterable[bytes | memoryview]
    ) -> Iterator[bytes | memoryview]:
        for block in blocks:
            self.position += len(block)
            yield block

    def decoded(self, blocks: Iterable[bytes | memoryview]) -> Iterator[str]:
        """Yield the text of bytes, without NUL, which no result can hold."""
        try:
            for text in texts(blocks, lambda name: self.say(f"read as {name}")):
                if "\x00" in text:
                    self.say(LOST)
                    text = text.replace("\x00", "\ufffd")
                if "\ufeff" in text:  # of a file that was put behind another
                    text = text.replace("\n\ufeff", "\n").replace("\r\ufeff", "\r")
                if text:
                    yield text
        except BadTextError as error:
            raise self.refused(str(error)) from None

    # --- JSON ----------------------------------------------------------------------

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

    def decoded_row(self, value: Json, text: str, where: str) -> Row:
        """Return the value that a JSON text was read as, as a row."""
        if self.lost:
            self.lost.clear()
            self.say(LOST)
        if is_too_deep(value, text):
            return Flaw(f"{where} is nested more than {MOST_NESTING} deep")
        return (self.row if is_suspect(text) else self.rowed)(value, where)

    def json_lines(self, lines: Iterator[tuple[int, str]]) -> Iterator[Row]:
        number, line = next(lines)
        lines = chain([(number, line)], lines)
        whole = self.part is None
        if (
            whole
            and json_value(self.decode, line) is None
            and not line.rstrip().endswith("}")
        ):
            # An object over several lines is one row, or holds them.
            gathered, text = gathered_lines(lines)
            if isinstance(json_value(self.decode, text), dict):
                gathered = [(gathered[0][0], text)]
            elif begins_with_object(self.decode, text):
                yield from self.objects(chain([text], (line for _, line in lines)))
                return
            lines = chain(gathered, lines)
        rows = 0
        held = None  # the first row, until it is known whether it is the only one
        for number, line in lines:
            if not line.strip():
                continue
            if held is not None:
                yield held
                held = None
            rows += 1
            row = json_value(self.decode, line)
            if row is None:
                yield Flaw(f"line {number} is not JSON")
                continue
            row = self.decoded_row(row, line, f"line {number}")
            if rows == 1 and whole:
                held = row
            else:
                yield row
        if held is None:
            return
        if holds_rows(held):
            (found,) = held.values()
            self.total = len(found)
            yield from (self.row(row, f"row {n}") for n, row in enumerate(found, 1))
            return
        if (name := list_within(held)) is not None:
            self.say(f"read as one row; for a row each, give its list {name!r} alone")
        yield held

    def objects(self, blocks: Iterable[str]) -> Iterator[Row]:
        """Yield objects that follow one another over several lines, as jq writes them,
        or with a comma behind each."""
        text = JsonText(blocks, self.refused)
        number = 0
        while text.sign():
            number += 1
            item, written = text.item(self.decode, number)
            yield self.decoded_row(item, written, f"row {number}")
            text.place += text.sign() == ","

    def array(self, blocks: Iterable[str]) -> Iterator[Row]:
        """Yield the items of a JSON array, of which no more than one is held."""
        text = JsonText(blocks, self.refused)
        text.sign()
        text.place += 1
        number = 0
        closed = text.sign() == "]"
        while not closed:
            number += 1
            item, written = text.item(self.decode, number)
            yield self.decoded_row(item, written, f"row {number}")
            sign = text.sign()
            if sign not in ("]", ","):
                problem = f"{sign!r} behind row {number}" if sign else "it is cut off"
                raise self.refused(f"is not JSON: {problem}")
            closed = sign == "]"
            text.place += not closed
        text.place += 1
        if text.sign():
            raise self.refused("is not JSON: there is more behind its list of rows")

    # --- cells ---------------------------------------------------------------------

    def tabled(self, records: Iterable[Record]) -> Iterator[Row]:
        """Yield the rows of records: (line, cells) or Flaws; the first that is not
        blank names the columns."""
        head: Header | None = None
        rows = 0
        for record in records:
            if not _is(record):
                if head is None:
                    raise self.refused(f"cannot be read: {record.why}")
                yield record
                continue
            line, cells = record
            if not any(map(filled, cells)):
                continue
            if head is None:
                head = Header(line, cells)
                continue
            if not (rows or self.part) and head.is_title(cells):
                raise self.refused(f"line {head.line} has one cell: {ABOVE}")
            rows += 1
            yield head.row(line, cells)


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
    found = row
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


def _is_written(text: str) -> bool:
    """Say whether a text is a table itself, and no base64, address or the like."""
    if re.match(r"\s*(data:|s3://|https?://)", text[:1024], re.IGNORECASE):
        return False
    return "\n" in text or text.lstrip()[:1] in ("{", "[")


def _part_of(value: Json, field: str) -> Members | None:
    """Return which part of a table a value is, as files/split_table tells it, or None
    for a whole one. Raises TogetherError for what no such step said."""
    part = value.get("part") if isinstance(value, dict) else None
    if part is None:
        return None
    from .part import checked  # only within a flow that splits a table

    return checked(part, field)


def _is_file(rows: list[Json]) -> bool:
    """Say whether a list is in fact a file, or several."""
    if not isinstance(rows[0], dict) or "s3" not in rows[0]:
        return False
    from ..transfer.file_input import are_files  # only where a file is given

    return are_files(rows)


def _is_drawn(first: str, second: str) -> bool:
    """Say whether lines begin a table in Markdown, or one as databases print it."""
    rule, names = (first, second) if first.startswith("+-") else (second, first)
    ruled = "--" in rule and ("|" in rule or "+" in rule)
    return ruled and "|" in names and set(rule) <= set("|+-=: \t\r\n")


def _lines(blocks: Iterable[str], refused: Refused) -> Iterator[str]:
    """Yield the lines of a text, each with its end. That is a carriage return alone
    where the first line has one, as files of an old Mac."""
    mark: str | None = None
    held: list[str] = []
    rest: list[str] = []
    size, number = 0, 1
    for block in blocks:
        if mark is None:
            seam = held[-1][-1:] if held else ""
            found = re.search(r"\n|\r(?=[^\r\n])", seam + block)
            held.append(block)
            size += len(block)
            if found is None:
                if size > ROW_CHARACTERS:
                    raise refused(too_long_row(1, "line"))
                continue
            mark, size = found[0], 0
            block = "".join(held)
        first, *more = block.split(mark)
        rest.append(first)
        size += len(first)
        if more:
            yield "".join(rest) + mark
            number += len(more)
            rest = [more.pop()]
            size = len(rest[0])
            for line in more:
                yield line + mark
        if size > ROW_CHARACTERS:
            raise refused(too_long_row(number, "line"))
    rest = rest if mark else held
    if last := "".join(rest):
        yield last
