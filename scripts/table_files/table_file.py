"""Rows out of a file: JSON Lines, a JSON array, CSV or an Excel workbook, compressed or
not, or a part of one; read one row at a time."""

from __future__ import annotations

import re
from itertools import chain

from ..client.jsonio import MOST_NESTING, is_suspect, is_too_deep
from ..table.gzipped import unpacked
from ..table.row import ROW_CHARACTERS, Flaw, filled, too_long_row
from ..table.table import LOST
from .csv_rows import csv_records
from .encodings import BadTextError, texts
from .header import ABOVE, Header
from .json_rows import (
    JsonText,
    begins_with_object,
    gather_lines,
    holds_rows,
    is_array,
    is_json,
    json_value,
    list_within,
)
from .part import blocks_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..shapes import Json
    from ..table.row import Record, Refused, Row
    from ..table.table import Table

NO_TABLES = {
    ".xls": "save it as .xlsx",
    ".pdf": "give CSV, .xlsx or JSON Lines",
    ".rtf": "give CSV, .xlsx or JSON Lines",
    ".parquet": "make rows of it with files/read_parquet",
}
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


def rows_of(table: Table, value: Json) -> Iterator[Row]:
    """Yield the rows of a table's file, objects and Flaws. Raises TogetherError where
    it cannot be read."""
    return TableFile(table).rows(value)


class TableFile:
    """The file that a table is read from."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.part = table.part
        self.first_line: int = self.part["line"] if self.part else 1
        self.refused = table.refused

    def rows(self, value: Json) -> Iterator[Row]:
        """Yield the rows of what is given."""
        from ..transfer.file_input import open_file  # only where a file is given
        from ..transfer.filetypes import WORDS, file_like  # only then, too

        if isinstance(value, str) and _is_written(value):
            value = {"text": value}
        source = open_file(value, self.table.field, self.table.auth)
        name, self.table.size = source.name, source.length
        blocks = source.blocks()
        if self.part:
            blocks = blocks_of(source, self.part, self.table.field)
            self.table.size = self.part["head"] + self.part["end"] - self.part["start"]
        head = _head(blocks)
        blocks = self.counting(chain([head], blocks))
        if head.startswith(GZIP):
            name = name and name.removesuffix(".gz")
            blocks = unpacked(blocks, self.refused)
            head = _head(blocks)
            blocks = chain([head], blocks)
        if ending := file_like(head, *NO_TABLES):
            problem = f"is {WORDS[ending]} and no table: {NO_TABLES[ending]}"
            raise self.refused(problem)
        if head.startswith(b"PK\x03\x04"):
            from ..documents.workbook import records  # only where such a file is given

            yield from self.tabled(records(blocks, self.table.field, self.table.say))
        else:
            yield from self.written(name, self.decoded(blocks))

    def written(self, name: str | None, blocks: Iterable[str]) -> Iterator[Row]:
        """Yield the rows of a text file."""
        blank_lines = 0  # of blocks that hold nothing else
        for block in blocks:
            head = block.lstrip()[:1024]
            if head:
                break
            blank_lines += block.count("\n") or block.count("\r")
        else:
            nothing = (
                "holds no row" if self.table.position else "is empty: it has 0 bytes"
            )
            raise self.refused(nothing)
        if PAGE.match(head) and self.part is None:
            raise self.refused("is a web page or XML and no table: give CSV or .xlsx")
        blocks = chain([block], blocks)
        whole = self.part is None  # parts are made of lines alone
        if whole and head.startswith("[") and is_array(name, head):
            yield from self.array(blocks)
            return
        start = self.first_line + blank_lines
        lines: Iterator[tuple[int, str]] = enumerate(
            _lines(blocks, self.refused, start), start
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

    def counting(
        self, blocks: Iterable[bytes | memoryview]
    ) -> Iterator[bytes | memoryview]:
        """Yield blocks, while the table counts the bytes that were read."""
        for block in blocks:
            self.table.position += len(block)
            yield block

    def decoded(self, blocks: Iterable[bytes | memoryview]) -> Iterator[str]:
        """Yield the text of bytes, without NUL, which no result can hold."""
        try:
            for text in texts(
                blocks, lambda name: self.table.say(f"read as {name}"), self.first_line
            ):
                if "\x00" in text:
                    self.table.say(LOST)
                    text = text.replace("\x00", "\ufffd")
                if "\ufeff" in text:  # of a file that was put behind another
                    text = text.replace("\n\ufeff", "\n").replace("\r\ufeff", "\r")
                if text:
                    yield text
        except BadTextError as error:
            raise self.refused(str(error)) from None

    def decoded_row(self, value: Json, text: str, where: str) -> Row:
        """Return the value that a JSON text was read as, as a row."""
        if self.table.lost:
            self.table.lost.clear()
            self.table.say(LOST)
        if is_too_deep(value, text):
            return Flaw(f"{where} is nested more than {MOST_NESTING} deep")
        return (self.table.row if is_suspect(text) else self.table.rowed)(value, where)

    def json_lines(self, lines: Iterator[tuple[int, str]]) -> Iterator[Row]:
        """Yield the rows of JSON Lines, or of one object over several lines."""
        number, line = next(lines)
        lines = chain([(number, line)], lines)
        whole = self.part is None
        if (
            whole
            and json_value(self.table.decode, line) is None
            and not line.rstrip().endswith("}")
        ):
            # An object over several lines is one row, or holds them.
            gathered, text = gather_lines(lines)
            if isinstance(json_value(self.table.decode, text), dict):
                gathered = [(gathered[0][0], text)]
            elif begins_with_object(self.table.decode, text):
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
            row = json_value(self.table.decode, line)
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
            self.table.total = len(found)
            yield from (
                self.table.row(row, f"row {n}") for n, row in enumerate(found, 1)
            )
            return
        if (name := list_within(held)) is not None:
            self.table.say(
                f"read as one row; for a row each, give its list {name!r} alone"
            )
        yield held

    def objects(self, blocks: Iterable[str]) -> Iterator[Row]:
        """Yield objects that follow one another over several lines, as jq writes them,
        or with a comma behind each."""
        text = JsonText(blocks, self.refused)
        number = 0
        while text.sign():
            number += 1
            item, written = text.item(self.table.decode, number)
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
            item, written = text.item(self.table.decode, number)
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

    def tabled(self, records: Iterable[Record]) -> Iterator[Row]:
        """Yield the rows of records: (line, cells) or Flaws; the first that is not
        blank names the columns."""
        head: Header | None = None
        rows = 0
        for record in records:
            if record.__class__ is Flaw:
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


def _is_written(text: str) -> bool:
    """Say whether a text is a table itself, rather than base64, an address or so."""
    if re.match(r"\s*(data:|s3://|https?://)", text[:1024], re.IGNORECASE):
        return False
    return "\n" in text or text.lstrip()[:1] in ("{", "[")


def _is_drawn(first: str, second: str) -> bool:
    """Say whether lines begin a table in Markdown, or one as databases print it."""
    rule, names = (first, second) if first.startswith("+-") else (second, first)
    ruled = "--" in rule and ("|" in rule or "+" in rule)
    return ruled and "|" in names and set(rule) <= set("|+-=: \t\r\n")


def _lines(blocks: Iterable[str], refused: Refused, number: int) -> Iterator[str]:
    """Yield the lines of a text, each with its end. That is a carriage return alone
    where the first line has one, as files of an old Mac. `number` is that of the first
    line."""
    mark: str | None = None
    held: list[str] = []
    rest: list[str] = []
    size = 0
    for block in blocks:
        if mark is None:
            seam = held[-1][-1:] if held else ""
            found = re.search(r"\n|\r(?=[^\r\n])", seam + block)
            held.append(block)
            size += len(block)
            if found is None:
                if size > ROW_CHARACTERS:
                    raise refused(too_long_row(number, "line"))
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
