"""What a cell of a table is: blank, a text, or something that reads as more."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shapes import Json

# The kinds of cells, in the order in which a sort has them.
NUMBER, MOMENT, TEXT, BLANK = range(4)
KINDS = {NUMBER: "numbers", MOMENT: "dates"}


def is_blank(cell: Json) -> bool:
    """Say whether nothing stands in a cell."""
    return cell is None or (cell.__class__ is str and not cell.strip())


def text_of(cell: Json) -> str:
    """Return a cell as text, "" for null."""
    return "" if cell is None else str(cell)


def folded(cell: Json) -> str:
    """Return a cell as text in which case, and blanks around it, make no difference."""
    return text_of(cell).casefold().strip()
