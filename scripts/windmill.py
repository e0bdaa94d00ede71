"""The job's own Windmill: its storage, its state, its other scripts and flows.

Plain HTTP with the token that Windmill gives every job, the same calls that the package
`wmill` makes, without installing it. Outside a job there is no Windmill to ask: every
function says so in a TogetherError, except set_progress, which has nobody to tell.

    open_object, write_object, delete_object, list_objects, check_storage   storage
    get_state, set_state     what a scheduled script remembers from run to run
    create_state, delete_state, list_states   records of what was begun
    set_progress             the bar in the job's page
    run, start, wait_for, is_running, outcome, cancel   other scripts, flows as jobs
    script_schema            what a script or flow takes
    resume_urls              where a person resumes or cancels a waiting flow
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
    _events,
    _exchange,
    _loads,
    _Reply,
    urllib3,
)

__all__ = [
    "cancel",
    "check_storage",
    "create_state",
    "delete_object",
    "delete_state",
    "get_state",
    "in_job",
    "is_running",
    "list_objects",
    "list_states",
    "open_object",
    "outcome",
    "resume_urls",
    "run",
    "script_schema",
    "set_progress",
    "set_state",
    "start",
    "wait_for",
    "write_object",
]

BLOCK = 1 << 20  # bytes that are read and sent at a time
TRIES = 3
NIL = "00000000-0000-0000-0000-000000000000"  # a dedicated worker's WM_JOB_ID
SILENCE = 60.0  # seconds after which a stream of updates is opened anew
# While a body is sent the connection's timeout holds for each block, and the storage
# behind Windmill may take its time with one.
TRANSFER = urllib3.Timeout(connect=120.0, read=900.0)
FREE = 50 << 20  # bytes
FREE_EDITION = "Windmill's free edition stores objects of at most 50 MB."
NO_STORAGE = (
    "Set up object storage in the workspace's settings, or choose the output "
    '"result", which needs none.'
)


def in_job():
    """Say whether this process is a Windmill job, with a token to ask its server."""
    return None not in _place()


# --- storage -----------------------------------------------------------------------


def open_object(key, storage=None, start=0):
    """Return a readable of an object in the workspace's storage, from byte `start` on.

    It has read(size), `length` (bytes of the whole object, or None where the server
    does not tell) and `name`. `storage` names one of the workspace's other storages.
    A cut is mended by asking for the rest. Raises TogetherError: no such object, no
    storage, not in a job.
    """
    return _Stored(key, storage, start)


class _Stored:
    def __init__(self, key, storage, start):
        self.key = key
        self.name = key.rsplit("/", 1)[-1]
        self.query = {"file_key": key}
        if storage:
            self.query["storage"] = storage
        self.position = start
        self.length = None
        self.open()

    def open(self):
        """Ask for the object from the position on."""
        headers = {"Accept-Encoding": "identity"}
        if self.position:
            headers["Range"] = f"bytes={self.position}-"
        path = "job_helpers/download_s3_file"
        what = f"The object {self.key!r} cannot be read from storage"
        response = _open("GET", path, what, self.query, headers=headers)
        begin, size = 0, response.headers.get("content-length", "")
        if response.status == 206:
            given, _, total = response.headers.get("content-range", "").partition("/")
            span = given.removeprefix("bytes ").partition("-")[0]
            begin = int(span) if span.isdigit() else -1
            size = total
        length = int(size) if size.isdigit() else None
        changed = None not in (self.length, length) and self.length != length
        if changed or begin not in (0, self.position):
            response.close()
            raise TogetherError(
                f"The object {self.key!r} changed while it was read.",
                type="changed_object",
                advice="Run the step again when nothing writes to it.",
            )
        self.length = self.length if length is None else length
        self.response = response
        # A server that knows no ranges sends all from the start again.
        skip = self.position - begin
        while skip > 0:
            piece = response.read(min(skip, BLOCK), decode_content=False)
            if not piece:
                break
            skip -= len(piece)

    def read(self, size=-1):
        """Return up to size bytes, all that is left for -1, b"" at the end."""
        if size is None or size < 0:
            pieces = []
            while piece := self.read(BLOCK):
                pieces.append(piece)
            return b"".join(pieces)
        for tries in range(TRIES):
            try:
                if self.response is None:
                    self.open()
                piece = self.response.read(size, decode_content=False)
            except (HTTPError, OSError) as error:
                self.close()
                fault = error
                time.sleep(0.25 * 2**tries)
                continue
            self.position += len(piece)
            return piece
        from .failures import describe

        words, advice = describe(fault)
        raise TogetherError(
            f"The object {self.key!r} cannot be read from storage: {words}. {advice}",
            type="connection",
            advice=advice,
        ) from None

    def close(self):
        """Give the connection up."""
        if self.response is not None:
            self.response.close()
            self.response = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def write_object(content, key=None, filename=None, content_type=None, storage=None):
    """Store bytes, or what a readable gives, and return {"s3": key, "storage"?: name}.

    A readable is sent a block at a time, never held whole; where it has a `length` and
    gives fewer or more bytes, nothing is stored. Without a key the object gets a new
    one that ends in `filename`; with neither, Windmill chooses. Raises TogetherError.
    """
    query = {}
    if key is None and filename is not None:
        # Flat under the prefix that every workspace's rules let jobs write to.
        key = f"windmill_uploads/{os.urandom(6).hex()}_{filename}"
    if key is not None:
        query["file_key"] = key
    if storage:
        query["storage"] = storage
    if content_type is not None:
        query["content_type"] = content_type
    if filename is not None:
        plain = filename.isascii() and not set(filename) & set('"\\%')
        form = f'="{filename}"' if plain else f"*=UTF-8''{quote(filename, safe='')}"
        query["content_disposition"] = f"inline; filename{form}"
    headers = {"Content-Type": "application/octet-stream"}
    if isinstance(content, bytes | bytearray | memoryview):
        body = bytes(content)
        headers["Content-Length"] = str(len(body))
    else:
        length = _length(content)
        body = _blocks(content, length)
        if length is not None:
            headers["Content-Length"] = str(length)
    what = "The result cannot be written to the workspace's storage"
    path = "job_helpers/upload_s3_file"
    try:
        reply = _ask("POST", path, what, query, body, headers=headers, timeout=TRANSFER)
    except TogetherError as error:
        # A server that refuses in the middle of a body may hang up before it says why.
        if error.type == "connection" and int(headers.get("Content-Length", 0)) > FREE:
            error.advice = f"{FREE_EDITION} {error.advice}"
        raise
    stored = {"s3": reply["file_key"]}
    if storage:
        stored["storage"] = storage
    return stored


def delete_object(key, storage=None):
    """Delete an object of the storage. Raises TogetherError."""
    query = {"file_key": key}
    if storage:
        query["storage"] = storage
    what = f"The object {key!r} cannot be deleted"
    _ask("DELETE", "job_helpers/delete_s3_file", what, query)


def check_storage(storage=None):
    """Raise a TogetherError where the workspace has no storage to write to.

    For a step to ask before it spends money. Where the server does not let this token
    ask, nothing is known and nothing is raised.
    """
    what = 'Nothing was sent: output "storage" cannot be used'
    query = {"storage": storage} if storage else {}
    reply = _send("GET", "job_helpers/test_connection", what, query)
    if reply.status not in (200, 401, 403, 405):
        error = _refusal(
            "GET", "job_helpers/test_connection", what, reply, storing=True
        )
        error.problems = [{"field": "output", "problem": error.detail}]
        raise error


def _length(content):
    """Return the bytes that a readable holds, or None where it does not tell."""
    length = getattr(content, "length", None)
    if length is None and hasattr(content, "fileno"):
        try:
            length = os.fstat(content.fileno()).st_size - content.tell()
        except OSError:  # in memory, or a pipe
            return None
    return length


def _blocks(content, length):
    sent = 0
    while block := content.read(BLOCK):
        sent += len(block)
        if length is not None and sent > length:
            break
        yield block
    if length is not None and sent != length:
        raise TogetherError(
            f"Nothing was stored: {length} bytes were announced, "
            f"{'more' if sent > length else sent} came.",
            type="wrong_length",
        )


def list_objects(prefix, storage=None):
    """Return the keys of the objects whose keys begin so. Raises TogetherError."""
    what = f"The objects under {prefix!r} cannot be listed"
    query = {"max_keys": 1000, "prefix": prefix}
    if storage:
        query["storage"] = storage
    keys = []
    while True:
        found = _ask("GET", "job_helpers/list_stored_files", what, query)
        if found.get("restricted_access") is True:
            raise TogetherError(
                f"{what}: the workspace's rules do not let this user see them.",
                type="not_allowed",
                advice="Ask who administrates the workspace's object storage.",
            )
        keys += [entry["s3"] for entry in found.get("windmill_large_files") or ()]
        query["marker"] = found.get("next_marker")
        if not query["marker"]:
            return keys


# --- state and progress ------------------------------------------------------------


def get_state(path=None):
    """Return what set_state kept, or None: of this script under this schedule or flow.

    `path` names another state resource. Raises TogetherError.
    """
    where = f"resources/get_value_interpolated/{_path(path or _state_path())}"
    what = "The state cannot be read"
    reply = _send("GET", where, what)
    if reply.status == 404:
        return None
    return _json("GET", where, what, reply)


def set_state(value, path=None):
    """Keep a JSON value for the next run. Raises TogetherError."""
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


# --- other scripts and flows -------------------------------------------------------


def run(path, kind="script", arguments=None, timeout=None):
    """Run a script or flow of the workspace as a job and return its result.

    `timeout` in seconds: the job is cancelled and the error's type is "timeout". A job
    that fails raises a TogetherError with its message, its `error` object as Windmill
    keeps it, and `job_id`.
    """
    return wait_for(start(path, kind, arguments), timeout, f"The {kind} {path}")


def start(path, kind="script", arguments=None):
    """Start a script or flow as a job and return the job's id."""
    query = {}
    if kind == "script":
        # As a child, it is shown under this job and cancelled with it. A flow that is
        # tracked so would overwrite the state of the flow that it is started from.
        if os.environ.get("WM_JOB_ID"):
            query["parent_job"] = os.environ["WM_JOB_ID"]
        if os.environ.get("WM_ROOT_FLOW_JOB_ID"):
            query["root_job"] = os.environ["WM_ROOT_FLOW_JOB_ID"]
    where = f"jobs/run/{_letter(kind)}/{_path(path)}"
    what = f"The {kind} {path} cannot be started"
    reply = _send("POST", where, what, query, arguments or {})
    if reply.status >= 300:
        raise _refusal("POST", where, what, reply)
    return reply.text().strip().strip('"')


def wait_for(job, timeout=None, name="The job"):
    """Return the result of a job once it is done; see run.

    The server tells when: its stream of updates is read instead of asking every while.
    Servers without that stream are asked at growing intervals.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    pause = 0.1
    try:
        while True:
            found = _ask("GET", f"jobs_u/completed/get_result_maybe/{job}", name)
            if found.get("completed"):
                if found.get("success"):
                    return found.get("result")
                raise _failed(job, name, found.get("result"))
            left = SILENCE if deadline is None else deadline - time.monotonic()
            if left <= 0:
                cancel(job, f"not done within {timeout:g} seconds")
                raise TogetherError(
                    f"{name} was not done within {timeout:g} s and was cancelled.",
                    type="timeout",
                    job_id=job,
                    advice="Give it more time, or less to do.",
                )
            watched = time.monotonic()
            told = _watch(job, min(left, SILENCE))
            if not told and time.monotonic() - watched < 1.0:
                time.sleep(min(pause, left))
                pause = min(pause * 1.5, 2.0)
    except (KeyboardInterrupt, SystemExit):
        cancel(job, "the job that waited for it was stopped")
        raise


def _watch(job, seconds):
    """Read a job's updates until it is done (True), or no more come."""
    query = {"only_result": "true", "no_logs": "true", "fast": "true"}
    timeout = urllib3.Timeout(connect=5.0, read=seconds)
    url, headers = _request(f"jobs_u/getupdate_sse/{job}", query, "Waiting failed")
    headers["Accept"] = "text/event-stream"
    until = time.monotonic() + seconds
    try:
        response = _exchange("GET", url, None, headers, timeout)
        try:
            if response.status != 200:
                return False
            for events in _events(response):
                for data in events:
                    update, _ = _loads(data.encode())
                    if isinstance(update, dict) and update.get("completed"):
                        return True
                if time.monotonic() > until:
                    return False
        finally:
            response.close()
    except (HTTPError, OSError):
        pass  # the job's own answer, asked next, says what is the matter
    return False


def is_running(job):
    """Say whether a job is queued or runs; False where the server knows none."""
    where = f"jobs_u/get/{job}"
    what = f"The job {job} cannot be read"
    reply = _send("GET", where, what, {"no_logs": "true"})
    if reply.status == 404:
        return False
    return _json("GET", where, what, reply).get("type") != "CompletedJob"


def outcome(job):
    """Return how a job ended, {"outcome": "success", "failure" or "cancelled",
    "result"}, or None while it is queued or runs."""
    where = f"jobs_u/completed/get_result_maybe/{job}"
    found = _ask("GET", where, f"The job {job} cannot be read")
    if not found.get("completed"):
        return None
    result = found.get("result")
    if found.get("success"):
        return {"outcome": "success", "result": result}
    error = result.get("error") if isinstance(result, dict) else None
    name = error.get("name") if isinstance(error, dict) else None
    return {
        "outcome": "cancelled" if name == "Canceled" else "failure",
        "result": result,
    }


def cancel(job, reason="cancelled by the step that started it"):
    """Cancel a job that is queued or runs."""
    where = f"jobs_u/queue/cancel/{job}"
    what = f"The job {job} cannot be cancelled"
    reply = _send("POST", where, what, body={"reason": reason})
    if reply.status >= 300:
        raise _refusal("POST", where, what, reply)


def _failed(job, name, result):
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


def script_schema(path, kind="script"):
    """Return {"path", "kind", "summary", "description", "schema"} of a script or flow.

    `schema` is the JSON Schema of its arguments. Raises TogetherError.
    """
    where = {"p": "scripts/get/p", "f": "flows/get"}[_letter(kind)]
    what = f"The {kind} {path} cannot be read"
    found = _ask("GET", f"{where}/{_path(path)}", what)
    return {
        "path": path,
        "kind": kind,
        "summary": found.get("summary") or "",
        "description": found.get("description") or "",
        "schema": found.get("schema") or {"type": "object", "properties": {}},
    }


def resume_urls(approver=None):
    """Return {"approvalPage", "resume", "cancel"}: the URLs that answer this step.

    `approver` is the name that the flow records. Raises TogetherError.
    """
    job = os.environ.get("WM_JOB_ID")
    if not job:
        raise _outside("There are no resume URLs")
    nonce = int.from_bytes(os.urandom(4), "big") % 1_000_000_001
    query = {"approver": approver} if approver else {}
    return _ask("GET", f"jobs/resume_urls/{job}/{nonce}", "No resume URLs", query)


def _letter(kind):
    if kind not in ("script", "flow"):
        raise TogetherError(f"kind must be script or flow (got {kind!r})")
    return "p" if kind == "script" else "f"


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
        raise _refusal(method, path, what, reply, storing="s3_file" in path)
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
        raise _refusal(method, path, what, reply, storing="s3_file" in path)
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
            from .failures import never_sent

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
    from .failures import describe

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
    detail = reply.text().strip()[:500] or f"{reply.status} {reply.reason}"
    words = detail.lower()
    kind, advice = "windmill", "Windmill's own words say what it refuses."
    if storing and ("storage resource" in words or "storage not" in words):
        kind, advice = "no_storage", NO_STORAGE
        detail = "the workspace has no object storage"
    elif storing and "50mb" in words.replace(" ", ""):
        kind = "too_large"
        advice = FREE_EDITION
    elif reply.status in (401, 403):
        kind, advice = "not_allowed", "The user whom the job runs as needs the right."
    elif storing and reply.status == 404 and "download" not in path:
        kind, advice = "no_storage", NO_STORAGE  # a server built without storage
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
