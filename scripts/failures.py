"""What to do about an exchange that failed, and what to say of it.

    pause        how long to wait before another try, or that there is none
    failure      the TogetherError for an exchange
    describe     a fault of the connection in words, with advice
    never_sent   whether a failed exchange surely never reached the server
    retry_after  the seconds that a server asks to wait
    event_error  an error that came as an event of a stream, as an answer

A call of the API that goes well loads none of this.
"""

import http.client
import json
import math
import random
import re
import ssl
import time
from types import SimpleNamespace

from urllib3.exceptions import (
    ConnectTimeoutError,
    DecodeError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)

from . import client
from .client import TogetherError, _loads, _Reply, _TooLargeError

__all__ = [
    "describe",
    "event_error",
    "failure",
    "never_sent",
    "pause",
    "retry_after",
]

TITLE_WITHIN = 20_000  # characters of a web page
REASONS = (
    "message",
    "detail",
    "msg",
    "error_description",
    "error",
    "errors",
    "reason",
    "description",
    "title",
    "status",
    "metadata",
    "raw",
)
OWN_WORDS = re.compile("the (answer|stream|event)|an event")
MOMENT = 1e9  # a number beyond it is a time since 1970, in seconds
MILLISECONDS = 1e12  # beyond it, in milliseconds
SHORTEST_KEY = 8  # characters; a sandbox takes any key, "x" too
MAX_WAIT = 60.0  # the longest single wait that a server may ask for
UNCLEAR = (408, 500, 502, 504, 520, 524)  # the work may have been done
REQUEST_IDS = ("x-request-id", "x-together-traceid", "cf-ray")
OUT_OF_CREDIT = (
    "insufficient_quota",
    "insufficient balance",
    "credit limit",
    "billing",
)
ADVICE = {
    400: "Correct the request; the server's words say what it refuses.",
    401: "Check the API key in the togetherai resource.",
    402: "Add credit or raise the spending limit of the Together account.",
    403: "The key may not do this; organization/check_connection tells what it may do.",
    408: "Try again.",
    409: "It exists, is in another state, or was changed since: read it again.",
    413: "The request is too large: send less, or a URL instead of a file.",
    422: "Correct the request; the server's words say what it refuses.",
    429: "The rate limit is reached: wait, send less at once, or use the batch steps.",
    500: "Together's service failed: try again later.",
    503: "The model is overloaded: try again later or use another model.",
}


# --- another try -------------------------------------------------------------------


def pause(request, retry, fault, reply):
    """Return the seconds to wait before another try, or None to give up.

    retry is the class of the operation, fault what was raised, or None, and then reply
    what was answered.
    """
    if request.tries >= request.operation.get("tries", client.MAX_TRIES):
        return None
    harmless = retry in ("read", "inference")
    if fault is not None:
        final = isinstance(fault, SSLError | _TooLargeError | DecodeError)
        if final or not (harmless or never_sent(fault)):
            return None
        return backoff(request.tries, None)
    advised = reply.headers.get("x-should-retry")
    asked = retry_after(reply.headers)
    if advised == "false" or (asked is not None and asked > MAX_WAIT):
        return None
    if reply.status == 429 and out_of_credit(reply):
        return None
    if reply.status == 429 or (harmless and reply.status in (408, 425)):
        return backoff(request.tries, asked)
    if reply.status == 503:
        refused = advised == "true" or asked is not None
        if harmless or refused or "overloaded" in reply.text().lower():
            return backoff(request.tries, asked)
    elif harmless and (reply.status >= 500 or advised == "true"):
        return backoff(request.tries, asked)
    return None


def out_of_credit(reply):
    """Say whether a 429 is about money, which no waiting brings."""
    words = _server_words(reply)
    named = f"{words.get('type')} {words.get('code')} {words.get('detail')}".lower()
    return any(word in named for word in OUT_OF_CREDIT)


def backoff(tries, asked):
    """Return the seconds before the next of so many tries: what the server asks for,
    but never so few that refusals become a storm."""
    own = min(0.5 * 2 ** (tries - 1), 10.0) * random.uniform(0.75, 1.0)
    return own if asked is None else max(asked, own / 2)


def retry_after(headers):
    """Return the seconds that the server asks to wait, or None. RFC 9110, 10.2.3.

    A number too large for a wait is a moment: seconds or milliseconds since 1970.
    """
    waits = []
    if "retry-after-ms" in headers:
        waits.append(_seconds(headers["retry-after-ms"], 1000))
    if "retry-after" in headers:
        waits.append(_seconds(headers["retry-after"]))
    if headers.get("x-ratelimit-remaining") == "0":
        waits.append(_seconds(headers.get("x-ratelimit-reset")))
    return next((wait for wait in waits if wait is not None), None)


def _seconds(text, unit=1):
    """Return the seconds from now that a header names, or None where it names none."""
    text = (text or "").strip()
    try:
        number = float(text)
    except ValueError:
        if unit != 1 or not text:
            return None
        from email.utils import parsedate_to_datetime

        try:
            number = parsedate_to_datetime(text).timestamp()
        except (ValueError, TypeError, OverflowError):
            return None
    if not math.isfinite(number):
        return None
    if number > MILLISECONDS:
        number, unit = number / 1000, 1
    if number > MOMENT:
        return max(0.0, number - time.time())
    return max(0.0, number / unit)


# --- the error ---------------------------------------------------------------------


def failure(request, fault, reply, **facts):
    """Return the TogetherError for an exchange that failed, without the API key."""
    operation = request.operation
    costly = operation["retry"] in ("creates", "mutates")
    path = request.target.partition("?")[0]
    facts.update(
        method=request.method,
        path=path,
        tries=request.tries,
        idempotency_key=request.idempotency_key,
    )
    if fault is not None:
        ambiguous = costly and not never_sent(fault)
        summary, advice = describe(fault)
        detail = None
    else:
        ambiguous = costly and (reply.status < 400 or reply.status in UNCLEAR)
        words = _server_words(reply, request.key)
        detail = words.pop("detail", None)
        if reply.status < 400:
            words["type"] = "invalid_answer"
        facts.update(words, status=reply.status)
        facts["request_id"] = next(
            (reply.headers[h] for h in REQUEST_IDS if h in reply.headers), None
        )
        facts["retry_after"] = retry_after(reply.headers)
        summary = f"{reply.status} {reply.reason}".strip()
        if 300 <= reply.status < 400:
            detail = "the server redirects, which this operation never does"
        if detail:
            summary += f": {detail}"
        advice = _advice(request, reply.status)
        if reply.status == 429 and out_of_credit(reply):
            advice = ADVICE[402]
    if ambiguous:
        advice = "It is not known whether this was carried out: "
        find = operation.get("find")
        advice += f"look with {find} " if find else "look in the dashboard "
        advice += "before running the step again."
        if request.idempotency_key:
            advice += (
                f" Running it again with idempotency_key {request.idempotency_key}"
            )
            advice += " repeats nothing."
    message = f"{summary} ({request.method} {path}). {advice}"
    facts.update(ambiguous=ambiguous, advice=advice, detail=detail)
    clean = {name: _without(request.key, value) for name, value in facts.items()}
    return TogetherError(_without(request.key, message), **clean)


def _without(key, value):
    """Take the API key out of what a server echoed, at every depth.

    A few letters are no key: to mask them everywhere would spoil the words.
    """
    if len(key) < SHORTEST_KEY:
        return value
    if isinstance(value, str):
        return value.replace(key, "***")
    if isinstance(value, list):
        return [_without(key, item) for item in value]
    if isinstance(value, dict):
        return {_without(key, k): _without(key, v) for k, v in value.items()}
    return value


def never_sent(fault):
    """Say whether a failed exchange surely never reached the server."""
    if isinstance(fault, ProxyError):
        fault = fault.original_error
        if str(fault).startswith("Tunnel connection failed"):  # http.client's words
            return True
    if isinstance(fault, SSLError):
        # Any other fault of TLS may come after the request has gone, too.
        return isinstance(fault.args[0], ssl.SSLCertVerificationError)
    return isinstance(fault, NewConnectionError | ConnectTimeoutError)


def describe(fault):
    """Return what happened and what to do about a fault of the connection."""
    if isinstance(fault, ProxyError):
        return "the proxy cannot be reached", "Check the worker's proxy settings."
    if isinstance(fault, SSLError):
        advice = "Check auth.base_url and the worker's certificates."
        return f"the connection is not trusted: {_reason(fault)}", advice
    # The first two are kinds of ConnectTimeoutError to urllib3, though nothing waited.
    if isinstance(fault, NameResolutionError):
        advice = "Check auth.base_url and the worker's network and DNS."
        return f"no connection: {_host(fault)} cannot be resolved", advice
    if isinstance(fault, NewConnectionError):
        words = f"no connection{_cause(fault)}"
    elif isinstance(fault, ConnectTimeoutError):
        words = f"no connection within {client.CONNECT_TIMEOUT:g} s"
    elif isinstance(fault, ReadTimeoutError):
        words = "the server fell silent before its answer was complete"
    elif isinstance(fault, DecodeError):
        return "the answer's compression cannot be undone", "Check auth.base_url."
    elif isinstance(fault, _TooLargeError):
        advice = "Ask for less at a time, or check auth.base_url."
        return str(fault.args[0]), advice
    elif isinstance(fault, ProtocolError) and OWN_WORDS.match(str(fault)):
        words = str(fault)
    elif isinstance(fault, ProtocolError):
        words = "the connection broke before the answer was complete"
    else:
        words = f"the exchange failed ({type(fault).__name__})"
    return words, "Try again; if it stays so, check the network and auth.base_url."


def _host(fault):
    """Return the name that was looked up, as urllib3 tells it."""
    found = re.search(r"Failed to resolve '([^']{1,255})'", str(fault))
    return found[1] if found else "the host's name"


def _cause(fault):
    """Return why there is no connection in the system's words, after a colon."""
    cause = fault.__cause__ or fault.__context__
    words = getattr(cause, "strerror", None)
    return f": {words.lower()}" if isinstance(words, str) and words else ""


def _reason(fault):
    return str(fault).split("(_ssl.c")[0].strip(" (")[:200]


def _advice(request, status):
    if status < 400:
        return "Check auth.base_url: what answers there is not the API."
    inference = request.operation["retry"] == "inference"
    if status == 407:
        return "Give the proxy's user and password in the worker's proxy settings."
    if status == 403 and inference:
        return f"Shorten the input or max_tokens if they do not fit. {ADVICE[403]}"
    if status == 404:
        return _missing(request, inference)
    return ADVICE.get(status, ADVICE[500 if status > 500 else 400])


def _missing(request, inference):
    """Return where to look for what a request named and the service does not have."""
    path = request.operation["path"]
    if "{" in path:
        from .lists import LISTS

        end = len(path)
        while (end := path.rfind("/{", 0, end)) > 0:
            if path[:end] in LISTS:
                return f"Check the id: {LISTS[path[:end]]} shows what exists."
        return "Check the id."
    if inference or (isinstance(request.body, dict) and "model" in request.body):
        return "Check the model's name: models/list_models shows what exists."
    if request.body:
        return "Check the ids in the request."
    return "Check auth.base_url: what answers there has no such operation."


# --- the server's words ------------------------------------------------------------


def _server_words(reply, key=""):
    """Return detail, type, code and param from any shape of an error, without the key,
    which must go before anything is cut."""
    found, problem = _loads(reply.data)
    if problem:
        text = _without(key, reply.text().strip())
        if not text:
            return {"detail": "the answer is empty"}
        if text.startswith("<"):
            title = _title(text)
            name = f" titled {title!r}" if title else ""
            return {"detail": f"the answer is a web page{name[:120]}, not JSON"}
        return {"detail": text[:500]}
    found = _without(key, found)
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    error = found.get("error", found) if isinstance(found, dict) else found
    if isinstance(found, dict) and not isinstance(error, dict | str | list):
        error = found
    words = {}
    if isinstance(error, dict):
        words = {
            name: error[name]
            for name in ("type", "code", "param")
            if isinstance(error.get(name), str | int)
        }
        if isinstance(error.get("file_id"), str):
            words["file_id"] = error["file_id"]
    told = _reason_in(error) or _reason_in(found)
    if not told and "file_id" in words:
        told = f"the same content is stored already as {words['file_id']}"
    words["detail"] = (told or json.dumps(found))[: 2000 if told else 500]
    return words


def _title(page):
    """Return the title of a web page, or None; its end need not be there."""
    head = page[:TITLE_WITHIN]
    start = head.lower().find("<title>")
    if start < 0:
        return None
    return head[start + 7 :].split("<", 1)[0].strip() or None


def _reason_in(error, depth=0):
    """Return the words of an error of any shape: a text, an object with a text under
    one of the usual names, or a list of either; None where there is none."""
    if isinstance(error, str):
        return error.strip() or None
    if depth > 4:
        return None
    if isinstance(error, list):
        told = [_reason_in(one, depth + 1) for one in error[:20]]
        return "; ".join(dict.fromkeys(filter(None, told))) or None
    if not isinstance(error, dict):
        return None
    for name in REASONS:
        told = _reason_in(error.get(name), depth + 1)
        if told:
            where = error.get("loc") or error.get("field")
            if isinstance(where, list):
                where = ".".join(map(str, where[:10]))
            return f"{where}: {told}" if isinstance(where, str) else told
    return None


def event_error(data, status=500):
    """Return a _Reply for an error that came as an event, or in an answer of status
    200, under the status that it names."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, list) and found:
        found = found[0]
    error = found.get("error", found) if isinstance(found, dict) else None
    for name in ("status", "code"):
        named = error.get(name) if isinstance(error, dict) else None
        if isinstance(named, int | str) and re.fullmatch(r"[45]\d\d", str(named)):
            status = int(named)
    reason = http.client.responses.get(status, "")
    head = SimpleNamespace(status=status, reason=reason, headers={})
    return _Reply(head, data.encode("utf-8", "replace"))
