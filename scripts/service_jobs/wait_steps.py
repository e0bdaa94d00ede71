"""Waiting for work at Together, one short look at a time.

Nothing here waits: a flow does, with Windmill's own sleep between two looks, which
holds no worker.
"""

from __future__ import annotations

import time

from ..client import TogetherError, prepare
from ..client.job import log
from .job_kinds import (
    UNKNOWN,
    doubt,
    kind_of_job,
    known_states,
    look,
    pause_after,
    planned,
    share_done,
    stop_job,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shapes import Auth, JobKind, Json, Members, Step


LONGEST_WISH = 600  # seconds that a server's wish to wait is met; no kind waits longer


def poll_job(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Look at a job once.

    Returns {"kind", "job_id", "state", "done", "progress": share of 1 or None,
    "attempt", "started_at": Unix seconds, "waited_seconds", "wait_seconds": until the
    next look, "trouble": why this look showed nothing, "job": the API's own answer once
    it is done, "note"?: what the answer says against its state}. Raises TogetherError: with the job's own reason when it ended badly
    (type "job_failed", `state`, `job`), when the deadline has passed (type "deadline"),
    when the look is refused.
    """
    given = prepare(step, arguments)
    kind, attempt = kind_of_job(given["kind"]), given["attempt"]
    now = time.time()
    started = given.get("started_at", now - planned(kind, attempt))
    # The clocks of two workers may differ: the planned pauses have passed in any case.
    waited = max(now - started, planned(kind, attempt))
    deadline = given.get("deadline_seconds", kind["deadline"])
    shown = {
        "kind": given["kind"],
        "job_id": given["job_id"],
        "state": None,
        "done": False,
        "progress": None,
        "attempt": attempt,
        "started_at": round(started, 3),
        "waited_seconds": round(waited, 3),
        "wait_seconds": _until(deadline - waited, pause_after(kind, attempt)),
    }
    trouble = None
    try:
        job, state = look(auth, given["kind"], given["job_id"])
    except TogetherError as error:
        if not _passing(error):
            raise
        trouble = shown["trouble"] = str(error)
        # A server may name any wait, days too: what was to be waited for ends meanwhile.
        asked = min(error.retry_after or 0, LONGEST_WISH)
        wish = max(shown["wait_seconds"], int(asked))
        shown["wait_seconds"] = _until(deadline - waited, wish)
    else:
        shown["state"] = state
        late = kind.get("late", ()) if waited > 60 else ()
        if state in kind["bad"] or state in late:
            raise _failure(given, kind, job, state)
        share = share_done(kind, job)
        shown["progress"] = None if share is None else round(share, 4)
        if state in kind["good"]:
            ended = {
                **shown,
                "done": True,
                "progress": 1,
                "wait_seconds": 0,
                "job": job,
            }
            return {**ended, **_doubted(given["job_id"], state, job)}
    if waited >= deadline:
        raise _overdue(given, kind, shown, trouble, deadline)
    return shown


def _until(left: float, pause: int) -> int:
    """Return the seconds until the next look, which is no later than the deadline, of
    which so many seconds are left."""
    return max(1, min(pause, int(left)))


def _doubted(job_id: str, state: str, job: Members) -> Members:
    """Return {"note"} of a job that ended well where its answer says against it."""
    told = doubt(job)
    if not told:
        return {}
    note = f"{job_id} is {state}, but {told}."
    log(note)
    return {"note": note}


def finish_wait(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Return the last look of a wait, with how many there were. Raises TogetherError.

    `polls` are the results of poll_job in their order; only the last one holds the job.
    """
    polls = prepare(step, arguments)["polls"]
    last = polls[-1]
    if not isinstance(last, dict) or not last.get("done"):
        raise TogetherError(
            "The wait ended before its job did.", type="deadline", polls=polls[-1:]
        )
    return {**last, "polls": len(polls) + 1}


def cancel_job(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Stop a job at Together, unless it is over.

    Returns {"kind", "job_id", "state": before or after, "cancelled": whether it was
    stopped now, "note"?}. What the API cannot stop is left, and the note says what that
    costs. Raises TogetherError.
    """
    given = prepare(step, arguments)
    return stop_job(auth, given["kind"], given["job_id"])


def _passing(error: TogetherError) -> bool:
    """Say whether a look that failed may succeed later, though nothing changes."""
    from ..resilience.retry import passing  # only when a look failed

    if error.type == "invalid_answer":
        return True  # of whatever stands before the service, for now
    if error.status is None:
        return error.tries is not None  # sent, but not answered
    return passing(error.status)


def _failure(given: Members, kind: JobKind, job: Members, state: str) -> TogetherError:
    name, job_id = given["kind"].replace("_", " "), given["job_id"]
    reason = kind["reason"](job) if "reason" in kind else None
    words = f": {reason}" if reason else "; Together gives no reason"
    advice = "Correct what the reason names and submit it again."
    facts: Members = {}
    from ..resilience.refusals import known_words  # only when a job failed

    if known := known_words(str(reason or "")):
        _, facts["code"], advice = known
        facts["final"] = True
    return TogetherError(
        f"The {name} {job_id} ended in state {state}{words}",
        type="job_failed",
        kind=given["kind"],
        job_id=job_id,
        state=state,
        detail=reason,
        job=job,
        advice=advice,
        **facts,
    )


def _overdue(
    given: Members, kind: JobKind, shown: Members, trouble: str | None, deadline: float
) -> TogetherError:
    name, job_id = given["kind"].replace("_", " "), given["job_id"]
    state = f"last: {trouble}"
    if shown["state"]:
        known = shown["state"] in known_states(kind)
        state = f"its state is {shown['state']}{'' if known else f', {UNKNOWN}'}"
    return TogetherError(
        f"The {name} {job_id} was not done within {deadline:g} seconds ({state}). "
        f"It was not stopped: {kind['left']}.",
        type="deadline",
        kind=given["kind"],
        job_id=job_id,
        state=shown["state"],
        advice="Wait again with inner/wait_for_job, or stop it with waits/cancel_job.",
    )
