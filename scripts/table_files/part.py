"""A part of a table: the rows of a range of bytes, as another job cut it.

files/split_table says what a part is (scripts/across/cutting.py):

    number, of    which part it is, from 1 on, of how many
    start, end    its rows' bytes in the file
    head          bytes at the file's start that stand before its rows as well: the
                  header of CSV, 0 for JSON Lines
    line, rows    the number of its first line, less the head's lines; how many rows
    csv           None for JSON Lines, else what csv_form said of the whole table
    tag           the validator of what the address answered with, or None
    size          bytes of the whole file
    kept          where its answers are kept: "storage", or "state" where the workspace
                  has no storage
    model         the one that all parts are asked of, where the flow's first step chose
                  it; else missing
"""

from __future__ import annotations

from ..client import TogetherError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..shapes import Json, Members

NUMBERS = ("number", "of", "start", "end", "head", "line", "rows", "size")


def checked(part: Json, field: str) -> Members:
    """Return a part. Raises TogetherError for what is none."""
    good = (
        isinstance(part, dict)
        and all(type(part.get(name)) is int for name in NUMBERS)
        and 0 <= part["head"] <= part["start"] <= part["end"] <= part["size"]
        and part.get("kept") in ("storage", "state")
        and isinstance(part.get("model"), str | None)
        and _is_form(part.get("csv"))
    )
    if not good:
        raise TogetherError.refused(
            field, "has a part that files/split_table never cut"
        )
    return part


def _is_form(form: Json) -> bool:
    if form is None:
        return True
    return (
        isinstance(form, dict)
        and isinstance(form.get("delimiter"), str)
        and len(form["delimiter"]) == 1
        and isinstance(form.get("blank"), bool)
        and form.get("quotes", "doubled") in ("doubled", "escaped", "none")
    )


def blocks_of(source: Any, part: Members, field: str) -> Iterator[bytes | memoryview]:
    """Yield the head and the rows of a part. Raises TogetherError where the file is
    not the one that was split, as far as its server tells."""
    tag = validator(source)
    if source.length not in (None, part["size"]) or tag != part.get("tag"):
        raise TogetherError(
            f"{field} is not the file any more that was split.",
            type="changed_object",
            advice="Run the flow again: it splits the file anew.",
        )
    return _ranged(source, part, field)


def _ranged(source: Any, part: Members, field: str) -> Iterator[bytes | memoryview]:
    start = part["start"]
    if start == part["head"]:
        yield from _first(source.blocks(), part["end"], field)
        return
    if part["head"]:
        yield from _first(source.blocks(), part["head"], field)
    yield from _first(source.blocks(start), part["end"] - start, field)


def _first(blocks: Any, count: int, field: str) -> Iterator[bytes | memoryview]:
    """Yield the first bytes of some blocks, and close what gives them."""
    try:
        while count > 0:
            block = next(blocks, None)
            if block is None:
                raise TogetherError.refused(field, "ends within a part: it is shorter")
            yield block[:count]
            count -= len(block)
    finally:
        blocks.close()


def validator(source: Any) -> str | None:
    """Return the validator (ETag or so) of a file that came from an address, or None."""
    first = getattr(source, "first", None)
    return first.validator if first is not None else None
