"""The rows of an Excel workbook (.xlsx): of its first sheet that is not hidden and has
something in a cell.

A cell is what Excel shows: text, a number, true or false, a date or time in ISO 8601. A
cell merged over several rows has its value in each of them that is not blank otherwise;
one merged over several columns has it in the first.

The reader uses the standard library alone. A worker installs each package that a script
may import before it first runs it; with openpyxl it would do so for all steps that read
tables, most of which are CSV.
"""

from __future__ import annotations

import math
import re
import tempfile
from datetime import datetime, time, timedelta

from ..client import TogetherError
from ..client.references import SAFE
from .office_archive import (
    DAMAGES,
    PIECE_BYTES,
    BadFileError,
    opened,
    other_kind,
    parse,
    related,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import IO, Any

    from .office_archive import Start

FILE_BYTES = 100 << 20
SHEET_BYTES = 400 << 20  # of all sheets that are looked at, unpacked
BLANK_SHEETS = 50  # sheets in which a first cell is looked for
TEXT_CHARACTERS = 64 << 20  # of all texts in a workbook
MOST_TEXTS = 4 << 20
MOST_ROWS = 1 << 20  # as Excel has it
MOST_COLUMNS = 2_000
# Formats of dates that have a number and no code (ECMA-376, part 1, 18.8.30); those of
# them that show a time.
DATES = frozenset((*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)))
TIMES = frozenset((18, 19, 20, 21, 32, 33, 45, 46, 47, 55, 56))
# Elements whose text is not the cell's: phonetic guides, and extensions of programs.
NO_TEXT = ("rPh", "extLst")
# Of a number format: what is shown as it is, colours and conditions. Case makes no
# difference in formats, nor in [HH] and the like, which stand for elapsed time.
_LITERAL = re.compile(
    r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]', re.DOTALL | re.IGNORECASE
)
FORMAT_CHARACTERS = 1_000  # of a format; Excel takes 255
MOST_MERGED = 100_000  # cells over several rows
REPEATED_CHARACTERS = 256 << 20  # that these add to all the rows that they are over
_MERGED = re.compile(
    rb"""<(?:\w+:)?mergeCell\s[^<>]{0,100}?\bref\s*=\s*["']\$?([A-Z]{1,3})\$?(\d{1,7})"""
    rb""":\$?[A-Z]{1,3}\$?(\d{1,7})["']"""
)
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")


def records(
    blocks: Iterable[bytes | memoryview],
    field: str,
    say: Callable[[str], None] | None = None,
) -> Iterator[tuple[int, list[Any]]]:
    """Yield (row, cells) for each row of a workbook's bytes.

    `say` takes what goes to the log. Raises TogetherError that names the field.
    """
    with tempfile.TemporaryFile() as file:
        size = 0
        for block in blocks:
            size += len(block)
            if size > FILE_BYTES:
                problem = f"is a workbook of more than {FILE_BYTES >> 20} MiB"
                raise TogetherError.refused(field, f"{problem}: save it as CSV UTF-8")
            file.write(block)
        try:
            yield from _Workbook(file, say).records()
        except BadFileError as error:
            raise TogetherError.refused(field, str(error)) from None


class _Workbook:
    def __init__(self, file: IO[bytes], say: Callable[[str], None] | None) -> None:
        self.archive = opened(file, "Excel workbook")
        (main, *_) = [*related(self.archive, "", "officeDocument").values(), ""]
        if not main.startswith("xl/") or main not in self.archive.NameToInfo:
            other = other_kind(self.archive)
            raise BadFileError(other or "is an archive, but no Excel workbook (.xlsx)")
        if main.endswith(".bin"):
            raise BadFileError("is a binary workbook (.xlsb): save it as .xlsx")
        self.main = main
        self.early = False  # whether dates count from 1904
        self.uncounted = False  # whether formulas have no values yet
        self.sheets: list[tuple[str, str | None, bool]] = []
        self.read(main, self.workbook)
        places = related(self.archive, main, "worksheet")
        self.seen = [
            (name, places[i])
            for name, i, hidden in self.sheets
            if i in places and not hidden
        ]
        if not self.seen:
            raise BadFileError("is a workbook without a sheet of cells")
        self.say = say
        self.left = SHEET_BYTES
        self.texts = self.shared_texts()
        self.formats = self.styles()

    def read(
        self,
        member: str,
        start: Start,
        end: Callable[[str], object] | None = None,
        text: Callable[[str], None] | None = None,
    ) -> None:
        for _ in parse(self.archive, member, start, end, text):
            pass

    def part(self, kind: str) -> str | None:
        """Return the one part of a kind, or None."""
        found = [*related(self.archive, self.main, kind).values()]
        return found[0] if found and found[0] in self.archive.NameToInfo else None

    def workbook(self, tag: str, given: dict[str, str]) -> None:
        if tag == "sheet":
            hidden = given.get("state", "visible") != "visible"
            self.sheets.append((given.get("name", ""), given.get("id"), hidden))
        elif tag == "workbookPr":
            self.early = given.get("date1904") in ("1", "true")
        elif tag == "calcPr":  # written by programs that do not calculate
            self.uncounted = given.get("fullCalcOnLoad") in ("1", "true")

    def shared_texts(self) -> list[str]:
        """Return the texts that cells share."""
        part = self.part("sharedStrings")
        if part is None:
            return []
        texts, cell = [], _Text()

        def start(tag: str, given: dict[str, str]) -> None:
            if tag == "si":
                cell.begin()
            cell.start(tag)

        def end(tag: str) -> None:
            cell.end(tag)
            if tag == "si":
                texts.append(cell.text())
                if len(texts) > MOST_TEXTS:
                    raise BadFileError(f"holds more than {MOST_TEXTS} texts")

        self.read(part, start, end, cell.add)
        return texts

    def styles(self) -> list[str | int | None]:
        """Return for each style of cells how it shows a number: as a kind of date, with
        at least so many digits, or None: as it is."""
        part = self.part("styles")
        formats, own, within = [], {}, []

        def start(tag: str, given: dict[str, str]) -> None:
            within.append(tag)
            if tag == "numFmt":
                own[given.get("numFmtId")] = given.get("formatCode", "")
            elif tag == "xf" and within[-2:-1] == ["cellXfs"]:
                known = given.get("numFmtId", "0")
                formats.append(_format(known, own.get(known)))

        if part is not None:
            self.read(part, start, lambda _: within.pop())
        return formats

    def records(self) -> Iterator[tuple[int, list[Any]]]:
        """Yield (row, cells) of the first sheet that has any."""
        for name, sheet in self.seen[:BLANK_SHEETS]:
            rows = self.rows_filled_down(sheet)
            first = next((one for one in rows if any(map(_is_there, one[1]))), None)
            if first is None:
                continue
            if len(self.sheets) > 1 and self.say:
                self.say(f"read from the sheet {name!r}, one of {len(self.sheets)}")
            yield first
            yield from rows
            return

    def rows_filled_down(self, sheet: str) -> Iterator[tuple[int, list[Any]]]:
        """Yield (row, cells) of a sheet. A cell merged over several rows has its value
        in each of them that is not blank, unless it begins in the header."""
        merged: dict[int, list[tuple[int, int]]] | None = None
        going: dict[int, tuple[int, Any]] = {}  # by column: last row, value
        repeated = 0  # characters, so far
        for row, cells in self.sheet_records(sheet):
            if merged is None:
                if not any(map(_is_there, cells)):
                    yield row, cells
                    continue
                merged = self.merged_cells(sheet)
                merged.pop(row, None)
            if going and any(map(_is_there, cells)):
                for column, (last, value) in [*going.items()]:
                    if row > last:
                        del going[column]
                        continue
                    cells += [None] * (column - len(cells))
                    if not _is_there(cells[column - 1]):
                        cells[column - 1] = value
                        repeated += len(value) if isinstance(value, str) else 1
                if repeated > REPEATED_CHARACTERS:
                    most = f"{REPEATED_CHARACTERS >> 20} Mi characters"
                    raise BadFileError(
                        f"has merged cells that fill other rows with more than {most}: "
                        "unmerge them"
                    )
            # Taken out: a file may give thousands of rows the same number.
            for column, last in merged.pop(row, ()):
                if column <= len(cells) and _is_there(cells[column - 1]):
                    going[column] = last, cells[column - 1]
            yield row, cells

    def merged_cells(self, sheet: str) -> dict[int, list[tuple[int, int]]]:
        """Return {first row: [(column, last row)]} of the cells merged over several rows.
        A sheet lists them behind its rows, so that they are looked for beforehand."""
        found: dict[int, list[tuple[int, int]]] = {}
        rest, count, size = b"", 0, 0
        try:
            with self.archive.open(sheet) as stream:
                while piece := stream.read(PIECE_BYTES):
                    size += len(piece)
                    if size > SHEET_BYTES:
                        break  # which the reading of its rows refuses
                    piece = rest + piece
                    rest = piece[-200:]
                    if b"mergeCell" not in piece:
                        continue
                    end = 0
                    for one in _MERGED.finditer(piece):
                        first, last, end = int(one[2]), int(one[3]), one.end()
                        column = _column(one[1].decode())
                        if last > first and column <= MOST_COLUMNS:
                            count += 1
                            found.setdefault(first, []).append((column, last))
                    if count > MOST_MERGED:
                        raise BadFileError(f"has more than {MOST_MERGED} merged cells")
                    rest = piece[max(end, len(piece) - 200) :]
        except DAMAGES:
            return {}  # as above
        if found and self.say:
            self.say("cells merged over several rows: each of the rows has their value")
        return found

    def sheet_records(self, sheet: str) -> Iterator[tuple[int, list[Any]]]:
        """Yield (row, cells) of a sheet."""
        rows = _Rows(self.value, self.say, self.uncounted)
        for _ in parse(
            self.archive, sheet, rows.start, rows.end, rows.text.add, self.left
        ):
            self.left -= PIECE_BYTES
            yield from rows.done
            rows.done.clear()
        self.left += PIECE_BYTES  # the last was no whole piece

    def value(self, kind: str, text: str, style: int) -> Any:
        """Return what a cell shows, None for nothing."""
        if not text:
            return None
        if kind == "s":
            place = _number(text, -1, len(self.texts) - 1)
            if place < 0:
                raise BadFileError("is damaged: a cell names a text that is not there")
            return self.texts[place]
        if kind == "b":
            return text.strip().lower() in ("1", "true")
        if kind != "n":
            return text  # also an error such as #N/A, and dates that are text already
        try:
            number = float(text)
        except ValueError:
            return text
        if not math.isfinite(number):
            return text
        form = self.formats[style] if style < len(self.formats) else None
        if form.__class__ is str and (moment := self.moment(number, form)):
            return moment
        if not number.is_integer():
            return float(f"{number:.15g}")  # as many digits as Excel keeps
        if abs(number) > SAFE:
            return text if text.isdecimal() else number
        if form.__class__ is int:  # a number such as a postcode, shown as 01234
            return f"{int(number):0{form}}"
        return int(number)

    def moment(self, number: float, form: str) -> str | None:
        """Return a date or time as text, or None where it is none."""
        if form == "elapsed":
            hours, rest = divmod(round(abs(number) * 86400), 3600)
            sign = "-" if number < 0 else ""
            return f"{sign}{hours:02}:{rest // 60:02}:{rest % 60:02}"
        if number < 0 and not self.early:
            return None  # which Excel does not show
        days = number + (1462 if self.early else number < 60)  # 29 February 1900 counts
        exact = form.endswith(".")  # milliseconds are shown
        form = form.removesuffix(".")
        seconds = days * 86400
        seconds = round(seconds, 3) if exact else round(seconds)
        try:
            found = datetime(1899, 12, 30) + timedelta(seconds=seconds)
        except OverflowError:
            return None
        parts = "milliseconds" if exact and found.microsecond else "seconds"
        if form == "time" and 0 <= number < 1:
            return found.time().isoformat(parts)
        if form == "date" and found.time() == time():
            return found.date().isoformat()
        return found.isoformat(timespec=parts)


class _Rows:
    """Makes rows of the elements of a sheet.

    value      what a cell shows: (its kind, its text, its style) to a value
    say        takes what goes to the log
    uncounted  whether Excel has to count all formulas: a 0 may stand for no value yet
    done       (row, cells) of the rows that are complete
    """

    def __init__(
        self,
        value: Callable[[str, str, int], Any],
        say: Callable[[str], None] | None,
        uncounted: bool = False,
    ) -> None:
        self.value, self.say, self.uncounted = value, say, uncounted
        self.done: list[tuple[int, list[Any]]] = []
        self.cells: dict[int, Any] = {}  # of the row at hand, by column
        self.row = self.column = self.style = 0
        self.kind, self.stored, self.formula = "n", "", False
        self.counts = False  # whether a formula had a value
        self.text = _Text()

    def start(self, tag: str, given: dict[str, str]) -> None:
        if tag == "row":
            self.cells.clear()
            self.row = _number(given.get("r"), self.row + 1, MOST_ROWS)
            self.column = 0
            if given.get("hidden") in ("1", "true") and self.say:
                self.say("rows that are hidden, or filtered out, are read, too")
        elif tag == "c":
            letters = re.match("[A-Z]{1,3}", given.get("r", "").upper())
            self.column = _column(letters[0]) if letters else self.column + 1
            self.formula = False
            self.kind = given.get("t", "n")
            self.style = _number(given.get("s"), 0, 1 << 20)
            self.stored = ""
            self.text.begin()
        elif tag == "f":
            self.formula = True
        elif tag == "col" and given.get("hidden") in ("1", "true") and self.say:
            self.say("columns that are hidden are read, too")
        self.text.start(tag)

    def end(self, tag: str) -> None:
        self.text.end(tag)
        if tag == "v" and not self.text.passed:
            self.stored = self.text.text()
            self.text.begin()
        elif tag == "c":
            self.end_cell()
        elif tag == "row":
            width = max(self.cells, default=0)
            found = [self.cells.get(column) for column in range(1, width + 1)]
            self.done.append((self.row, found))

    def end_cell(self) -> None:
        text = self.stored or self.text.text()
        if self.formula and self.is_uncounted(text):
            where = f"row {self.row}, column {self.column}"
            raise BadFileError(
                f"holds a formula without its value ({where}): open it in Excel, save "
                "it and give it again"
            )
        value = self.value(self.kind, text, self.style)
        if value is None:
            return
        if self.column > MOST_COLUMNS:
            raise BadFileError(f"has more than {MOST_COLUMNS} columns")
        self.cells[self.column] = value

    def is_uncounted(self, text: str) -> bool:
        """Say whether a formula has no value yet: nothing, or the 0 that programs which
        do not calculate write, if the first formula has it."""
        if not text:
            return self.kind != "str"
        none = text == "0.0" or (text == "0" and self.uncounted)
        if none and not self.counts and self.kind == "n":
            return True
        self.counts = True
        return False


class _Text:
    """The text of an element, which may be in several runs."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self.reads = False
        self.passed = 0
        self.size = 0

    def begin(self) -> None:
        self.pieces = []

    def start(self, tag: str) -> None:
        self.passed += tag in NO_TEXT
        self.reads = tag in ("t", "v") and not self.passed

    def end(self, tag: str) -> None:
        self.passed -= tag in NO_TEXT
        self.reads = False

    def add(self, text: str) -> None:
        if self.reads:
            self.size += len(text)
            if self.size > TEXT_CHARACTERS:
                most = TEXT_CHARACTERS >> 20
                raise BadFileError(f"holds more than {most} Mi characters")
            self.pieces.append(text)

    def text(self) -> str:
        text = "".join(self.pieces)
        if "_x" in text:
            text = _ESCAPED.sub(_character, text)
        # A line break of Windows, of two characters, each perhaps escaped, becomes one.
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        return text


def _character(found: re.Match[str]) -> str:
    code = int(found[1], 16)
    if code == 0 or 0xD800 <= code < 0xE000:
        return "\ufffd"
    return chr(code)


def _number(text: str | None, otherwise: int, most: int) -> int:
    """Return the whole number that a text is, `otherwise` for none and for larger ones
    than `most`."""
    text = (text or "").strip()
    if not text.isdecimal() or len(text) > 9:
        return otherwise
    return int(text) if int(text) <= most else otherwise


def _is_there(cell: Any) -> bool:
    return bool(cell.strip()) if isinstance(cell, str) else cell is not None


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _format(known: str, code: str | None) -> str | int | None:
    """Return "date", "time", "both" or "elapsed" for a format of dates, with a point
    behind it where it shows milliseconds; for one of zeros, such as 00000, how many
    there are; None for any other."""
    if code is None:
        number = _number(known, 0, 1 << 20)
        if number not in DATES:
            return None
        if number in TIMES:
            return "elapsed" if number == 46 else "time"
        return "both" if number == 22 else "date"
    # A semicolon within quotes ends no section.
    code = _LITERAL.sub("", code[:FORMAT_CHARACTERS]).partition(";")[0].lower()
    if re.fullmatch("0{2,20}", code):
        return len(code)
    if "[" in code:
        return "elapsed"
    # What has places for digits is a number, whatever its unit: CHF 0.00, USD #,##0.
    if re.search("[0#?]|standard", re.sub("s[.,]0+", "s", code)):
        return None
    clock = "h" in code or "s" in code
    exact = "." if re.search("s[.,]0", code) else ""
    if "y" in code or "d" in code:
        return f"both{exact}" if clock else "date"
    if clock:
        return f"time{exact}"
    return "date" if "mm" in code else None
