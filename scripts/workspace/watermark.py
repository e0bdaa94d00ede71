"""What is new since the last run that ended well.

What was seen is kept in the script's state. Nothing is reported twice or lost: what a
run found is kept beside the old watermark, with the run's own job, and counts as
reported only once that job is known to have ended well; otherwise the next run reports
it again.
"""

from __future__ import annotations

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


def new_since(
    news: Callable[[Json], list[Members]],
    watermark: Json,
    key: str,
    first: Json = None,
    eager: bool = False,
) -> list[Members]:
    """Return what is new since the watermark of the last run that ended well.

    `news` makes it from that watermark; `watermark` is the one as of now; `key` names
    the member that tells whether two reports are of the same thing; `first` is what the
    first run keeps, if not `watermark`. The first run, unless it is `eager`, and one
    that overlaps with another return nothing. Raises TogetherError.
    """
    watermark, _ = harmless(watermark)  # as the state has it
    state = get_state()
    begins = False
    if not isinstance(state, dict) or "mark" not in state:
        state = {"mark": watermark if first is None else first}
        if not eager:
            set_state(state)
            log("the first run returns nothing; it records the current state")
            return []
        begins = True
    before, carried = state["mark"], []
    pending = state.get("pending")
    if pending:
        ended = _ended(pending["job"])
        if ended is None:
            log(f"the run {pending['job']} still works at what is new")
            return []
        if ended:
            before = pending["mark"]
        else:
            carried = pending["found"]
    found = news(before)
    known = [entry[key] for entry in found]
    found = [entry for entry in carried if entry[key] not in known] + found
    if found:
        job = os.environ.get("WM_JOB_ID")
        told = {"job": job, "at": int(time.time()), "mark": watermark, "found": found}
        set_state({"mark": before, "pending": told})
    else:
        log("nothing is new since the last run")
        if begins or pending or before != watermark:
            set_state({"mark": watermark})
    return found


def _ended(job: str) -> bool | None:
    """Say whether a job ended well; None while it runs."""
    try:
        found = outcome(job)
    except TogetherError as error:
        if error.status == 404:
            return True  # Windmill forgets jobs that ended long ago
        raise
    return None if found is None else found["outcome"] == "success"
