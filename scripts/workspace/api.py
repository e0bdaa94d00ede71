"""The job's own Windmill: plain HTTP with the token that every job has.

The same calls that the package `wmill` makes, without installing it. Outside a job
there is no Windmill to ask: every function says so in a TogetherError.
"""

from __future__ import annotations

import json
import math
import time
from urllib.parse import quote, urlencode

from ..client import TogetherError
from ..client.job import windmill_address
from ..client.jsonio import parse_json
from ..client.request import half_character
from ..client.resource import without_key
from ..client.transport import (
    USER_AGENT,
    Reply,
    abandon,
    faults,
    http_exchange,
    read_whole,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..shapes import ErrorType, Fault, Headers, Json, Members, Response, Timeout

WINDMILL_TRIES = 3
DOWN = 502, 503, 504  # what is said of a server that is down; 500 says what is wrong
TIMEOUT = 10.0, 60.0
MOST_SECONDS = 300.0  # for an answer that is read whole
FREE_EDITION = "Windmill's free edition stores objects of at most 50 MB."
NO_STORAGE = "Set up object storage in the workspace's settings"
WITHOUT_STORAGE = {  # what is possible where there is none, by what was asked for
    "job_helpers/test_connection": ", or choose another output, which needs none",
    "job_helpers/upload_s3_file": ", or choose another output, which needs none",
    "job_helpers/download_s3_file": ", or give the file by its https:// address",
}


def not_in_job(what: str) -> TogetherError:
    return TogetherError(
        f"{what}: this is not a Windmill job (WM_TOKEN, WM_WORKSPACE and "
        "BASE_INTERNAL_URL are not all set).",
        type="not_in_windmill",
        advice="Run the step in Windmill.",
    )


def quoted_path(path: str) -> str:
    """Return a path as it stands in an address. Raises TogetherError."""
    try:
        return quote(path.strip("/"), safe="/")
    except UnicodeEncodeError:
        raise half_character(f"path {path!r}") from None


def windmill_request(
    path: str, query: dict[str, Any] | None, what: str
) -> tuple[str, Headers]:
    base, workspace, token = windmill_address()
    if base is None or workspace is None or token is None:
        raise not_in_job(what)
    url = f"{base.rstrip('/')}/api/w/{quote(workspace, safe='')}/{path}"
    try:
        url += "?" + urlencode(query) if query else ""
    except UnicodeEncodeError:
        words = f"{what}: its name holds half of a character, which no text has."
        raise TogetherError(words, type="invalid_argument") from None
    return url, {"Authorization": f"Bearer {token}", "User-Agent": USER_AGENT}


def open_windmill(
    method: str,
    path: str,
    what: str,
    query: dict[str, Any] | None = None,
    body: Any = None,
    headers: Headers | None = None,
    timeout: Timeout | None = None,
) -> Response:
    """Return the response, its body unread. Raises TogetherError."""
    response = _reach(method, path, what, query, body, headers, timeout)
    if response.status >= 300:
        reply = Reply(response, _read(method, path, what, response))
        raise refusal(
            method, path, what, reply, storing=path.startswith("job_helpers/")
        )
    return response


def send_windmill(
    method: str,
    path: str,
    what: str,
    query: dict[str, Any] | None = None,
    body: Any = None,
    headers: Headers | None = None,
    timeout: Timeout | None = None,
) -> Reply:
    response = _reach(method, path, what, query, body, headers, timeout)
    return Reply(response, _read(method, path, what, response))


def _read(method: str, path: str, what: str, response: Response) -> bytes:
    try:
        return read_whole(response, time.monotonic() + MOST_SECONDS)
    except faults() as error:
        raise _broken(method, path, what, error) from None


def ask_windmill(
    method: str,
    path: str,
    what: str,
    query: dict[str, Any] | None = None,
    body: Any = None,
    headers: Headers | None = None,
    timeout: Timeout | None = None,
    kind: type | None = None,
) -> Json:
    """Return the JSON that a call answers with, see parse_reply."""
    reply = send_windmill(method, path, what, query, body, headers, timeout)
    return parse_reply(method, path, what, reply, kind)


PAGE_ENTRIES = 1000  # of one of Windmill's lists


def list_windmill(
    path: str, what: str, query: dict[str, Any], most: float = math.inf
) -> dict[str, Members]:
    """Return the entries of one of Windmill's lists, page after page, by their paths:
    all, or no further pages once there are `most`.

    Raises TogetherError, also for an entry without a path, and where the pages do not
    move on: what comes behind cannot be reached.
    """
    found: dict[str, Members] = {}
    page = 0
    while True:
        page += 1
        asked = {**query, "page": str(page), "per_page": str(PAGE_ENTRIES)}
        listed = ask_windmill("GET", path, what, asked, kind=list)
        known = len(found)
        for one in listed:
            if not isinstance(one, dict) or not isinstance(one.get("path"), str):
                raise unusable("GET", path, what)
            found[one["path"]] = one
        if len(listed) < PAGE_ENTRIES or len(found) >= most:
            return found
        if len(found) == known:
            raise unusable("GET", path, what, "a page of its list is there again")


def parse_reply(
    method: str, path: str, what: str, reply: Reply, kind: type | None = None
) -> Json:
    """Return the JSON of an answer. It must be of the type `kind`, such as dict;
    without one, a GET must bring some JSON, while others may bring none (None). Raises
    TogetherError."""
    if reply.status >= 300:
        storing = path.startswith("job_helpers/")
        raise refusal(method, path, what, reply, storing=storing)
    value, problem = parse_json(reply.data)
    read = not problem or (kind is None and method != "GET")
    fits = read and isinstance(value, kind or object)
    if not fits:
        raise unusable(method, path, what)
    return value


def unusable(
    method: str,
    path: str,
    what: str,
    problem: str = "its answer is not what it must be",
) -> TogetherError:
    """Return the TogetherError for an answer of Windmill's that cannot be used."""
    return TogetherError(
        f"{what}: {problem} (Windmill, {method} {path.partition('?')[0]}).",
        type="invalid_answer",
        method=method,
        path=path,
        ambiguous=True if method == "POST" else None,
        advice="Check BASE_INTERNAL_URL on the worker, and any proxy before it.",
    )


def _reach(
    method: str,
    path: str,
    what: str,
    query: dict[str, Any] | None,
    body: Any,
    headers: Headers | None,
    timeout: Timeout | None,
) -> Response:
    url, sent = windmill_request(path, query, what)
    if isinstance(body, dict):
        body = json.dumps(body, separators=(",", ":")).encode()
        sent["Content-Type"] = "application/json"
    sent.update(headers or {})
    timeout = timeout or TIMEOUT
    # Before Windmill is asked: one that goes down cannot hand the module out any more.
    from ..resilience.retry import never_sent, rest  # jobs that ask nothing need none

    for tries in range(1, WINDMILL_TRIES + 1):
        last = tries == WINDMILL_TRIES
        try:
            response = http_exchange(method, url, body, sent, timeout)
        except faults() as error:
            if last or not (method == "GET" or never_sent(error)):
                raise _broken(method, path, what, error) from None
        else:
            if last or method != "GET" or response.status not in DOWN:
                return response
            abandon(response)
        rest(tries)
    raise AssertionError("the last try answers or raises")


def _broken(method: str, path: str, what: str, fault: Fault) -> TogetherError:
    from ..resilience.explain import describe  # only when it failed
    from ..resilience.retry import never_sent  # only when it failed

    words = describe(fault)[0]
    return TogetherError(
        f"{what}: {words} (Windmill, {method} {path}).",
        type="connection",
        method=method,
        path=path,
        ambiguous=not never_sent(fault) if method == "POST" else None,
        advice="Try again; if it stays so, check BASE_INTERNAL_URL on the worker.",
    )


def _without_storage(path: str) -> str:
    return f"{NO_STORAGE}{WITHOUT_STORAGE.get(path.split('?')[0], '')}."


def refusal(
    method: str, path: str, what: str, reply: Reply, storing: bool = False
) -> TogetherError:
    """Return the TogetherError for what Windmill refused, with its own words."""
    words = without_key(windmill_address()[2] or "", reply.text().strip())[:500]
    detail = words or f"{reply.status} {reply.reason}"
    words = words.lower()
    kind: ErrorType = "windmill"
    advice = "Windmill's own words say what it refuses."
    if storing and ("storage resource" in words or "storage not" in words):
        kind, advice = "no_storage", _without_storage(path)
        detail = "the workspace has no object storage"
    elif storing and "50mb" in words.replace(" ", ""):
        kind = "too_large"
        advice = FREE_EDITION
    elif reply.status in (401, 403):
        kind, advice = "not_allowed", "The user whom the job runs as needs the right."
    elif storing and reply.status == 404 and (not words or "download" not in path):
        # Windmill's public source has no storage at all, and no words for that.
        kind, advice = "no_storage", _without_storage(path)
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
        # A server that failed may have carried it out first.
        ambiguous=True if method == "POST" and reply.status >= 500 else None,
        advice=advice,
    )
