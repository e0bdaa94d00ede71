"""Waiting for work at Together, one short look at a time.

Nothing here waits: a flow does, with Windmill's own sleep between two looks, which
holds no worker.
"""

from __future__ import annotations

import time

from ..client import TogetherError, call, prepare
from ..client.job import log
from .job_kinds import (
    UNKNOWN,
    doubt,
    kind_of_job,
    known_states,
    look,
    over,
    parts,
    pause_after,
    planned,
    several,
    state_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shapes import Auth, JobKind, Json, Members, Step


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
        "wait_seconds": max(1, min(pause_after(kind, attempt), int(deadline - waited))),
    }
    trouble = None
    try:
        job, state = look(auth, given["kind"], given["job_id"])
    except TogetherError as error:
        if not _passing(error):
            raise
        trouble = shown["trouble"] = str(error)
        asked = error.retry_after or 0
        shown["wait_seconds"] = max(shown["wait_seconds"], int(asked))
    else:
        shown["state"] = state
        late = kind.get("late", ()) if waited > 60 else ()
        if state in kind["bad"] or state in late:
            raise _failed(given, kind, job, state)
        progress = kind.get("progress", lambda job: None)(job)
        shown["progress"] = None if progress is None else round(progress, 4)
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
        raise TogetherError("The wait ended before its job did.", polls=polls[-1:])
    return {**last, "polls": len(polls) + 1}


def cancel_job(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Stop a job at Together, unless it is over.

    Returns {"kind", "job_id", "state": before or after, "cancelled": whether it was
    stopped now, "note"?}. What the API cannot stop is left, and the note says what that
    costs. Raises TogetherError.
    """
    given = prepare(step, arguments)
    kind = kind_of_job(given["kind"])
    ids = several(given["kind"], given["job_id"])
    if len(ids) > 1:
        return _cancel_all(auth, step, given, ids)
    job, state = look(auth, given["kind"], given["job_id"])
    shown = {"kind": given["kind"], "job_id": given["job_id"], "state": state}
    if state in over(kind):
        return {**shown, "cancelled": False, "note": f"it was {state} already"}
    if "stop" not in kind:
        note = f"the API cannot stop it: {kind['left']}"
        return {**shown, "cancelled": False, "note": note}
    words: Members = {**parts(given["kind"], given["job_id"])}
    if "stop_body" in kind:
        tag = {"etag": job["etag"]} if job.get("etag") else {}
        words["body"] = {**kind["stop_body"], **tag}
    answer = call(auth, kind["stop"], **words)
    after = state_of(kind, answer) or state
    if "stopped" not in kind and after in kind["good"]:
        note = f"it was {after} before it could be stopped"
        return {**shown, "state": after, "cancelled": False, "note": note}
    return {**shown, "state": after, "cancelled": True}


def _cancel_all(auth: Auth, step: Step, given: Members, ids: list[str]) -> Members:
    """Stop each of several jobs that is not over; one that cannot be stopped keeps
    none of the others from it. Raises TogetherError, the first one's."""
    kind = given["kind"]
    found: list[Members] = []
    failed: TogetherError | None = None
    for one in ids:
        try:
            found.append(cancel_job(auth, step, kind=kind, job_id=one))
        except TogetherError as error:
            failed = failed or error
    if failed:
        raise failed
    stopped = [one for one in found if one["cancelled"]]
    note = f"{len(stopped)} of {len(ids)} were stopped now"
    state = (stopped or found)[0]["state"]
    shown = {"kind": kind, "job_id": given["job_id"], "state": state}
    return {**shown, "cancelled": bool(stopped), "note": note}


def _passing(error: TogetherError) -> bool:
    """Say whether a look that failed may succeed later, though nothing changes."""
    from ..resilience.retry import passing  # only when a look failed

    if error.type == "invalid_answer":
        return True  # of whatever stands before the service, for now
    if error.status is None:
        return error.tries is not None  # sent, but not answered
    return passing(error.status)


def _failed(given: Members, kind: JobKind, job: Members, state: str) -> TogetherError:
    name, job_id = given["kind"].replace("_", " "), given["job_id"]
    reason = kind.get("reason", lambda job: None)(job)
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
