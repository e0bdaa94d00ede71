"""What a cell of a table is: blank, a text, or something that reads as more."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shapes import Json, Members

# The kinds of cells, in the order in which a sort has them.
NUMBER, MOMENT, TEXT, BLANK = range(4)
KINDS = {NUMBER: "numbers", MOMENT: "dates"}


def is_blank(cell: Json) -> bool:
    """Say whether nothing stands in a cell."""
    return cell is None or (cell.__class__ is str and not cell.strip())


def text_of(cell: Json) -> str:
    """Return a cell as text: what is none as JSON has it, "" for null."""
    if cell is None or cell.__class__ is str:
        return cell or ""
    return json.dumps(cell, ensure_ascii=False)


def folded(cell: Json) -> str:
    """Return a cell as text in which case, and blanks around it, make no difference."""
    return text_of(cell).casefold().strip()


def sort_key(kind: int, value: Json) -> Json:
    """Return that by which a cell is sorted among those of its kind: texts whatever
    their case."""
    return folded(value) if kind == TEXT else value


def json_within(cell: Json) -> list[Json] | Members | None:
    """Return the list or object that a cell is, or that its text is as JSON; else
    None."""
    if cell.__class__ is str:
        if cell.lstrip()[:1] not in ("[", "{"):
            return None
        try:
            cell = json.loads(cell)
        except (ValueError, RecursionError):
            return None
    return cell if isinstance(cell, list | dict) else None


def json_folded(cell: Json) -> str:
    """Return what `folded` does; the blanks within a list or object, also as a text of
    JSON, and the order of its members make no difference."""
    value = json_within(cell)
    if value is None:
        return folded(cell)
    return json.dumps(value, ensure_ascii=False, sort_keys=True).casefold()
