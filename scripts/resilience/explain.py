"""What is said of an exchange that failed.

failure      the TogetherError for an exchange
told         what happened, in a few words
describe     a fault of the connection in words, with advice
event_error  an error that came as an event of a stream, as an answer
"""

from __future__ import annotations

import http.client
import json
import re
from types import SimpleNamespace

from ..client import TogetherError
from ..client.endings import ending, is_error
from ..client.resource import without_key
from ..client.transport import CONNECT_TIMEOUT, TOO_LONG, Reply, TooLargeError
from ..operations import operation
from .lists import LISTS
from .refusals import known_refusal, known_words, told_by
from .retry import is_unclear, out_of_credit, retry_after
from .server_words import reason_in, server_words_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Unpack

    from ..client.request import Request
    from ..shapes import Facts, Fault, Members

OWN_WORDS = re.compile("the (answer|stream|event)|an event")
REQUEST_IDS = ("x-request-id", "x-together-traceid", "cf-ray")
# What every key may ask: no other step would tell more.
FREE_TO_ASK = (
    operation("organization/get_identity")["path"],
    operation("organization/get_key_identity")["path"],
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


def failure(
    request: Request, fault: Fault | None, reply: Reply | None, **facts: Unpack[Facts]
) -> TogetherError:
    """Return the TogetherError for an exchange that failed, without the API key."""
    path = request.target.partition("?")[0]
    words: Members = {}
    if fault is not None:
        summary, advice = describe(fault)
        detail = None
        facts["type"] = "connection"
    else:
        assert reply is not None  # what raised nothing has an answer
        words = _read_refusal(request, reply)
        detail, advice = words.pop("detail", None), words.pop("advice")
        if reply.status < 400:
            facts["type"] = "invalid_answer"
        summary = f"{reply.status} {reply.reason}".strip()
        if detail:
            summary += f": {detail}"
    costly = request.operation["retry"] in ("creates", "mutates")
    ambiguous = costly and is_unclear(fault, reply)
    if request.operation["retry"] == "inference":
        request.unclear = request.unclear or is_unclear(fault, reply)
        if fault is not None or request.unclear:
            facts["may_be_paid"] = request.unclear
    if ambiguous:
        advice = _how_to_find_out(request)
    message = f"{summary} ({request.method} {path}). {advice}"
    facts["method"], facts["path"] = request.method, path
    facts["tries"] = request.tries
    facts["idempotency_key"] = request.idempotency_key
    facts["ambiguous"], facts["advice"], facts["detail"] = ambiguous, advice, detail
    words |= facts
    clean = {name: without_key(request.key, value) for name, value in words.items()}
    return TogetherError(without_key(request.key, message), **clean)


def _read_refusal(request: Request, reply: Reply) -> Members:
    """Return what an answer that is no success says: the server's words, its `detail`
    among them, and our `advice`."""
    facts = server_words_of(reply, request.key)
    facts["status"] = reply.status
    facts["request_id"] = next(
        (reply.headers[h] for h in REQUEST_IDS if h in reply.headers), None
    )
    facts["retry_after"] = retry_after(reply.headers)
    if 300 <= reply.status < 400:
        facts["detail"] = "the server redirects, which this operation never does"
    facts["advice"] = _advice(request, reply.status)
    if reply.status == 429 and out_of_credit(reply):
        facts["advice"] = ADVICE[402]
    if known := known_refusal(reply):
        code, facts["advice"] = known
        facts["final"] = True
        facts.setdefault("code", code)
    return facts


def _how_to_find_out(request: Request) -> str:
    """Return the advice for an exchange that may have been carried out all the same."""
    find = request.operation.get("find")
    advice = "It is not known whether this was carried out: "
    advice += f"look with {find} " if find else "look in the dashboard "
    advice += "before running the step again."
    if request.idempotency_key:
        advice += f" Running it again with idempotency_key {request.idempotency_key}"
        advice += " repeats nothing."
    return advice


def unread(error: Exception, heard: list[tuple[Any, Any]]) -> TogetherError:
    """Return the TogetherError for answers that a step stumbled over, the last of what
    the service said in its `partial`."""
    request, answer = heard[-1]
    where = error.__traceback__
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    place = where.tb_frame.f_code.co_name if where is not None else "?"
    costly = request.operation["retry"] in ("creates", "mutates")
    find = request.operation.get("find")
    advice = "Tell the pack's maintainers; `partial` is what the service said."
    if costly:
        look = f"look with {find} before" if find else "look before"
        advice = f"It was carried out: {look} running the step again. {advice}"
    path = request.target.partition("?")[0]
    return TogetherError(
        f"An answer of the service cannot be read ({type(error).__name__} in {place}; "
        f"{request.method} {path}). {advice}",
        type="invalid_answer",
        method=request.method,
        path=path,
        ambiguous=costly,
        partial=without_key(request.key, answer),
        advice=advice,
    )


def broken_answer(request: Request, answer: Members) -> TogetherError:
    """Return the TogetherError for a model's answer with nothing in it, or with a
    choice that broke off; it is in the error's `partial`."""
    choices = answer.get("choices")
    choices = choices if isinstance(choices, list) else []
    found = [one for one in choices if isinstance(one, dict) and one]
    what = "no choice" if "choices" in answer else "nothing"
    words = f"The model gave no answer: there is {what} in it"
    for one in found:
        if is_error(one.get("error")) or ending(one.get("finish_reason")) == "broken":
            usual = f"finish_reason {one.get('finish_reason')}"
            words = (
                f"The model's answer broke off: {reason_in(one.get('error')) or usual}"
            )
            break
    advice = "Run the step again, or choose another model."
    path = request.target.partition("?")[0]
    return TogetherError(
        without_key(request.key, f"{words} ({request.method} {path}). {advice}"),
        type="broken_answer",
        method=request.method,
        path=path,
        tries=request.tries,
        partial=without_key(request.key, answer),
        advice=advice,
    )


def told(fault: Fault | None, reply: Reply | None) -> str:
    """Return what happened, for the line of a log that tells of another try."""
    if fault is not None:
        return describe(fault)[0]
    assert reply is not None  # what raised nothing has an answer
    return f"{reply.status} {reply.reason}".strip()


def describe(fault: Fault) -> tuple[str, str]:
    """Return what happened and what to do about a fault of the connection."""
    from urllib3.exceptions import (  # once something failed
        ConnectTimeoutError,
        DecodeError,
        NameResolutionError,
        NewConnectionError,
        ProtocolError,
        ProxyError,
        ReadTimeoutError,
        SSLError,
    )

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
        words = f"no connection within {CONNECT_TIMEOUT:g} s"
    elif isinstance(fault, ReadTimeoutError):
        words = "the server fell silent before its answer was complete"
        if TOO_LONG in str(fault.__cause__):
            words = TOO_LONG
    elif isinstance(fault, DecodeError):
        return "the answer's compression cannot be undone", "Check auth.base_url."
    elif isinstance(fault, TooLargeError):
        advice = "Ask for less at a time, or check auth.base_url."
        return str(fault.args[0]), advice
    elif isinstance(fault, ProtocolError | OSError) and OWN_WORDS.match(str(fault)):
        words = str(fault)
    elif isinstance(fault, ProtocolError):
        words = "the connection broke before the answer was complete"
    else:
        words = f"the exchange failed ({type(fault).__name__})"
    return words, "Try again; if it stays so, check the network and auth.base_url."


def _host(fault: Fault) -> str:
    """Return the name that was looked up, as urllib3 tells it."""
    found = re.search(r"Failed to resolve '([^']{1,255})'", str(fault))
    return found[1] if found else "the host's name"


def _cause(fault: Fault) -> str:
    """Return why there is no connection in the system's words, after a colon."""
    cause = fault.__cause__ or fault.__context__
    words = cause.strerror if isinstance(cause, OSError) else None
    return f": {words.lower()}" if isinstance(words, str) and words else ""


def _reason(fault: Fault) -> str:
    return str(fault).split("(_ssl.c")[0].strip(" (")[:200]


def _advice(request: Request, status: int) -> str:
    if status < 400:
        return "Check auth.base_url: what answers there is not the API."
    inference = request.operation["retry"] == "inference"
    if status == 407:
        return "Give the proxy's user and password in the worker's proxy settings."
    if status == 403 and inference:
        return (
            "Either the input and max_tokens are more than the model can take, so "
            "shorten them; or the key may not do this: organization/check_connection "
            "tells what it may do."
        )
    if status == 403 and request.operation["path"] in FREE_TO_ASK:
        return (
            "Check auth.base_url, and in Together's dashboard that the key is active."
        )
    if status == 404:
        return _missing(request, inference)
    return ADVICE.get(status, ADVICE[500 if status > 500 else 400])


def _missing(request: Request, inference: bool) -> str:
    """Return where to look for what a request named and the service does not have."""
    path = request.operation["path"]
    if "{" in path:
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


def event_error(data: str, status: int = 500) -> Reply:
    """Return a Reply for an error that came as an event, or in an answer of status
    200, under the status that it names, or that a refusal of its words has."""
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
            break
    else:
        known = known_words(told_by(server_words_of(_reply(status, data))))
        if known and status >= 400:
            status = known[0]
    return _reply(status, data)


def _reply(status: int, data: str) -> Reply:
    reason = http.client.responses.get(status, "")
    head = SimpleNamespace(status=status, reason=reason, headers={})
    return Reply(head, data.encode("utf-8", "replace"))
