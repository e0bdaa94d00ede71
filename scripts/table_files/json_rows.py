"""Rows written as JSON: telling them from other tables, and reading them."""

from __future__ import annotations

import json
import re

from ..client.jsonio import BLANKS
from ..table.row import ROW_CHARACTERS, too_long_row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..shapes import Json
    from ..table.row import Refused, Row

BLANK = re.compile(r"[ \t\r\n]*")


class JsonText:
    """JSON text that is read value by value, of which little more than one is held."""

    def __init__(self, blocks: Iterable[str], refused: Refused) -> None:
        self.blocks = iter(blocks)
        self.refused = refused
        self.text, self.place, self.ended = "", 0, False

    def more(self) -> None:
        """Read on, at least as much as is held already: a long value is then parsed again
        few times."""
        rest = self.text[self.place :]
        pieces, size = [rest], 0
        while size <= len(rest) and not self.ended:
            block = next(self.blocks, None)
            if block is None:
                self.ended = True
            else:
                pieces.append(block)
                size += len(block)
        self.text, self.place = "".join(pieces), 0

    def sign(self) -> str:
        """Return the next sign that is not blank, "" at the end."""
        while True:
            blank = BLANK.match(self.text, self.place)  # of any length, 0 too
            self.place = blank.end() if blank else self.place
            if self.place < len(self.text):
                return self.text[self.place]
            if self.ended:
                return ""
            self.more()

    def item(self, decoder: json.JSONDecoder, number: int) -> tuple[Json, str]:
        """Return (the next value, its text). Raises what `refused` makes."""
        self.sign()
        while True:
            fault = "it is cut off"
            try:
                value, end = decoder.raw_decode(self.text, self.place)
                # A number may go on in the next block.
                if end < len(self.text) or self.ended:
                    written = self.text[self.place : end]
                    self.place = end
                    return value, written
            except RecursionError:
                problem = f"row {number} is nested too deeply"
                raise self.refused(f"cannot be read: {problem}") from None
            except ValueError as error:
                fault = (
                    error.msg if isinstance(error, json.JSONDecodeError) else str(error)
                )
            if self.ended:
                raise self.refused(f"is not JSON: row {number}: {fault}")
            if len(self.text) - self.place > ROW_CHARACTERS:
                raise self.refused(
                    f"holds no row that can be read: {too_long_row(number)}"
                )
            self.more()


def is_array(name: str | None, head: str) -> bool:
    """Say whether a text that begins with [ is a JSON list, rather than CSV whose first
    column is named [like this]."""
    start = head[1:].lstrip()[:5]
    if name and name.lower().endswith((".csv", ".tsv")):
        return start[:1] in ("{", "[")
    return not start or start[0] in '{["]-0123456789' or start in ("true,", "null,")


def is_json(name: str | None, line: str) -> bool:
    """Say whether a file is JSON Lines, by its name and its first line."""
    start = line.lstrip()
    if start[:1] != "{":
        if not name or not name.lower().endswith((".jsonl", ".ndjson")):
            return False
        try:  # a text or number alone, which a CSV's header may look like
            json.loads(line)
        except (ValueError, RecursionError):
            return False
        return True
    if name and name.lower().endswith((".csv", ".tsv")):
        return re.match(r'{\s*"', start) is not None
    return True


def json_value(decoder: json.JSONDecoder, text: str) -> Json:
    """Return the value of a JSON text, or None."""
    text = text.strip(BLANKS)
    try:
        value, end = decoder.raw_decode(text)
    except (ValueError, RecursionError):
        return None
    return value if end == len(text) else None


def gather_lines(
    lines: Iterator[tuple[int, str]],
) -> tuple[list[tuple[int, str]], str]:
    """Return (the next lines, up to the length that a row may have, their text)."""
    found, size = [], 0
    for number, line in lines:
        found.append((number, line))
        size += len(line)
        if size > ROW_CHARACTERS:
            break
    return found, "".join(line for _, line in found)


def begins_with_object(decoder: json.JSONDecoder, text: str) -> bool:
    """Say whether a text begins with a whole JSON object."""
    try:
        value, _ = decoder.raw_decode(text.lstrip(BLANKS))
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict)


def holds_rows(row: Json) -> bool:
    """Say whether a row is an object around rows, such as {"rows": [...]}."""
    if not isinstance(row, dict) or len(row) != 1:
        return False
    ((name, rows),) = row.items()
    if name not in AROUND or not isinstance(rows, list):
        return False
    return all(isinstance(one, dict) for one in rows)


AROUND = ("rows", "data", "items", "results", "records")


def list_within(row: Row) -> str | None:
    """Return the name of a list of objects in a row that may be meant as the rows, or
    None: messages of a conversation are not."""
    for name, value in row.items() if isinstance(row, dict) else ():
        if not (isinstance(value, list) and len(value) > 1):
            continue
        if all(isinstance(v, dict) and not v.keys() & {"role", "from"} for v in value):
            return str(name)
    return None
