"""Other scripts and flows of the workspace, run as jobs through the job's Windmill.

    run                where its result is waited for
    start, wait_for    the same in two steps
    is_running, outcome, cancel    of a job
    own_arguments      this job's own, as they were given
    script_schema      what a script or flow takes
    resume_urls        where a person resumes or cancels a waiting flow

Raises TogetherError outside a job.
"""

from __future__ import annotations

import json
import os
import re
import time
from urllib.parse import urljoin, urlsplit

from ..client import TogetherError
from ..client.job import log
from ..client.jsonio import parse_json
from ..client.transport import faults, http_exchange, read_pieces
from .api import (
    ask_windmill,
    not_in_job,
    parse_reply,
    quoted_path,
    refusal,
    send_windmill,
    unusable,
    windmill_request,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shapes import Json, Members

SILENCE = 60.0  # seconds after which a stream of updates is opened anew


def run(
    path: str,
    kind: str = "script",
    arguments: Members | None = None,
    timeout: float | None = None,
) -> Json:
    """Run a script or flow of the workspace as a job and return its result.

    `timeout` in seconds: the job is cancelled and the error's type is "deadline". A job
    that fails raises a TogetherError with its message, its `error` object as Windmill
    keeps it, and `job_id`.
    """
    return wait_for(start(path, kind, arguments), timeout, f"The {kind} {path}")


def start(
    path: str,
    kind: str = "script",
    arguments: Members | None = None,
    job_id: str | None = None,
) -> str:
    """Start a script or flow as a job and return the job's id: `job_id` where it is
    given, by which it is started once, however often it is asked for."""
    query = {"job_id": job_id} if job_id else {}
    if kind == "script":
        # As a child, it is shown under this job and cancelled with it. A flow that is
        # tracked so would overwrite the state of the flow that it is started from.
        if os.environ.get("WM_JOB_ID"):
            query["parent_job"] = os.environ["WM_JOB_ID"]
        if os.environ.get("WM_ROOT_FLOW_JOB_ID"):
            query["root_job"] = os.environ["WM_ROOT_FLOW_JOB_ID"]
    where = f"jobs/run/{_letter(kind)}/{quoted_path(path)}"
    what = f"The {kind} {path} cannot be started"
    reply = send_windmill("POST", where, what, query, arguments or {})
    if reply.status >= 300:
        if job_id and reply.status in (400, 409, 500) and _is_known(job_id):
            return job_id
        raise refusal("POST", where, what, reply)
    job = reply.text().strip().strip('"')
    if not re.fullmatch(r"[0-9a-fA-F-]{36}", job):
        raise unusable("POST", where, what, "its answer is no job's id")
    return job


def wait_for(job: str, timeout: float | None = None, name: str = "The job") -> Json:
    """Return the result of a job once it is done; see run.

    The server tells when: its stream of updates is read instead of asking every while.
    Servers without that stream are asked at growing intervals.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    pause = 0.1
    told = False
    try:
        while True:
            found = _ending(job, name)
            if found:
                if found["success"]:
                    return found.get("result")
                raise _failed(job, name, found.get("result"))
            left = SILENCE if deadline is None else deadline - time.monotonic()
            if left <= 0:
                cancel(job, f"not done within {timeout:g} seconds")
                raise TogetherError(
                    f"{name} was not done within {timeout:g} s and was cancelled.",
                    type="deadline",
                    job_id=job,
                    advice="Give it more time, or less to do.",
                )
            watched = time.monotonic()
            before, told = told, _watch(job, min(left, SILENCE))
            # The stream is believed once: one that repeats what the job's own answer
            # denies would be asked for ever.
            if (before or not told) and time.monotonic() - watched < 1.0:
                time.sleep(min(pause, left))
                pause = min(pause * 1.5, 2.0)
    except (KeyboardInterrupt, SystemExit):
        cancel(job, "the job that waited for it was stopped")
        raise


def _watch(job: str, seconds: float) -> bool:
    """Read a job's updates until it is done (True), or no more come."""
    from ..replies.sse import Events  # only where a job is waited for

    query = {"only_result": "true", "no_logs": "true", "fast": "true"}
    timeout = 5.0, seconds
    url, headers = windmill_request(
        f"jobs_u/getupdate_sse/{job}", query, "Waiting failed"
    )
    headers["Accept"] = "text/event-stream"
    until = time.monotonic() + seconds
    try:
        response = http_exchange("GET", url, None, headers, timeout)
        try:
            if response.status != 200:
                return False
            for data, _ in Events(read_pieces(response)):
                update, _ = parse_json(data.encode())
                if isinstance(update, dict) and update.get("completed"):
                    return True
                if time.monotonic() > until:
                    return False
        finally:
            response.close()
    except faults():
        pass  # the job's own answer, asked next, says what is wrong
    return False


def _is_known(job: str) -> bool:
    """Say whether there is, or was, a job of that id."""
    query = {"no_logs": "true"}
    what = f"The job {job} cannot be read"
    return send_windmill("GET", f"jobs_u/get/{job}", what, query).status == 200


def is_running(job: str) -> bool:
    """Say whether a job is queued or runs; False where the server knows none."""
    where = f"jobs_u/get/{job}"
    what = f"The job {job} cannot be read"
    reply = send_windmill("GET", where, what, {"no_logs": "true"})
    if reply.status == 404:
        return False
    return parse_reply("GET", where, what, reply, dict).get("type") != "CompletedJob"


def outcome(job: str) -> Members | None:
    """Return how a job ended, {"outcome": "success", "failure" or "cancelled",
    "result"}, or None while it is queued or runs."""
    found = _ending(job, f"The job {job} cannot be read")
    if found is None:
        return None
    result = found.get("result")
    if found["success"]:
        return {"outcome": "success", "result": result}
    error = result.get("error") if isinstance(result, dict) else None
    name = error.get("name") if isinstance(error, dict) else None
    return {
        "outcome": "cancelled" if name == "Canceled" else "failure",
        "result": result,
    }


def _ending(job: str, what: str) -> Members | None:
    """Return what Windmill keeps of a job that ended, its `success` a truth value; None
    while it is queued or runs. Raises TogetherError for an answer that says neither."""
    where = f"jobs_u/completed/get_result_maybe/{job}"
    found: Members = ask_windmill("GET", where, what, kind=dict)
    if found.get("completed") is False:
        return None
    # A text "false" would pass for true.
    if found.get("completed") is not True or not isinstance(found.get("success"), bool):
        raise unusable("GET", where, what)
    return found


def cancel(job: str, reason: str = "cancelled by the step that started it") -> None:
    """Cancel a job that is queued or runs."""
    where = f"jobs_u/queue/cancel/{job}"
    what = f"The job {job} cannot be cancelled"
    reply = send_windmill("POST", where, what, body={"reason": reason})
    if reply.status >= 300:
        raise refusal("POST", where, what, reply)


def _failed(job: str, name: str, result: Json) -> TogetherError:
    error = result.get("error", result) if isinstance(result, dict) else result
    words = error.get("message") if isinstance(error, dict) else error
    if not isinstance(words, str):
        words = json.dumps(words)
    return TogetherError(
        f"{name} failed: {words[:2000]}",
        type="job_failed",
        job_id=job,
        detail=words[:2000],
        error=error,
        advice=f"The page of the job {job} has its log.",
    )


def own_arguments() -> Members:
    """Return this job's arguments as they were given: with the references that a script
    gets resolved; {} outside a job. Raises TogetherError."""
    job = os.environ.get("WM_JOB_ID")
    if not job:
        return {}
    what = "This job's arguments cannot be read"
    return ask_windmill("GET", f"jobs_u/get_args/{job}", what, kind=dict)


def script_schema(path: str, kind: str = "script") -> Members:
    """Return {"path", "kind", "summary", "description", "schema"} of a script or flow.

    `schema` is the JSON Schema of its arguments. Raises TogetherError.
    """
    where = {"p": "scripts/get/p", "f": "flows/get"}[_letter(kind)]
    what = f"The {kind} {path} cannot be read"
    found = ask_windmill("GET", f"{where}/{quoted_path(path)}", what, kind=dict)
    return {
        "path": path,
        "kind": kind,
        "summary": found.get("summary") or "",
        "description": found.get("description") or "",
        "schema": found.get("schema") or {"type": "object", "properties": {}},
    }


def resume_urls(approver: str | None = None) -> Members:
    """Return {"approvalPage", "resume", "cancel"}: the URLs that answer this step.

    `approver` is the name that the flow records. A URL without a host gets that of
    WM_BASE_URL; a URL with another host is reported in the log. Raises TogetherError,
    also where one of the three is missing: nobody could answer.
    """
    job = os.environ.get("WM_JOB_ID")
    if not job:
        raise not_in_job("There are no resume URLs")
    nonce = int.from_bytes(os.urandom(4), "big") % 1_000_000_001
    query = {"approver": approver} if approver else {}
    where = f"jobs/resume_urls/{job}/{nonce}"
    found = ask_windmill("GET", where, "No resume URLs", query, kind=dict)
    own = os.environ.get("WM_BASE_URL") or ""
    urls = {name: _whole_url(found.get(name), own) for name in RESUME_URLS}
    if lacking := [name for name, url in urls.items() if url is None]:
        problem = f"its answer names no address for {', '.join(lacking)}"
        raise unusable("GET", where, "No resume URLs", problem)
    hosts = {urlsplit(url or "").netloc for url in urls.values()}
    if own and hosts != {urlsplit(own).netloc}:
        log(f"the links to answer lead to {', '.join(sorted(hosts))}, not to {own}")
    return {**found, **urls}


RESUME_URLS = ("approvalPage", "resume", "cancel")


def _whole_url(url: Json, own: str) -> str | None:
    """Return a URL with a host, that of `own` where it has none; None where it leads
    nowhere by http."""
    text = url.strip() if isinstance(url, str) else ""
    try:
        whole = urljoin(own, text) if text else ""
        parts = urlsplit(whole)
    except ValueError:
        return None
    return whole if parts.scheme in ("http", "https") and parts.netloc else None


def _letter(kind: str) -> str:
    if kind not in ("script", "flow"):
        raise TogetherError(
            f"kind must be script or flow (got {kind!r})", type="invalid_argument"
        )
    return "p" if kind == "script" else "f"
