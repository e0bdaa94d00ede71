"""The header of a table, which names its columns, and rows made by it."""

from __future__ import annotations

from ..table.row import Flaw, filled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shapes import Json
    from ..table.row import Row

ABOVE = "remove what stands above the names of the columns"


class Header:
    """The names of a table's columns."""

    def __init__(self, line: int, cells: list[Json]) -> None:
        self.line = line
        self.cells = cells
        self.names, self.width = _names(cells)
        named = [*map(filled, cells)]
        self.count = sum(named)
        self.start = named.index(True)  # the columns before the first with a name

    def is_title(self, cells: list[Json]) -> bool:
        """Say whether the header is a title, by the cells of the row below it: those
        are then the names of the columns."""
        below = cells[self.start : self.start + 1]
        count = sum(map(filled, cells))
        return self.count == 1 and count >= 2 + any(map(filled, below))

    def row(self, line: int, cells: list[Json]) -> Row:
        """Return the row of some cells, or a Flaw."""
        names, width = self.names, self.width
        if cells == self.cells and self.count > 1:
            return Flaw(f"line {line} names the columns once more: remove it")
        row = dict(zip(names[:width], cells, strict=False))
        if len(cells) < width:
            row |= dict.fromkeys(names[len(cells) : width])
        elif len(cells) > width:
            more = [n for n, c in enumerate(cells[width:], width) if filled(c)]
            if more and more[-1] >= len(names):
                return Flaw(_too_wide(line, more[-1] + 1, len(names)))
            row |= {names[n]: cells[n] for n in more}
        for name in names[: self.start]:  # as of a sheet whose table begins at B3
            if not filled(row[name]):
                del row[name]
        return row


def _too_wide(line: int, cells: int, columns: int) -> str:
    return (
        f"line {line} has more cells than columns: {cells}, while the header names "
        f"{columns}. A cell that holds the sign between cells must stand in quotes, and "
        "nothing may stand above the names of the columns"
    )


def _names(cells: list[Json]) -> tuple[list[str], int]:
    """Return (a name for each column, no two alike, how many columns there are up to
    the last that the header names)."""
    # A byte order mark, which some tools write twice, is no part of a name.
    names = [
        str(cell).strip("\ufeff").strip() if filled(cell) else "" for cell in cells
    ]
    width = max(n for n, name in enumerate(names, 1) if name)
    taken = {name for name in names if name}
    unique: dict[str, None] = {}
    tries: dict[str, int] = {}  # by name: a header may repeat one name many times
    for number, name in enumerate(names, 1):
        made = first = name or f"column_{number}"
        while made in unique or (made != name and made in taken):
            tries[first] = tries.get(first, 1) + 1
            made = f"{first}_{tries[first]}"
        unique[made] = None
    return list(unique), width
