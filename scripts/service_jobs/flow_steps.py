"""What a flow needs around work that costs money while it is left alone.

A flow that is cancelled runs nothing more; so a guard is a flow of its own.

    start_guard     a flow that stops the work when this one is cancelled
    start_flow      another flow of the workspace, without waiting for it
    watch_flow      one look at a flow that was started
    choose_output   where bytes go, decided before they are paid for
    ask_approval    the links by which a person lets this flow go on
    report_failure  what a failed flow left running, and what that costs
    finish_flow     the tidy result at the end of a flow
"""

from __future__ import annotations

import os

from ..client import TogetherError, call, prepare
from ..client.asked_for import listed
from ..client.job import in_job
from ..client.jsonio import finite
from ..operations import operation
from ..workspace import jobs
from ..workspace.markup import facts, inline
from ..workspace.storage import place_for
from .job_kinds import KINDS, growing, look, over, parts, stop_job

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shapes import Auth, Json, Members, Step


HARDWARE = operation("hardware/list_hardware")
FIRST, LONGEST = 15, 600  # seconds between two looks at a flow


def start_guard(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Start the flow inner/guard_job, which outlives the flow that this step is in.

    A flow that is cancelled runs nothing more, not even its error handler: the guard
    sees it and stops the job at Together. Returns {"guard": its Windmill job, "note"?}.
    Raises TogetherError.
    """
    given = prepare(step, arguments)
    parts(given["kind"], given["job_id"])
    watched = os.environ.get("WM_ROOT_FLOW_JOB_ID") or os.environ.get("WM_FLOW_JOB_ID")
    if not in_job() or not watched:
        return {"guard": None, "note": "There is no guard outside a Windmill flow."}
    if not given.get("resource"):
        # The key itself must not become an argument of a job, where everybody reads it.
        note = "There is no guard: the flow was not given a resource, but a key itself."
        return {"guard": None, "note": note}
    place = os.environ.get("WM_JOB_PATH") or ""
    folder = place.removesuffix("/waits/start_guard")
    words = {name: given[name] for name in ("kind", "job_id", "when")}
    words["flow_job_id"] = watched
    guard = jobs.start(
        f"{folder}/inner/guard_job", "flow", _with_auth(given["resource"], words)
    )
    return {"guard": guard}


def start_flow(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Start a flow, do not wait for it; {"flow_job_id"}. Raises TogetherError."""
    given = prepare(step, arguments)
    words = given.get("arguments", {})
    if given.get("resource"):
        words = _with_auth(given["resource"], words)
    return {"flow_job_id": jobs.start(given["path"], "flow", words)}


def watch_flow(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Look at a flow's job once.

    Returns {"done", "outcome": None, "success", "failure" or "cancelled",
    "wait_seconds", "result": once it is done}. Raises TogetherError.
    """
    given = prepare(step, arguments)
    found = jobs.outcome(given["flow_job_id"])
    if found is None:
        pause = growing(FIRST, LONGEST, given["attempt"])
        return {"done": False, "outcome": None, "wait_seconds": pause}
    return {"done": True, "wait_seconds": 0, **found}


def choose_output(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Return {"output": storage, result or url, "note": why not storage, or None}.

    Raises TogetherError where storage was chosen and there is none.
    """
    given = prepare(step, arguments)
    output, note = place_for(given.get("output"), given["instead"], given["field"])
    return {"output": output, "note": note}


def ask_approval(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Return the links that let the flow go on or end it, with what to decide on.

    {"resume", "cancel", "approvalPage", "description": what the page shows}. Raises
    TogetherError.
    """
    given = prepare(step, arguments)
    lines = [f"**{inline(given['question'])}**", "", *facts(given.get("details", {}))]
    urls = jobs.resume_urls(given.get("approver"))
    return {**urls, "description": {"markdown": "\n".join(lines)}}


def report_failure(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Return what a failed flow left behind: the result of a flow that failed.

    {"message", "failed_step", "error", "left": [{"kind", "job_id", "state", "running",
    "costs", "usd_per_hour"?, "stop"}], "kept": {...}}. What is marked `stop` is stopped
    first. Never raises because something at Together cannot be read or stopped: that is
    said in its place.
    """
    given = prepare(step, arguments)
    error = given["error"]
    left = [
        _job_left(auth, entry) for entry in given.get("left", []) if entry.get("job_id")
    ]
    running = [entry for entry in left if entry["running"] is not False]
    message = error.get("message") or error.get("name") or "The flow failed"
    text = str(message).rstrip()
    words = [text if text.endswith((".", "!", "?", ":")) else f"{text}."]
    for entry in running:
        words.append(f"Left: {entry['kind']} {entry['job_id']}, {entry['costs']}.")
    # An error of another name: the step's worker died, or its time was over. Then what
    # the flow has no id of may have been created all the same.
    broke = error.get("name") not in (None, "TogetherError")
    unknown = any(not entry.get("job_id") for entry in given.get("left", []))
    if _unclear(error) or (broke and unknown):
        words.append(
            "Whether the step that failed left something running at Together is not "
            "known."
        )
    elif not running:
        words.append("Nothing was left running at Together.")
    said = " ".join(words)
    return {
        "message": said,
        **({"windmill_chat_answer": said} if given.get("chat") else {}),
        "failed_step": error.get("step_id"),
        "error": error,
        "left": left,
        "kept": given.get("kept", {}),
    }


def _unclear(error: Json) -> bool:
    """Say whether a step failed so that what it asked for may have been done: by its
    own error, or by that of the step which it took over."""
    if not isinstance(error, dict):
        return False
    extra = error.get("extra")
    extra = extra if isinstance(extra, dict) else {}
    return extra.get("ambiguous") is True or _unclear(extra.get("error"))


def _job_left(auth: Auth, entry: Members) -> Members:
    kind, job_id = entry["kind"], entry["job_id"]
    known = KINDS[kind]
    shown = {"kind": kind, "job_id": job_id, "state": None, "running": None}
    shown |= {"costs": known["left"], "stop": None}
    job: Members = {}
    trouble = None
    try:
        job, shown["state"] = look(auth, kind, job_id)
    except TogetherError as error:
        trouble = _trouble(error)
    if entry.get("stop") and shown["state"] not in over(known):
        try:
            # Also what could not be read: it looks anew, and at each of several.
            shown["state"] = stop_job(auth, kind, job_id)["state"]
            trouble = None
        except TogetherError as error:
            trouble = _trouble(error)
    if trouble:
        return {**shown, "trouble": trouble}
    shown["running"] = shown["state"] not in over(known)
    if not shown["running"]:
        return {**shown, "costs": "nothing more"}
    if "stop" in known:
        shown["stop"] = f"waits/cancel_job with kind {kind} and job_id {job_id}"
    if kind == "endpoint":
        shown["usd_per_hour"] = _hourly(auth, job.get("hardware"))
    return shown


def _trouble(error: TogetherError) -> str:
    """Return why something could not be read or stopped. Raises the error itself where
    nothing was sent: there is no key to ask with."""
    if error.tries is None and error.type != "invalid_answer":
        raise error
    return str(error)


def _hourly(auth: Auth, hardware: Json) -> float | None:
    """Return an hour's price of hardware in USD, or None where it is not listed."""
    try:
        found = listed(call(auth, HARDWARE))
    except TogetherError:
        return None
    for entry in found:
        pricing = entry.get("pricing")
        cents = pricing.get("cents_per_minute") if isinstance(pricing, dict) else None
        price = finite(cents) or 0
        if hardware and entry.get("id") == hardware and price > 0:
            return round(price * 60 / 100, 4)
    return None


def _with_auth(resource: str, words: Members) -> Members:
    """Return arguments with the resource by its path, as Windmill's form gives it."""
    return {"auth": f"$res:{resource.removeprefix('$res:')}", **words}


def finish_flow(auth: Auth, step: Step, **arguments: Json) -> Members:
    """Return {"message", **details}: the tidy result at the end of a flow.

    `error` is that of a step with continue_on_error: it is raised here, so that the
    flow fails after it has cleaned up.
    """
    given = prepare(step, arguments)
    error = given.get("error")
    if error:
        words = error.get("message") or error.get("name") or "a step failed"
        raise TogetherError(
            f"{given['message'].rstrip('.')}: {words}",
            type="flow_failed",
            error=error,
            details=given.get("details"),
            advice="Correct what the error names and run the flow again.",
        )
    return {"message": given["message"], **given.get("details", {})}
