"""Waiting for work at Together, one short look at a time.

Nothing here waits: a flow does, with Windmill's own sleep between two looks, which
holds no worker. KINDS is the one table of what can be waited for: how to look at it,
which of its states are the end, where it says why it failed, how it is stopped.

    poll_job     one look: done, or the seconds until the next look makes sense
    finish_wait  the last look of a wait
    cancel_job   stop it at Together
"""

import time

from .client import TogetherError, call, operation, prepare

__all__ = ["KINDS", "cancel_job", "finish_wait", "look", "over", "parts", "poll_job"]

GROWTH = 1.5  # of the pause from one look to the next
HOUR = 3600
# One try a look: what fails in passing is looked at again by the flow, later.
ONCE = {"tries": 1}
RL_OPERATION = (
    "/v1/rl/training-sessions/{session_id}/operations/{operation_type}/{operation_id}"
)


def _last(entries, **wanted):
    """Return the last of a list of objects that has one of these values, or {}."""
    for entry in reversed(entries or []):
        if all(entry.get(name) in values for name, values in wanted.items()):
            return entry
    return {}


def _message(job):
    return (job.get("error") or {}).get("message")


def _tuning_reason(job):
    events = job.get("events")
    found = _last(events, type=("job_error", "JOB_ERROR")) or _last(
        events, level=("error", "Error", "ERROR")
    )
    return found.get("message")


def _epochs(job):
    wanted = job.get("n_epochs")
    return (job.get("epochs_completed") or 0) / wanted if wanted else None


# By kind:
#   names      what the parts of a job_id with slashes are, as the look's path has them
#   look       the operation that shows it; state: where the answer holds its state
#   prefix     of its states' names, left out below
#   good, bad  the states that end it; late: bad too once it has been waited for
#   reason     from the answer to why it failed; progress: to a share of 1
#   first      seconds between the first two looks; longest: the most they become
#   deadline   seconds after which the wait is given up
#   stop       the operation that stops it, and its body
#   left       what it costs when nobody stops it
KINDS = {
    "batch": {
        "names": ("batch_id",),
        "look": operation("GET", "/v1/batches/{batch_id}", "read", **ONCE),
        "state": ("status",),
        "good": ("COMPLETED",),
        "bad": ("FAILED", "EXPIRED", "CANCELLED"),
        "reason": lambda job: job.get("error"),
        "progress": lambda job: (job.get("progress") or 0) / 100,
        "first": 15,
        "longest": 300,
        "deadline": 25 * HOUR,
        "stop": operation(
            "POST", "/v1/batches/{batch_id}/cancel", "mutates", body=False
        ),
        "left": "it goes on, and every answer is charged",
    },
    "fine_tune": {
        "names": ("fine_tune_id",),
        "look": operation("GET", "/v1/fine-tunes/{fine_tune_id}", "read", **ONCE),
        "state": ("status",),
        "good": ("completed",),
        "bad": ("cancelled", "error", "user_error"),
        "reason": _tuning_reason,
        "progress": _epochs,
        "first": 30,
        "longest": 600,
        "deadline": 72 * HOUR,
        "stop": operation(
            "POST", "/v1/fine-tunes/{fine_tune_id}/cancel", "mutates", body=False
        ),
        "left": "it goes on training, and is charged",
    },
    "evaluation": {
        "names": ("evaluation_id",),
        "look": operation("GET", "/v1/evaluation/{evaluation_id}", "read", **ONCE),
        "state": ("status",),
        "good": ("completed",),
        "bad": ("error", "user_error"),
        "reason": lambda job: (job.get("results") or {}).get("error"),
        "first": 15,
        "longest": 300,
        "deadline": 24 * HOUR,
        "left": "it goes on; what its models write is charged",
    },
    "video": {
        "names": ("video_id",),
        "look": operation("GET", "/v2/videos/{video_id}", "read", **ONCE),
        "state": ("status",),
        "good": ("completed",),
        "bad": ("failed", "cancelled"),
        "reason": _message,
        "first": 10,
        "longest": 120,
        "deadline": 2 * HOUR,
        "left": "it is made all the same, and charged",
    },
    "endpoint": {
        "names": ("endpoint_id",),
        "look": operation("GET", "/v1/endpoints/{endpoint_id}", "read", **ONCE),
        "state": ("state",),
        "good": ("STARTED",),
        "bad": ("ERROR",),
        "late": ("STOPPING", "STOPPED"),
        "first": 10,
        "longest": 120,
        "deadline": 2 * HOUR,
        "stop": operation("PATCH", "/v1/endpoints/{endpoint_id}", "mutates"),
        "stop_body": {"state": "STOPPED"},
        "stopped": ("STOPPING", "STOPPED", "ERROR"),
        "left": "it is charged for every minute that it is up, used or not",
    },
    "deployment": {
        "names": ("endpoint_id", "deployment_id"),
        "look": operation(
            "GET",
            "/v2/projects/{project_id}/endpoints/{endpoint_id}"
            "/deployments/{deployment_id}",
            "read",
            **ONCE,
        ),
        "state": ("status", "state"),
        "prefix": "DEPLOYMENT_STATE_",
        "good": ("READY",),
        "bad": ("FAILED",),
        "late": ("STOPPING", "STOPPED"),
        "reason": lambda job: (job.get("status") or {}).get("message"),
        "first": 10,
        "longest": 120,
        "deadline": 2 * HOUR,
        "stop": operation(
            "PATCH",
            "/v2/projects/{project_id}/endpoints/{endpoint_id}"
            "/deployments/{deployment_id}",
            "mutates",
        ),
        "stop_body": {"autoscaling": {"minReplicas": 0, "maxReplicas": 0}},
        "stopped": ("STOPPING", "STOPPED", "FAILED"),
        "left": "each replica is charged for every minute that it is up, used or not",
    },
    "model_upload": {
        "names": ("job_id",),
        "look": operation("GET", "/v1/jobs/{job_id}", "read", **ONCE),
        "state": ("status",),
        "good": ("Complete",),
        "bad": ("Failed",),
        "reason": lambda job: _last(job.get("status_updates")).get("message"),
        "first": 15,
        "longest": 120,
        "deadline": 12 * HOUR,
        "left": "it goes on; an upload costs nothing",
    },
    "remote_upload": {
        "names": ("upload_id",),
        "look": operation(
            "GET",
            "/v2/projects/{project_id}/models/uploads/{upload_id}",
            "read",
            **ONCE,
        ),
        "state": ("status",),
        "prefix": "REMOTE_UPLOAD_STATUS_",
        "good": ("SUCCEEDED",),
        "bad": ("FAILED",),
        "reason": lambda job: job.get("statusMessage"),
        "first": 15,
        "longest": 120,
        "deadline": 12 * HOUR,
        "left": "it goes on; an upload costs nothing",
    },
    "training_operation": {
        "names": ("session_id", "operation_type", "operation_id"),
        "look": operation("GET", RL_OPERATION, "read", **ONCE),
        "state": ("status",),
        "prefix": "TRAINING_OPERATION_STATUS_",
        "good": ("COMPLETED",),
        "bad": ("FAILED",),
        "reason": _message,
        "first": 2,
        "longest": 120,
        "deadline": HOUR,
        "left": "it goes on; its session is charged while it is open",
    },
    "training_session": {
        "names": ("session_id",),
        "look": operation(
            "GET", "/v1/rl/training-sessions/{session_id}", "read", **ONCE
        ),
        "state": ("status",),
        "prefix": "TRAINING_SESSION_STATUS_",
        "good": ("RUNNING",),
        "bad": ("STOPPED", "ERROR", "EXPIRED"),
        "reason": _message,
        "first": 5,
        "longest": 120,
        "deadline": 2 * HOUR,
        "stop": operation(
            "POST", "/v1/rl/training-sessions/{session_id}/stop", "mutates", body=False
        ),
        "stopped": ("STOPPING", "STOPPED", "ERROR", "EXPIRED"),
        "left": "it is charged until it is stopped",
    },
    "model_resources": {
        "names": ("model_resources_id",),
        "look": operation(
            "GET", "/v1/rl/model-resources/{model_resources_id}", "read", **ONCE
        ),
        "state": ("status",),
        "prefix": "MODEL_RESOURCES_STATUS_",
        "good": ("READY",),
        "bad": ("STOPPED", "ERROR"),
        "reason": _message,
        "first": 10,
        "longest": 120,
        "deadline": 4 * HOUR,
        "stop": operation(
            "POST",
            "/v1/rl/model-resources/{model_resources_id}/stop",
            "mutates",
            body=False,
        ),
        "stopped": ("STOPPING", "STOPPED", "ERROR"),
        "left": "they are charged until they are stopped",
    },
    "shaping_job": {
        "names": ("job_id",),
        "look": operation("GET", "/v1/shaping/{job_id}", "read", **ONCE),
        "state": ("status",),
        "good": ("completed",),
        "bad": ("cancelled", "error", "user_error"),
        "reason": _tuning_reason,
        "first": 30,
        "longest": 600,
        "deadline": 24 * HOUR,
        "stop": operation("POST", "/v1/shaping/{job_id}/cancel", "mutates", body=False),
        "left": "it goes on, and is charged",
    },
}


def poll_job(auth, step, **arguments):
    """Look at a job once.

    Returns {"kind", "job_id", "state", "done", "progress": share of 1 or None,
    "attempt", "started_at": Unix seconds, "waited_seconds", "wait_seconds": until the
    next look, "trouble": why this look showed nothing, "job": the API's own answer once
    it is done}. Raises TogetherError: with the job's own reason when it ended badly
    (type "job_failed", `state`, `job`), when the deadline has passed (type "deadline"),
    when the look is refused.
    """
    given = prepare(step, arguments)
    kind, attempt = _kind(given["kind"]), given["attempt"]
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
        "wait_seconds": max(1, min(pause(kind, attempt), int(deadline - waited))),
    }
    trouble = None
    try:
        job, state = look(auth, given["kind"], given["job_id"])
    except TogetherError as error:
        if not _passing(error):
            raise
        trouble = shown["trouble"] = str(error)
        asked = getattr(error, "retry_after", None) or 0
        shown["wait_seconds"] = max(shown["wait_seconds"], int(asked))
    else:
        shown["state"] = state
        late = kind.get("late", ()) if waited > 60 else ()
        if state in kind["bad"] or state in late:
            raise _failed(given, kind, job, state)
        progress = kind.get("progress", lambda job: None)(job)
        shown["progress"] = None if progress is None else round(progress, 4)
        if state in kind["good"]:
            return {**shown, "done": True, "progress": 1, "wait_seconds": 0, "job": job}
    if waited >= deadline:
        raise _overdue(given, kind, shown, trouble, deadline)
    return shown


def finish_wait(auth, step, **arguments):
    """Return the last look of a wait, with how many there were. Raises TogetherError.

    `polls` are the results of poll_job in their order; only the last one holds the job.
    """
    polls = prepare(step, arguments)["polls"]
    last = polls[-1]
    if not isinstance(last, dict) or not last.get("done"):
        raise TogetherError("The wait ended before its job did.", polls=polls[-1:])
    return {**last, "polls": len(polls) + 1}


def cancel_job(auth, step, **arguments):
    """Stop a job at Together, unless it is over.

    Returns {"kind", "job_id", "state": before or after, "cancelled": whether it was
    stopped now, "note"?}. What the API cannot stop is left, and the note says what that
    costs. Raises TogetherError.
    """
    given = prepare(step, arguments)
    kind = _kind(given["kind"])
    job, state = look(auth, given["kind"], given["job_id"])
    shown = {"kind": given["kind"], "job_id": given["job_id"], "state": state}
    if state in over(kind):
        return {**shown, "cancelled": False, "note": f"it was {state} already"}
    if "stop" not in kind:
        note = f"the API cannot stop it: {kind['left']}"
        return {**shown, "cancelled": False, "note": note}
    words = parts(given["kind"], given["job_id"])
    if "stop_body" in kind:
        words["body"] = dict(kind["stop_body"])
        if job.get("etag"):
            words["body"]["etag"] = job["etag"]
    answer = call(auth, kind["stop"], **words)
    return {**shown, "state": _state(kind, answer) or state, "cancelled": True}


def look(auth, name, job_id):
    """Return a job as the API shows it, and its state without prefix."""
    kind = _kind(name)
    job = call(auth, kind["look"], **parts(name, job_id))
    return job, _state(kind, job)


def pause(kind, attempt):
    """Return the seconds from a look, the first being 0, to the next."""
    return int(min(kind["first"] * GROWTH**attempt, kind["longest"]))


def planned(kind, attempt):
    """Return the seconds that lie before a look by plan."""
    return sum(pause(kind, n) for n in range(attempt))


def _kind(name):
    if name not in KINDS:
        known = ", ".join(sorted(KINDS))
        raise TogetherError.refused("kind", f"must be one of {known} (got {name!r})")
    return KINDS[name]


def over(kind):
    """Return the states in which nothing is left to stop.

    A running endpoint is what was waited for, not its end.
    """
    return kind.get("stopped", (*kind["good"], *kind["bad"]))


def parts(name, job_id):
    """Return the parts of a job's id by the names of their places, or raise."""
    names = _kind(name)["names"]
    found = job_id.split("/")
    if len(found) != len(names) or not all(found):
        wanted = "/".join(names)
        raise TogetherError.refused("job_id", f"must be {wanted} (got {job_id!r})")
    return dict(zip(names, found, strict=True))


def _state(kind, job):
    for name in kind["state"]:
        job = job.get(name) if isinstance(job, dict) else None
    return job.removeprefix(kind.get("prefix", "")) if isinstance(job, str) else job


def _passing(error):
    """Say whether a look that failed may succeed later, though nothing changes."""
    status = getattr(error, "status", None)
    if status is None:
        return hasattr(error, "tries")  # sent, but not answered
    return status in (408, 425, 429) or status >= 500


def _failed(given, kind, job, state):
    name, job_id = given["kind"].replace("_", " "), given["job_id"]
    reason = kind.get("reason", lambda job: None)(job)
    words = f": {reason}" if reason else "; Together gives no reason"
    return TogetherError(
        f"The {name} {job_id} ended in state {state}{words}",
        type="job_failed",
        kind=given["kind"],
        job_id=job_id,
        state=state,
        detail=reason,
        job=job,
        advice="Correct what the reason names and submit it again.",
    )


def _overdue(given, kind, shown, trouble, deadline):
    name, job_id = given["kind"].replace("_", " "), given["job_id"]
    state = f"its state is {shown['state']}" if shown["state"] else f"last: {trouble}"
    return TogetherError(
        f"The {name} {job_id} was not done within {deadline:g} seconds ({state}). "
        f"It was not stopped: {kind['left']}.",
        type="deadline",
        kind=given["kind"],
        job_id=job_id,
        state=shown["state"],
        advice="Wait again with inner/wait_for_job, or stop it with waits/cancel_job.",
    )
