"""Rows written as CSV: how a file is written, by its beginning, and its records."""

from __future__ import annotations

import re
from itertools import chain

from ..table.row import Flaw, filled
from .header import ABOVE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from ..shapes import Members
    from ..table.row import Record, Refused

CELL_CHARACTERS = 16 << 20  # of a cell of CSV: a picture of 12 MB in base64
SAMPLE_CHARACTERS, SAMPLE_LINES = 1 << 16, 200  # by which the delimiter is detected
DELIMITERS = "\t;|,"
ONE_COLUMN = "\x1f"  # the delimiter of a table whose header has none


def csv_form(lines: Iterable[str]) -> tuple[Members, list[str], bool]:
    """Return ({"delimiter", "blank": whether blanks may stand before a cell in quotes,
    "quotes": whether a quotation mark within quotes is "doubled" or "escaped" with a
    backslash, "none" where quotation marks are characters as others}, the lines that
    were read for it, whether the first line names the delimiter: sep=;)."""
    lines = iter(lines)
    line = next(lines)
    named = re.fullmatch(r'"?sep=([^"\\])"?[,;\t]*', line.strip("\r\n"), re.I)
    sample = [] if named else [line]
    size = 0 if named else len(line)
    for line in lines:
        sample.append(line)
        size += len(line)
        if size > SAMPLE_CHARACTERS or len(sample) >= SAMPLE_LINES:
            break
    delimiter = named[1] if named else _delimiter(sample)
    form = {"delimiter": delimiter, "blank": False}
    form["quotes"] = _quotes(sample, delimiter)
    # Or csv.reader takes what follows the blank as it is, quotation marks included. A
    # delimiter that is a blank itself has none behind it that is not another one.
    before = re.compile(rf'{re.escape(delimiter)} +"[^"]')
    blanks = delimiter != " " and form["quotes"] != "none"
    if blanks and any(map(before.search, sample)):
        form["blank"] = any(
            re.match(' +"', cell) for cells in _records(sample, form) for cell in cells
        )
    return form, sample, bool(named)


def csv_reader(lines: Iterable[str], form: Members) -> Any:
    """Return a csv.reader of lines, in the form that csv_form found."""
    import csv  # tables of JSON need none of it

    quotes = form.get("quotes")
    if quotes == "escaped":
        lines = (_BACKSLASHES.sub(_with_backslashes_doubled, line) for line in lines)
    return csv.reader(
        lines,
        delimiter=form["delimiter"],
        strict=True,
        skipinitialspace=form["blank"],
        escapechar="\\" if quotes == "escaped" else None,
        quoting=csv.QUOTE_NONE if quotes == "none" else csv.QUOTE_MINIMAL,
    )


_BACKSLASHES = re.compile(r'\\+("?)')


def _with_backslashes_doubled(found: re.Match[str]) -> str:
    """Return backslashes doubled, so that csv.reader keeps them, unless they escape a
    quotation mark: others belong to a path or the like."""
    return found[0] if found[1] else 2 * found[0]


def csv_records(
    lines: Iterator[tuple[int, str]], refused: Refused, form: Members | None = None
) -> Iterator[Record]:
    """Yield (line, cells) or a Flaw for each record of CSV, the header first. `form` is
    that of the whole table where the lines are a part of it."""
    import csv  # tables of JSON need none of it

    csv.field_size_limit(CELL_CHARACTERS)
    first, line = next(lines)
    found, sample, named = csv_form(chain([line], (line for _, line in lines)))
    if form is None and (width := _width_below_title(sample, found["delimiter"])):
        problem = f"line {first} has one cell and those below have {width}: {ABOVE}"
        raise refused(f"{problem}, or put the cells of a single column in quotes")
    form = form or found
    first += named
    reader = csv_reader(chain(sample, (line for _, line in lines)), form)
    while True:
        number = first + reader.line_num
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            why = str(error)
            if "unexpected end" in why:
                problem = f"line {number} opens a quotation that is never closed"
                yield Flaw(f"{problem}: the rest of the file would be one cell", True)
                return
            if "field limit" in why:
                problem = (
                    f"line {number} has a cell of more than {CELL_CHARACTERS >> 20}"
                )
                yield Flaw(f"{problem} Mi characters: is a quotation not closed?", True)
                return
            if "expected after" in why:
                why = "a closed quotation is followed by more than the next cell"
            elif "new-line character" in why:
                why = "it holds a line break that is not in quotes"
            last = first + reader.line_num - 1
            lines_are = (
                f"lines {number} to {last} are"
                if last > number
                else f"line {number} is"
            )
            yield Flaw(f"{lines_are} not CSV: {why}")
        else:
            yield number, cells


def _delimiter(sample: list[str]) -> str:
    """Return the delimiter: that with which most rows have as many cells as the header,
    and of several such the one that makes most columns."""
    best, delimiter = (-1.0, 0), ONE_COLUMN
    if not any(filled(line.translate(_NO_CELLS)) for line in sample):
        return ","  # there are blank cells only, and so no rows
    for sign in DELIMITERS:
        widths = _widths(sample, sign)
        width = widths[0] if widths else 0
        if width < 2:
            continue
        rows = widths[1:] or [width]
        exact = rows.count(width)
        less = sum(0 < w < width for w in rows)
        if sign == "\t" and exact + less == len(rows) <= 2 * exact:
            return sign  # texts in cells have commas, but hardly ever tabs
        score = (exact + 0.5 * less) / len(rows), width
        if score > best:
            best, delimiter = score, sign
    return delimiter


def _width_below_title(sample: list[str], delimiter: str) -> int:
    """Return how many cells the lines below a title have, where the title was taken for
    the header; 0 where there is no title. The lines are taken for a table if all have
    as many cells, and there are at least three lines of three cells."""
    if delimiter != ONE_COLUMN:
        return 0
    for sign in DELIMITERS:
        widths = _widths(sample, sign)
        above = next((n for n, width in enumerate(widths) if width != 1), 0)
        below = set(widths[above:])
        width = max(below, default=0)
        least = 2 if sample[0].startswith("#") else 3
        if above and len(below) == 1 and min(width, len(widths) - above) >= least:
            return width
    return 0


def _quotes(sample: list[str], delimiter: str) -> str:
    """Return the first of "doubled", "escaped" and "none" by which the sample reads as
    a table; see csv_form."""
    if delimiter == ONE_COLUMN or not any('"' in line for line in sample):
        return "doubled"
    widths = _widths(sample, delimiter)

    def better(quotes: str, more: bool) -> bool:
        others = _widths(sample, delimiter, quotes)
        if not widths or not others:  # one quotation that is never closed
            return False
        sound = len(others) >= len(widths) and min(others) == max(others) == widths[0]
        more = more and len(others) > len(widths)
        return sound and (more or set(widths) > {widths[0]})

    if any('\\"' in line for line in sample) and better("escaped", True):
        return "escaped"
    # Tables with tabs often have quotation marks that quote no cell, as for inches.
    within = any(_QUOTED_CELL.search(line) for line in sample)
    opened = sum(line.count('"') for line in sample) % 2 == 1
    if delimiter == "\t" and not within and better("none", opened):
        return "none"
    return "doubled"


_QUOTED_CELL = re.compile(r'(?:^|\t)"[^"\t\r\n]+"(?=[\t\r\n]|$)')
_NO_CELLS = str.maketrans("", "", f'{DELIMITERS}"')


def _widths(sample: list[str], sign: str, quotes: str = "doubled") -> list[int]:
    """Return how many cells each record that is not blank has, 0 where it is no CSV."""
    form = {"delimiter": sign, "blank": False, "quotes": quotes}
    return [*map(len, _records(sample, form))]


def _records(sample: list[str], form: Members) -> Iterator[list[str]]:
    """Yield the cells of each record that is not blank, none where it is no CSV."""
    import csv  # tables of JSON need none of it

    reader = csv_reader(sample, form)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "unexpected end" in str(error):
                return  # the sample ends there, or the file
            yield []
        else:
            if any(map(filled, cells)):
                yield cells
