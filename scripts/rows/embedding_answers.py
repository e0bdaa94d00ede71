"""The vectors that an answer holds, and whose they are."""

from __future__ import annotations

from collections import Counter

from ..client import TogetherError
from ..client.jsonio import finite
from ..table.vectors import vector_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shapes import Members
    from ..table.vectors import Vector


def vectors_in(answer: Members, count: int) -> list[tuple[Vector | None, str | None]]:
    """Return (vector, None) or (None, why not) for each text of a request, in order.

    A vector is usable when it has as many numbers as most of them. Raises TogetherError
    where it cannot be told whose vectors they are.
    """
    found = answer.get("data")
    found = [found] if isinstance(found, dict) else found
    found = found if isinstance(found, list) else []
    found = [one if isinstance(one, dict) else {"embedding": one} for one in found]
    places = _places(found) if len(found) == count else _told_places(found, count)
    vectors: list[Vector | None] = [None] * count
    for place, one in zip(places, found, strict=True):
        if place < count:
            vectors[place] = vector_of(one.get("embedding"))
    lengths = Counter(len(vector) for vector in vectors if vector)
    usual = lengths.most_common(1)[0][0] if lengths else 0
    return [fitting_vector(vector, usual) for vector in vectors]


def _told_places(found: list[Members], count: int) -> list[int]:
    """Return whose vector each one is, of fewer or more than there are texts: each must
    say it. Raises TogetherError where one does not."""
    indexes = [finite(one.get("index")) for one in found]
    told = [int(index) for index in indexes if index is not None and index >= 0]
    if not found or len({*told}) < len(found) or told != indexes:
        raise TogetherError(
            f"the answer does not hold {count} vectors", type="invalid_answer"
        )
    return told


def _places(found: list[Members]) -> list[int]:
    """Return whose vector each one is: by its index; in their order where none has one
    of its own. A single index that is lacking is the one that is left."""
    order = list(range(len(found)))
    indexes = [finite(one.get("index")) for one in found]
    lacking = indexes.count(None)
    if not lacking and len({*indexes}) == 1:
        return order
    left = {*order} - {*indexes}
    if lacking == len(left) == 1:
        (rest,) = left
        indexes = [rest if index is None else index for index in indexes]
    elif lacking:
        known = zip(order, indexes, strict=True)
        indexes = [place if index is None else index for place, index in known]
    places = [int(index) for index in indexes if index is not None]
    if sorted(places) != order or places != indexes:
        raise TogetherError(
            "the answer does not say which text each of its vectors is of",
            type="invalid_answer",
        )
    return places


def fitting_vector(
    vector: Vector | None, usual: int
) -> tuple[Vector | None, str | None]:
    if vector is None:
        return None, "the answer holds no usable vector for it"
    if len(vector) != usual:
        return None, f"its vector has {len(vector)} numbers, the others {usual}"
    return vector, None
