"""Whether an answer is what was asked for.

about    the thing of an id
made_id  the id of what was made
listed   the entries of a list, in whichever of its shapes
"""

from __future__ import annotations

from .errors import TogetherError
from .job import log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shapes import Json, Members, Operation

LONG_ENOUGH = 8  # letters of an id that no two things have in common by chance


def about(asked: str, answer: Json, name: str = "id") -> Json:
    """Return an answer that is about the thing of the id that was asked for, as far as
    it has an id of that name. Raises TogetherError."""
    answered_id = answer.get(name) if isinstance(answer, dict) else None
    if answered_id in (None, "") or not _is_another(answered_id, asked):
        return answer
    raise TogetherError(
        f"What was asked for is {asked}, and the answer is about {str(answered_id)[:200]}.",
        type="invalid_answer",
        partial=answer,
        ambiguous=False,
        advice="Check auth.base_url, and what keeps answers on the way. Where it gives "
        "things ids of its own, ask for that of the answer.",
    )


def made_id(answer: Json, operation: Operation, name: str = "id") -> str:
    """Return the id of what an operation made, which its answer has under that name.
    Raises TogetherError, `ambiguous`, where it has none: the thing may exist."""
    new_id = answer.get(name) if isinstance(answer, dict) else None
    if isinstance(new_id, str | int) and str(new_id).strip():
        return str(new_id)
    find = operation.get("find")
    look = f"look with {find}" if find else "look in the dashboard"
    raise TogetherError(
        "The service did not say the id of what it made.",
        type="invalid_answer",
        method=operation["method"],
        path=operation["path"],
        partial=answer,
        ambiguous=True,
        advice=f"It may exist: {look} before running the step again.",
    )


def _is_another(answered_id: Json, asked: str) -> bool:
    """Say whether two ids are of different things. Some servers put a word before an
    id, or leave it out, or take its beginning for it: ft-1 may be ft-1-of-2, not ft-12,
    though one that is long enough may end anywhere."""
    short, long = sorted(
        (str(answered_id).strip().lower(), asked.strip().lower()), key=len
    )
    for rest in (long.removeprefix(short), long.removesuffix(short)[::-1]):
        whole = len(short) >= LONG_ENOUGH or not rest[:1].isalnum()
        if len(rest) + len(short) == len(long) and whole:
            return False
    return True


def listed(answer: Json, key: str | None = None) -> list[Members]:
    """Return the objects of a list that came bare or as the member `data`, with `key`
    those that have an id of that name; the log tells how many were left out.

    Raises TogetherError for an answer without a list: it is not to be taken for an
    empty one. That, some servers write as null.
    """
    entries = answer.get("data", answer) if isinstance(answer, dict) else answer
    if entries is None and isinstance(answer, dict):
        entries = []
    if not isinstance(entries, list):
        raise TogetherError(
            "What should be a list is none in the answer.",
            type="invalid_answer",
            partial=answer,
            ambiguous=False,
            advice="Check auth.base_url: what answers there may not be the API.",
        )
    objects = [one for one in entries if isinstance(one, dict) and _has_id(one, key)]
    if left := len(entries) - len(objects):
        log(f"{left} of {len(entries)} entries of a list were left out: they are none")
    if isinstance(answer, dict) and answer.get("next_cursor"):
        log(f"the list goes on behind its first {len(entries)} entries, unread")
    return objects


def _has_id(entry: Members, key: str | None) -> bool:
    return key is None or (isinstance(entry.get(key), str) and bool(entry[key]))
