"""What every table has in common: rows that cannot be read, cells that are filled."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    from ..client import TogetherError
    from ..shapes import Json

    Row: TypeAlias = Any
    """An object of a table, or a Flaw."""
    Record: TypeAlias = Any
    """(line, cells) of a table, or a Flaw."""
    Refused: TypeAlias = Callable[[str], TogetherError]

ROW_CHARACTERS = 64 << 20  # of a line, and of an item of a JSON array


class Flaw:
    """A row that cannot be read, and why; `last` when nothing behind it can be."""

    def __init__(self, why: str, last: bool = False) -> None:
        self.why = why
        self.last = last


def too_long_row(number: int, what: str = "row") -> str:
    return f"{what} {number} is longer than {ROW_CHARACTERS >> 20} Mi characters"


def filled(cell: Json) -> bool:
    # \x1a ended the files of DOS; with NUL, read as \ufffd, some are filled up.
    if cell.__class__ is str:
        return bool(cell.strip().strip("\x1a\ufeff\ufffd").strip())
    return cell is not None
