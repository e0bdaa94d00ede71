"""Where a table is cut into parts, each for a job of its own.

A file of JSON Lines, and CSV whose text is one byte a sign of its grammar, is cut at the
ends of its rows: a part is a range of its bytes. CSV is read as map_rows reads it, so a
line break within quotes ends no row. Everything else is written as JSON Lines first.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import json
import os
import re
import tempfile
from itertools import chain

from ..catalog.model_choice import choose_model
from ..client import TogetherError
from ..table.row import ROW_CHARACTERS, filled
from ..table.table import Table, Template, lines_of, summary
from ..table_files.csv_rows import (
    CELL_CHARACTERS,
    SAMPLE_CHARACTERS,
    SAMPLE_LINES,
    csv_form,
    csv_reader,
)
from ..table_files.json_rows import holds_rows, is_array, is_json
from ..table_files.part import validator
from ..table_files.table_file import PAGE
from ..transfer.file_input import open_file, url_of
from ..transfer.file_source import BLOCK, PathSource, Source, temporary
from ..transfer.filetypes import marks_of
from ..workspace import storage
from ..workspace.create_once import state_folder
from ..workspace.state import set_state
from .lease import give_back_lease, lease_model, leased_model, take_lease

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from hashlib import _Hash as Hash
    from typing import Any

    from ..shapes import Auth, Json, Members

MOST_PARTS = 1000  # a loop's iterations; more rows make the parts larger
PART_BYTES = 64 << 20
LINE_BYTES = 4 * ROW_CHARACTERS
# Of a table whose answers come back in the flow's result, without storage.
MOST_BYTES, MOST_ROWS = 64 << 20, 200_000
# Of UTF-16, a workbook and gzip.
MARKS = (b"\xff\xfe", b"\xfe\xff", *marks_of(".zip", ".gz"))
# A line end of old Macs: where a text has one first, it is read as ending its lines.
OLD_END = re.compile(rb"\r(?=[^\r\n])")


class Cuts:
    """Parts as [start, end, line, rows], no more than MOST_PARTS of them."""

    def __init__(self, rows: int, start: int, line: int) -> None:
        self.most_rows, self.most_bytes = rows, PART_BYTES
        self.parts: list[list[int]] = []
        self.open = [start, start, line, 0]

    def row(self, end: int, line: int) -> None:
        """Take in a row that ends at a byte, before a line."""
        part = self.open
        part[1], part[3] = end, part[3] + 1
        if part[3] >= self.most_rows or end - part[0] >= self.most_bytes:
            self.cut(end, line)

    def take_up(self) -> None:
        """Let what follows belong to the part before."""
        if self.parts:
            self.open = self.parts.pop()

    def cut(self, end: int, line: int) -> None:
        self.parts.append(self.open)
        self.open = [end, end, line, 0]
        if len(self.parts) >= MOST_PARTS:
            pairs = zip(self.parts[::2], self.parts[1::2], strict=True)
            self.parts = [[a[0], b[1], a[2], a[3] + b[3]] for a, b in pairs]
            self.most_rows, self.most_bytes = 2 * self.most_rows, 2 * self.most_bytes

    def end(self, size: int) -> list[list[int]]:
        """Return the parts of a file of so many bytes."""
        if self.open[3]:
            self.parts.append(self.open)
        if self.parts:
            self.parts[-1][1] = size
        return self.parts


class Reading:
    """What a table's reader has of its lines, which are those of a UTF-8 or Windows-1252
    text: the first sign beyond ASCII tells, as in encodings.py.

    Parts are counted by it: a line that is blank here and not there would make a part
    one row longer than what its job can answer.
    """

    def __init__(self) -> None:
        self.encoding: str | None = None  # as long as all is ASCII

    def note(self, line: bytes) -> None:
        """Take in the next line."""
        if self.encoding is None and not line.isascii():
            self.encoding = "utf-8"
            try:
                line.decode()
            except UnicodeDecodeError as error:
                if line[: error.start].isascii():
                    self.encoding = "cp1252"

    def text(self, line: bytes) -> str:
        """Return the text of the next line."""
        self.note(line)
        return self.decoded(without_marks(line)).replace("\0", "\ufffd")

    def decoded(self, data: bytes) -> str:
        return data.decode(self.encoding or "utf-8", "replace")

    def is_blank(self, line: bytes) -> bool:
        """Say of the next line whether nothing is in it."""
        if line.startswith(b"{"):  # as nearly all
            self.note(line)
            return False
        return line.isspace() or not self.text(line).strip()

    def cell(self, cell: str) -> str:
        """Return a cell of the lines so far, which was read as Latin-1."""
        return cell if cell.isascii() else self.decoded(cell.encode("latin-1"))


def without_marks(line: bytes) -> bytes:
    """Return a line without marks of byte order that begin it, as within a file that
    was put behind another: they are no part of it, see TableFile.decoded."""
    line = line.removeprefix(codecs.BOM_UTF8)
    return line.replace(b"\r" + codecs.BOM_UTF8, b"\r")


def split(auth: Auth, given: Members) -> Members:
    """Return {"parts": [{"rows": a part, "budget_usd"?}], "count", "slices"?, "lease"?,
    ...}; see files/split_table."""
    value = given["rows"]
    table = Table(auth, value)
    if given.get("answer_column"):
        table.keep_free(given["answer_column"])
    columns = Template(given["template"]).columns if given.get("template") else []
    table.require(columns, "template")
    if given.get("column"):
        table.require([given["column"]], "column")
    stored = has_storage()
    remote = _lies(value) and url_of(value, "rows") is not None
    cut, hashed = None, hashlib.sha256()
    if _lies(value):
        source = open_file(value, "rows", auth)
        cut = cuts_of(source, given["part_rows"], hashed)
    if cut is None:
        if not stored:
            raise TogetherError.refused("rows", NO_STORAGE)
        source, remote = as_lines(table.sound()), False
        hashed = hashlib.sha256()
        cut = cuts_of(source, given["part_rows"], hashed)
        assert cut is not None  # JSON Lines of our own
    del table  # its reading ends
    parts, about = cut
    rows = sum(part[3] for part in parts)
    if not stored:
        if not remote:
            raise TogetherError.refused("rows", NO_STORAGE)
        if about["size"] > MOST_BYTES or rows > MOST_ROWS:
            raise TogetherError.refused(
                "rows",
                f"has {rows} rows in {about['size']} bytes: without object storage in "
                f"the workspace at most {MOST_ROWS} rows in {MOST_BYTES} bytes are "
                "split, whose answers fit into a result",
            )
    found = numbered(parts, about, stored)

    def tables() -> tuple[list[Members], str | None]:
        if not remote:
            return stored_slices(source, found)
        place = value if isinstance(value, dict) else {"url": value}
        return [{**place, "part": part} for part in found], None

    words = f"**{rows} rows are in {len(parts)} parts.**"
    return {**summary([words]), **handed_out(auth, given, hashed.hexdigest(), tables)}


def handed_out(
    auth: Auth,
    given: Members,
    digest: str,
    tables: Callable[[], tuple[list[Members], str | None]],
) -> Members:
    """Return {"parts", "count", "slices"?, "model"?, "lease"?} of what `tables` makes,
    for this run of a flow alone; digest is that of all rows. Raises TogetherError where
    another run asks the same of them, and where there is no model for them."""
    held = take_lease(given["asked"], digest) if given.get("asked") else None
    try:
        model = _chosen_model(auth, given, held)
        made, slices = tables()
    except BaseException:
        give_back_lease(held)
        raise
    whole = shared_out(made, given.get("budget_usd"), slices)
    if model:
        for table in made:
            table["part"]["model"] = model
        whole["model"] = model
    return {**whole, "lease": held} if held else whole


def _chosen_model(auth: Auth, given: Members, lease: str | None) -> str | None:
    """Return the model that all parts are asked of, which the lease says from now on:
    None where one is named, or the jobs need none. Raises TogetherError."""
    task = given.get("task")
    if not task or (given.get("asked") or {}).get("model"):
        return None
    earlier = leased_model(lease) if lease else None
    choice: Members = {}
    choose_model(auth, choice, task, earlier)
    model: str = choice["model"]
    if lease and model != earlier:
        lease_model(lease, model)
    return model


def numbered(parts: list[list[int]], about: Members, stored: bool) -> list[Members]:
    """Return parts as part.py has them."""
    return [
        {
            **about,
            "number": number,
            "of": len(parts),
            "start": part[0],
            "end": part[1],
            "line": part[2],
            "rows": part[3],
            "kept": "storage" if stored else "state",
        }
        for number, part in enumerate(parts, 1)
    ]


def shared_out(
    tables: list[Members], budget_usd: float | None, slices: str | None
) -> Members:
    """Return {"parts": [{"rows", "budget_usd"?}], "count": rows, "slices"?}."""
    rows = [table["part"]["rows"] for table in tables]
    parts: list[Members] = [{"rows": table} for table in tables]
    if budget_usd is not None:
        for entry, own in zip(parts, rows, strict=True):
            entry["budget_usd"] = share_of(budget_usd, own, sum(rows))
    whole: Members = {"parts": parts, "count": sum(rows)}
    return {**whole, "slices": slices} if slices else whole


NO_STORAGE = (
    "cannot be split here: without object storage in the workspace only JSON Lines and "
    "CSV at a URL can be"
)


def share_of(budget: float, rows: int, all_of: int) -> float:
    """Return a part's share of a budget in USD, rounded down: all of them together are
    never more than it."""
    amount, of = float(budget).as_integer_ratio()
    return amount * rows * 10**9 // (of * all_of) / 1e9


def cuts_of(
    source: Source, rows: int, hashed: Hash | None = None
) -> tuple[list[list[int]], Members] | None:
    """Return (parts, what holds for all: "head", "csv", "tag", "size"), or None for a
    file that cannot be cut as it is; `hashed` gets its bytes. Raises TogetherError."""
    lines = _lines(source, hashed)
    sample, size = [], 0
    for line in lines:
        sample.append(line)
        size += len(line)
        if len(sample) > SAMPLE_LINES or size > SAMPLE_CHARACTERS:
            break
    head = b"".join(sample)
    if head.startswith(MARKS) or b"\0" in head or _is_old(head):
        return None
    text = "".join(map(Reading().text, sample)).lstrip()
    if not text:
        return None
    if PAGE.match(text[:1024]) or (text[0] == "[" and is_array(source.name, text)):
        return None
    first = text.split("\n", 1)[0]
    lines = chain(sample, lines)
    if is_json(source.name, first):
        if not _is_row(first):
            return None
        cut, about = _json_cuts(lines, rows), {"head": 0, "csv": None}
    else:
        made = _csv_cuts(lines, rows)
        if made is None:
            return None
        cut, about = made
    parts, size = cut
    return parts, {**about, "tag": validator(source), "size": size}


def _is_old(head: bytes) -> bool:
    """Say whether a carriage return alone ends the lines, as in files of an old Mac."""
    return OLD_END.search(head.split(b"\n", 1)[0] + b"\n") is not None


def _is_row(line: str) -> bool:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(row, dict) and not holds_rows(row)


def _lines(source: Source, hashed: Hash | None) -> Iterator[bytes]:
    """Yield the lines of a file. Raises TogetherError for one that no row can be."""
    return lines_of(_bounded(source.blocks(), hashed))


def _bounded(
    blocks: Iterable[bytes | memoryview], hashed: Hash | None
) -> Iterator[bytes]:
    """Yield blocks as long as no line in them is too long."""
    size, number = 0, 1
    for block in blocks:
        piece = bytes(block)
        if hashed:
            hashed.update(piece)
        end = piece.rfind(b"\n")
        size = len(piece) - end - 1 if end >= 0 else size + len(piece)
        number += piece.count(b"\n")
        yield piece
        if size > LINE_BYTES:
            words = f"line {number} is longer than {LINE_BYTES >> 20} MiB"
            raise TogetherError.refused(
                "rows", f"holds no row that can be read: {words}"
            )


def _json_cuts(lines: Iterable[bytes], rows: int) -> tuple[list[list[int]], int]:
    cuts, position, reading = Cuts(rows, 0, 1), 0, Reading()
    for number, line in enumerate(lines, 1):
        position += len(line)
        if not cuts.open[3] and OLD_END.search(line):
            cuts.take_up()  # as the first of a part it would end the part's lines
        if not reading.is_blank(line):
            cuts.row(position, number + 1)
    return cuts.end(position), position


def _csv_cuts(
    lines: Iterator[bytes], rows: int
) -> tuple[tuple[list[list[int]], int], Members] | None:
    """Return ((parts, size), {"head", "csv"}), or None where the sign between cells is
    none that one byte writes."""
    sample: list[bytes] = []

    def ahead() -> Iterator[str]:
        reading = Reading()
        for line in lines:
            sample.append(line)
            yield reading.text(line)

    texts = ahead()
    first = next(text for text in texts if text.strip())
    above = len(sample) - 1
    form, _, said = csv_form(chain([first], texts))
    if not form["delimiter"].isascii():
        return None
    # Its grammar is ASCII, so one byte for each sign shows where its rows end.
    position = number = 0
    reading = Reading()

    def text() -> Iterator[str]:
        nonlocal position, number
        for line in chain(sample, lines):
            position += len(line)
            number += 1
            reading.note(line)
            if number > above + said:
                yield without_marks(line).replace(b"\0", b" ").decode("latin-1")

    written = text()
    csv.field_size_limit(LINE_BYTES)
    reader = csv_reader(written, form)
    cuts: Cuts | None = None
    while True:
        before = position
        try:
            cells = next(reader)
            if position - before > CELL_CHARACTERS and any(
                len(reading.cell(cell)) > CELL_CHARACTERS for cell in cells
            ):
                raise csv.Error("field limit")  # as the table's reader says
        except StopIteration:
            break
        except csv.Error as error:
            if cuts is None:
                return None  # the table's own reading says why
            if "unexpected end" in str(error) or "field limit" in str(error):
                for _ in written:
                    pass
                cuts.row(position, number + 1)
                break
        else:
            if not any(filled(reading.cell(cell)) for cell in cells):
                continue
            if cuts is None:
                head, lines_before = position, number
                cuts = Cuts(rows, head, 1)
                continue
        # A part's lines are counted from those of its head on.
        cuts.row(position, number + 1 - lines_before)
    csv.field_size_limit(CELL_CHARACTERS)
    if cuts is None:
        return None
    return (cuts.end(position), position), {"head": head, "csv": form}


def as_lines(rows: Iterable[Members]) -> PathSource:
    """Return rows as a file of JSON Lines."""
    handle = tempfile.NamedTemporaryFile(prefix="together-", suffix=".jsonl")  # noqa: SIM115 (kept)
    for row in rows:
        line = json.dumps(row, ensure_ascii=False).encode("utf-8", "replace")
        handle.write(line + b"\n")
    handle.flush()
    made: PathSource = temporary(handle, "rows", "rows.jsonl")
    return made


def stored_slices(source: Source, parts: list[Members]) -> tuple[list[Members], str]:
    """Write each part to storage as an object; return (the parts, the state that lists
    the objects, by which they are deleted)."""
    ending = ".csv" if parts[0]["csv"] else ".jsonl"
    reader = io.BufferedReader(source, BLOCK)
    head = reader.read(parts[0]["head"])
    made: list[Members] = []
    found = []
    mark = f"{state_folder('parts')}split_{os.urandom(8).hex()}"
    for part in parts:
        content = _Slice(head, reader, part["end"] - part["start"])
        name = f"part_{part['number']}{ending}"
        stored = storage.write_object(content, filename=name)
        made.append({"key": stored["s3"], "storage": stored.get("storage")})
        size = len(head) + part["end"] - part["start"]
        own = {"start": len(head), "end": size, "size": size, "tag": None}
        found.append({"s3": stored["s3"], "part": {**part, **own}})
        if part["number"] % 50 == 0 or part["number"] == part["of"]:
            listed = [{"object": place, "rows": 0} for place in made]
            set_state({"parts": listed}, mark)
    return found, mark


class _Slice:
    """The head, then the next bytes of a reader, as something to read from."""

    def __init__(self, head: bytes, reader: io.BufferedReader[Any], size: int) -> None:
        self.head, self.reader, self.left = head, reader, size
        self.length = len(head) + size

    def read(self, size: int = BLOCK, /) -> bytes:
        if self.head:
            head, self.head = self.head, b""
            return head
        block = self.reader.read(min(size, self.left))
        self.left -= len(block)
        return block


def _lies(value: Json) -> bool:
    """Say whether a table is given as a place where its file lies."""
    if isinstance(value, dict):
        return bool(value.get("url") or value.get("s3"))
    return isinstance(value, str) and bool(
        re.match(r"\s*(https?|s3)://\S*\s*$", value, re.IGNORECASE)
    )


def has_storage() -> bool:
    """Say whether the workspace has storage to write to."""
    try:
        storage.check_storage()
    except TogetherError as error:
        if error.type == "not_in_windmill":
            raise
        return False
    return True
