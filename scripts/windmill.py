"""The job's own Windmill: what it remembers from run to run, and how far it is.

Plain HTTP with the token that Windmill gives every job, the same calls that the package
`wmill` makes, without installing it. storage.py and jobs.py speak through this module.
Outside a job there is no Windmill to ask: every function says so in a TogetherError,
except set_progress, which has nobody to tell.

    in_job                   whether there is a Windmill to ask
    get_state, set_state     what a scheduled script remembers from run to run
    create_state, delete_state, list_states   records of what was begun
    set_progress             the bar in the job's page
    list_runnables, read_runnable             the workspace's scripts and flows
"""

import json
import os
import sys
import time
from urllib.parse import quote, urlencode

from .client import (
    USER_AGENT,
    HTTPError,
    TogetherError,
    _exchange,
    _loads,
    _Reply,
    urllib3,
)

# Not late: a Windmill that does not answer does not hand out modules either.
from .failures import describe, never_sent
from .references import harmless

__all__ = [
    "create_state",
    "delete_state",
    "get_state",
    "in_job",
    "list_runnables",
    "list_states",
    "read_runnable",
    "set_progress",
    "set_state",
]

TRIES = 3
NIL = "00000000-0000-0000-0000-000000000000"  # a dedicated worker's WM_JOB_ID
FREE_EDITION = "Windmill's free edition stores objects of at most 50 MB."
NO_STORAGE = (
    "Set up object storage in the workspace's settings, or choose another output, "
    "which needs none."
)


def in_job():
    """Say whether this process is a Windmill job, with a token to ask its server."""
    return None not in _place()


# --- state and progress ------------------------------------------------------------


def get_state(path=None):
    """Return what set_state kept, or None: of this script under this schedule or flow.

    `path` names another state resource. Raises TogetherError.
    """
    # Its value as it is: `get_value_interpolated` would resolve what it holds.
    where = f"resources/get_value/{_path(path or _state_path())}"
    what = "The state cannot be read"
    reply = _send("GET", where, what)
    if reply.status == 404:
        return None
    return _json("GET", where, what, reply)


def set_state(value, path=None):
    """Keep a JSON value for the next run, without what Windmill would resolve when
    the package `wmill` reads it. Raises TogetherError."""
    value, _ = harmless(value)
    place = path or _state_path()
    what = "The state cannot be written"
    reply = _send("GET", f"resources/get/{_path(place)}", what)
    if reply.status == 404:
        state = {"path": place, "value": value, "resource_type": "state"}
        _ask("POST", "resources/create", what, body=state)
        return
    where = f"resources/update_value/{_path(place)}"
    _ask("POST", where, what, body={"value": value})


def create_state(value, path):
    """Keep a value where nothing is kept yet; return False where something is."""
    what = "The state cannot be written"
    value, _ = harmless(value)
    state = {"path": path, "value": value, "resource_type": "state"}
    reply = _send("POST", "resources/create", what, body=state)
    if reply.status >= 300 and "already exists" not in reply.text():
        raise _refusal("POST", "resources/create", what, reply)
    return reply.status < 300


def delete_state(path):
    """Forget what is kept at a path. Raises TogetherError."""
    where = f"resources/delete/{_path(path)}"
    _ask("DELETE", where, f"The state {path} cannot be deleted")


def list_states(start):
    """Return {path: ISO 8601 time of its last change} of the states under a path."""
    query = {"resource_type": "state", "path_start": start, "per_page": "1000"}
    found = _ask("GET", "resources/list", "The states cannot be listed", query)
    return {
        state["path"]: state.get("edited_at") or ""
        for state in found
        if state["path"].startswith(start)
    }


def list_runnables(kind, start):
    """Return the paths of the scripts, modules too, or of the flows below a path."""
    query = {"path_start": start, "per_page": "1000", "without_description": "true"}
    if kind == "script":
        query["include_without_main"] = "true"
    what = f"The {kind}s of {start} cannot be listed"
    found = _ask("GET", f"{kind}s/list", what, query)
    return sorted(one["path"] for one in found if one["path"].startswith(start))


def read_runnable(kind, path):
    """Return a Python script's text, or a flow as Windmill describes it; None where
    there is none."""
    script = kind == "script"
    where = f"scripts/raw/p/{_path(path)}.py" if script else f"flows/get/{_path(path)}"
    what = f"The {kind} {path} cannot be read"
    reply = _send("GET", where, what)
    if reply.status == 404:
        return None
    if script and reply.status < 300:
        return reply.text()
    return _json("GET", where, what, reply)


def _state_path():
    path = os.environ.get("WM_STATE_PATH_NEW") or os.environ.get("WM_STATE_PATH")
    if not path:
        raise _outside("No state path is known")
    return path


def set_progress(percent):
    """Show how far the job is, 0 to 99; the same whole number is sent once.

    Never fails: a bar that cannot be moved is no reason to lose the work.
    """
    job = os.environ.get("WM_JOB_ID")
    if not in_job() or not job or job == NIL:
        return
    percent = min(99, max(0, int(percent)))
    if _shown.get(job, (None, None))[1] == percent:
        return
    try:
        what = "The progress cannot be shown"
        if job not in _shown:
            parent = _ask("GET", f"jobs_u/get/{job}", what).get("parent_job")
        else:
            parent = _shown[job][0]
        _shown[job] = parent, percent
        told = {"percent": percent, "flow_job_id": parent or None}
        _ask("POST", f"job_metrics/set_progress/{job}", what, body=told)
    except TogetherError as error:
        print(f"together: {error}", file=sys.stderr)


_shown = {}  # job: its flow, the percent shown last


# --- the wire ----------------------------------------------------------------------


def _place():
    """Return the server's address, the workspace and the token; None where unknown."""
    base = os.environ.get("BASE_INTERNAL_URL") or os.environ.get("WM_BASE_URL") or None
    workspace = os.environ.get("WM_WORKSPACE") or None
    return base, workspace, os.environ.get("WM_TOKEN") or None


def _outside(what):
    return TogetherError(
        f"{what}: this is not a Windmill job (WM_TOKEN, WM_WORKSPACE and "
        "BASE_INTERNAL_URL are not all set).",
        type="not_in_windmill",
        advice="Run the step in Windmill.",
    )


def _path(path):
    return quote(path.strip("/"), safe="/")


def _request(path, query, what):
    base, workspace, token = _place()
    if not in_job():
        raise _outside(what)
    url = f"{base.rstrip('/')}/api/w/{quote(workspace, safe='')}/{path}"
    if query:
        url += "?" + urlencode(query)
    return url, {"Authorization": f"Bearer {token}", "User-Agent": USER_AGENT}


def _open(method, path, what, query=None, body=None, headers=None, timeout=None):
    """Return the response, its body unread; a refusal or a broken wire is raised."""
    response = _reach(method, path, what, query, body, headers, timeout)
    if response.status >= 300:
        reply = _Reply(response, response.read())
        raise _refusal(
            method, path, what, reply, storing=path.startswith("job_helpers/")
        )
    return response


def _send(method, path, what, query=None, body=None, headers=None, timeout=None):
    response = _reach(method, path, what, query, body, headers, timeout)
    try:
        data = response.read()
        response.release_conn()
    except (HTTPError, OSError) as error:
        raise _broken(method, path, what, error) from None
    return _Reply(response, data)


def _ask(method, path, what, query=None, body=None, headers=None, timeout=None):
    """Return the JSON, or None, that a call answers with."""
    reply = _send(method, path, what, query, body, headers, timeout)
    return _json(method, path, what, reply)


def _json(method, path, what, reply):
    if reply.status >= 300:
        raise _refusal(
            method, path, what, reply, storing=path.startswith("job_helpers/")
        )
    return _loads(reply.data)[0] if reply.data else None


def _reach(method, path, what, query, body, headers, timeout):
    url, sent = _request(path, query, what)
    if isinstance(body, dict):
        body = json.dumps(body, separators=(",", ":")).encode()
        sent["Content-Type"] = "application/json"
    sent.update(headers or {})
    timeout = timeout or urllib3.Timeout(connect=10.0, read=60.0)
    for tries in range(TRIES):
        try:
            response = _exchange(method, url, body, sent, timeout)
        except (HTTPError, OSError) as error:
            last = tries == TRIES - 1
            if last or not (method == "GET" or never_sent(error)):
                raise _broken(method, path, what, error) from None
        else:
            passing = method == "GET" and response.status in (502, 503, 504)
            if not passing or tries == TRIES - 1:
                return response
            response.drain_conn()
            response.release_conn()
        time.sleep(0.25 * 2**tries)
    raise AssertionError("the last try answers or raises")


def _broken(method, path, what, fault):
    words = describe(fault)[0]
    return TogetherError(
        f"{what}: {words} (Windmill, {method} {path}).",
        type="connection",
        method=method,
        path=path,
        advice="Try again; if it stays so, check BASE_INTERNAL_URL on the worker.",
    )


def _refusal(method, path, what, reply, storing=False):
    """Return the TogetherError for what Windmill refused, with its own words."""
    words = reply.text().strip()[:500]
    detail = words or f"{reply.status} {reply.reason}"
    words = words.lower()
    kind, advice = "windmill", "Windmill's own words say what it refuses."
    if storing and ("storage resource" in words or "storage not" in words):
        kind, advice = "no_storage", NO_STORAGE
        detail = "the workspace has no object storage"
    elif storing and "50mb" in words.replace(" ", ""):
        kind = "too_large"
        advice = FREE_EDITION
    elif reply.status in (401, 403):
        kind, advice = "not_allowed", "The user whom the job runs as needs the right."
    elif storing and reply.status == 404 and (not words or "download" not in path):
        # Windmill's public source has no storage at all, and no words for that.
        kind, advice = "no_storage", NO_STORAGE
        detail = "the workspace has no object storage"
    elif reply.status == 404 or "not found" in words:
        kind, advice = "not_found", "Check the name, and who may see it."
    return TogetherError(
        f"{what}: {detail} (Windmill, {method} {path.split('?')[0]}). {advice}",
        type=kind,
        status=reply.status,
        detail=detail,
        method=method,
        path=path,
        advice=advice,
    )
