"""A module that says its types in every way."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    Names = dict[str, Iterator[str]]


class Shape:
    sides: int = 3

    def grow(self, by: int = 1, *more: int, **others: Names) -> int:
        size: int = by
        return size


def join(
    first: str, /, *, last: str | None = None
) -> list[object]:  # é: the place of what follows is counted in bytes
    é: str = "é"; ä: dict[str, int] = {}  # fmt: skip  # noqa: E702
    return [é, ä]
