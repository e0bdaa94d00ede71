"""A table as the input files of batches: one, or as many as the service's limits ask
for. A row is named by its place in the whole table, whichever file it stands in."""

from __future__ import annotations

import hashlib
import json
import os
import re

from ..client import TogetherError
from ..table.table import BlankRowError, Flaw, digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from ..shapes import Json, Members, Problem
    from ..table.table import Table

ENCODER = json.JSONEncoder(ensure_ascii=False)  # once: `dumps` makes one for each row
NAMED = 10  # rows that a message names
NAME = re.compile(r"rows-[0-9a-f]{32}-(\d+)-(\d+)\.jsonl")


class UnfitRowError(Exception):
    """Why nothing can be asked about a row."""


class InputFile:
    """One input file: its place on disk, the first row of the table that it covers,
    counted from 0, how many rows it covers (`span`), how many of these it asks about
    (`rows`), and the digest of its lines."""

    def __init__(self, place: Path, first: int) -> None:
        from ..upload.service_limits import (  # only where a file is to go up
            BATCH_LINES,
            FILLED_BYTES,
        )

        self.most_rows, self.most_bytes = BATCH_LINES, FILLED_BYTES
        self.place = place
        self.first = first
        self.rows = self.size = self.span = 0
        self.hashed = hashlib.sha256()
        self.file: Any = place.open("wb")

    def check(self, line: bytes) -> None:
        """Raise UnfitRowError for a line that is too long for any batch."""
        if len(line) >= self.most_bytes:
            raise UnfitRowError(
                f"is longer than the {self.most_bytes} bytes of a batch"
            )

    def takes(self, line: bytes) -> bool:
        """Say whether a batch has room for one more line."""
        return self.rows < self.most_rows and self.size + len(line) < self.most_bytes

    def add(self, line: bytes, known: bytes) -> None:
        """Add a line, by which the file is known again as far as `known` says."""
        self.file.write(line + b"\n")
        self.hashed.update(known)
        self.rows += 1
        self.size += len(line) + 1

    def name(self, fingerprint: str, alone: bool) -> str:
        """Return its name at the service. One of several says which rows it holds."""
        span = "" if alone else f"-{self.first}-{self.span}"
        return f"rows-{fingerprint}{span}.jsonl"


def span_of(filename: Json) -> tuple[int, int] | None:
    """Return (first row, rows) that the name of one of several files says, or None."""
    found = NAME.fullmatch(filename) if isinstance(filename, str) else None
    return (int(found[1]), int(found[2])) if found else None


def write_input(
    folder: Path,
    table: Table,
    again: str | None,
    asked: Callable[[Members], str],
    sent: Callable[[Members], str] | None = None,
) -> list[InputFile]:
    """Write the input files of a table, a line for each row with the body, as JSON,
    that `asked` makes of it. `sent` makes the body that is sent, where that is another
    each time: the file is known again by what was asked. A row of which `asked` raises
    BlankRowError has no line. Raises TogetherError, with the rows of which there is no
    body, and where none is asked."""
    number = unfit = 0
    flaws: list[Problem] = []
    blank = ""  # why the last row that was left out was
    files = _InputFiles(folder)
    try:
        for number, row in enumerate(table, 1):
            if own := table.taken(row):
                raise table.not_free(f"but a row has a column {own!r} already")
            try:
                if isinstance(row, Flaw):
                    raise UnfitRowError(row.why)
                name = custom_id(number - 1, row, again)
                known = _line(name, asked(row))
                line = _line(name, sent(row)) if sent and not unfit else known
                files.last.check(line)
            except UnfitRowError as error:
                unfit += 1
                if unfit <= 100:
                    flaws.append(
                        {"field": f"rows[{number - 1}]", "problem": str(error)}
                    )
            except BlankRowError as error:
                blank = str(error)
            else:
                if not unfit:  # else nothing is sent
                    files.add(number - 1, line, known)
    finally:
        files.end(number)
    if blank and not unfit and not files.last.rows:
        raise table.refused(f"holds nothing to ask about; every row was {blank}")
    if unfit:
        listed = "; ".join(f"{f['field']} {f['problem']}" for f in flaws[:NAMED])
        more = f" and {unfit - NAMED} more" if unfit > NAMED else ""
        raise TogetherError.refused_all(
            flaws,
            f"{listed}{more}",
            advice="Correct or leave out these rows and run the step again.",
        )
    return files.all


class _InputFiles:
    """The input files of a table; where one is full, the next begins."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.last = InputFile(folder / "0.jsonl", 0)
        self.all = [self.last]

    def add(self, index: int, line: bytes, known: bytes) -> None:
        """Add the line of a row, which is known again by `known`."""
        if not self.last.takes(line):
            self.end(index)
            self.last = InputFile(self.folder / f"{len(self.all)}.jsonl", index)
            self.all.append(self.last)
        self.last.add(line, known)

    def end(self, index: int) -> None:
        """Close the last file: it stands for the rows before that one."""
        self.last.file.close()
        self.last.span = index - self.last.first


def _line(name: str, body: str) -> bytes:
    return f'{{"custom_id": "{name}", "body": {body}}}'.encode("utf-8", "replace")


def custom_id(index: int, row: Json, again: str | None = None) -> str:
    """Return a row's name in the batch; the API takes at most 64 characters."""
    parts = [str(index), digest(row)]
    if again:
        parts.append(digest(again))
    return "-".join(parts)


class Body:
    """The body of each line of an input file: all is the same but for one text, which
    is where `body` has None."""

    def __init__(self, body: Members) -> None:
        mark = os.urandom(16).hex()  # which no text of the body holds
        parts = ENCODER.encode(_with_mark(body, mark)).split(ENCODER.encode(mark))
        self.before, self.after = parts

    def of(self, text: str) -> str:
        """Return it as JSON, with the text."""
        return f"{self.before}{ENCODER.encode(text)}{self.after}"


def _with_mark(value: Json, mark: str) -> Json:
    if isinstance(value, dict):
        return {name: _with_mark(one, mark) for name, one in value.items()}
    if isinstance(value, list):
        return [_with_mark(one, mark) for one in value]
    return mark if value is None else value
