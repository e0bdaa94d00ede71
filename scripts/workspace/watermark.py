"""What is new since the last run that ended well.

What was seen is kept in the script's state. Nothing is reported twice or lost: what a
run found is kept beside the old watermark, with the run's own job, and counts as
reported only once that job is known to have ended well; otherwise the next run reports
it again.
"""

from __future__ import annotations

import json
import os
import time

from ..client import TogetherError
from ..client.job import log
from ..client.references import harmless
from .jobs import outcome
from .state import get_state, set_state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..shapes import Json, Members

GONE = 1000  # of what is listed no more, as many stay known: the last ones


def new_since(
    news: Callable[[Json], list[Members]],
    watermark: Json,
    key: str,
    first: Json = None,
    eager: bool = False,
    about: Members | None = None,
    keeps: bool = False,
) -> list[Members]:
    """Return what is new since the watermark of the last run that ended well.

    `news` makes it from that watermark; `watermark` is the one as of now; `key` names
    the member that tells whether two reports are of the same thing; `first` is what the
    first run keeps, if not `watermark`; `about` are the arguments that say what is
    looked at: where they are others than before, this is a first run again. With
    `keeps`, watermarks are of things by id, and one that is not listed any more stays
    known, as it may come back. The first run, unless it is `eager`, and one that
    overlaps with another return nothing. Raises TogetherError.
    """
    watermark, _ = harmless(watermark)  # as the state has it
    about, _ = harmless(about)
    state = get_state()
    begins = not isinstance(state, dict) or "mark" not in state
    if not begins and state.get("about", about) != about:
        log("its arguments were changed: it begins anew, as in a first run")
        begins = True
    if begins:
        state = {"mark": watermark if first is None else first}
        if not eager:
            _keep(state, about)
            log("the first run returns nothing; it records the current state")
            return []
    _check(state, watermark, key, keeps)
    known, carried = state, []
    pending = state.get("pending")
    if pending:
        ended = _ended(pending["job"])
        if ended is None:
            log(f"the run {pending['job']} still works at what is new")
            return []
        if ended:
            known = pending
        else:
            carried = pending["found"]
    before = {name: known[name] for name in ("mark", "gone") if name in known}
    now: Members = {"mark": watermark}
    if keeps:
        now = _with_gone(before, watermark)
    found = news(_by_id(before) if keeps else before["mark"])
    found = with_carried(carried, found, key)
    if found:
        job = os.environ.get("WM_JOB_ID")
        told = {"job": job, "at": int(time.time()), **now, "found": found}
        _keep({**before, "pending": told}, about)
    else:
        log("nothing is new since the last run")
        if begins or pending or before != now or state.get("about") != about:
            _keep(now, about)
    return found


def _check(state: Members, watermark: Json, key: str, keeps: bool) -> None:
    """Raise a TogetherError for a state that no run of this version can have kept:
    somebody changed it, or a version whose watermarks are of another kind."""
    nothing = {"mark": state["mark"], "job": None, "found": []}
    pending = state.get("pending") or nothing
    usable = isinstance(pending, dict) and nothing.keys() <= pending.keys()
    usable = usable and isinstance(pending["job"], str | None)
    found = pending["found"] if usable else None
    usable = isinstance(found, list) and all(
        isinstance(entry, dict) and key in entry for entry in found
    )
    for known in (state, pending) if usable else ():
        mark, gone = known.get("mark"), known.get("gone") or []
        usable = usable and isinstance(gone, list)
        if not keeps or not isinstance(mark, dict | list):
            usable = usable and isinstance(mark, type(watermark))
    if not usable:
        raise TogetherError(
            "The state that this trigger keeps from run to run cannot be read.",
            type="invalid_answer",
            partial=state,
            ambiguous=False,
            advice="Delete the trigger's state among Windmill's resources: the next "
            "run begins anew, as a first one.",
        )


def with_carried(
    carried: list[Members], found: list[Members], key: str
) -> list[Members]:
    """Return what an earlier run found and reported to nobody, save what is found
    again, and what is found now."""
    again = {_comparable(entry[key]) for entry in found}
    left = [entry for entry in carried if _comparable(entry[key]) not in again]
    return left + found


def _comparable(value: Json) -> str:
    """Return a text that is the same for equal values, also as a state has kept one."""
    return json.dumps(harmless(value)[0], sort_keys=True)


def _keep(state: Members, about: Members | None) -> None:
    set_state({**state, "about": about} if about else state)


def _by_id(known: Members) -> Members:
    """Return everything that is known, by id: what is listed, and what was before."""
    mark = known["mark"]
    listed = mark if isinstance(mark, dict) else dict.fromkeys(mark)
    return {**dict(known.get("gone", ())), **listed}


def _with_gone(before: Members, watermark: Json) -> Members:
    """Return the watermark, with what was known before and is not in it.

    An answer may lack things for once, or all of them: they would be news again. Pairs
    in a list, for the server does not keep the order of an object's members.
    """
    listed = set(watermark)
    gone = [pair for pair in _by_id(before).items() if pair[0] not in listed]
    if not gone:
        return {"mark": watermark}
    return {"mark": watermark, "gone": [list(pair) for pair in gone[-GONE:]]}


def _ended(job: str) -> bool | None:
    """Say whether a job ended well; None while it runs.

    This one has not: Windmill starts a job anew whose worker died, under the same id,
    and what it had found reached nobody.
    """
    if job == os.environ.get("WM_JOB_ID"):
        return False
    try:
        found = outcome(job)
    except TogetherError as error:
        if error.status == 404:
            return True  # Windmill forgets jobs that ended long ago
        raise
    return None if found is None else found["outcome"] == "success"
