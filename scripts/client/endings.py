"""How an answer ended: by the reason that a server gives, and by what it holds.

ending        whether an answer is whole, cut, filtered or broken
is_error      whether a member `error` tells of one
plain_state   the state of a job as the API spells it
tells_error   whether an object is an error, whatever it is called there
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..shapes import Json, Members

USUAL = frozenset(("stop", "eos", "tool_calls", None))
# What stands in the reasons of servers, the telling ones first: each has its own names.
ENDINGS = (
    (
        "filtered",
        (
            "filter",
            "safety",
            "prohibited",
            "blocklist",
            "blocked",
            "recitation",
            "spii",
            "refus",
            "sensitive",
            "guardrail",
            "moderation",
            "policy",
            "toxic",
            "flagged",
        ),
    ),
    ("cut", ("length", "max_", "token_limit", "context", "incomplete", "pause")),
    (
        "broken",
        (
            "error",
            "abort",
            "cancel",
            "fail",
            "timeout",
            "timed_out",
            "malformed",
            "overload",
            "insufficient",
            "interrupt",
        ),
    ),
)
LONGEST_REASON = 100  # characters


def ending(reason: Json) -> str:
    """Return how an answer ended that has this finish_reason: "whole", "cut" where its
    length is used up, "filtered" by the service, or "broken"."""
    if not isinstance(reason, str | None) or reason in USUAL or not reason:
        return "whole"
    words = _one_spelling(reason)
    for name, known in ENDINGS:
        if any(word in words for word in known):
            return name
    return "whole"


def is_error(value: Json) -> bool:
    """Say whether a member `error` tells of one: some servers have it in every answer,
    with an object whose members are null, 0 or empty."""
    if isinstance(value, dict):
        return any(map(is_error, value.values()))
    return bool(value)


def plain_state(state: Json, known: Iterable[str], prefix: str = "") -> Json:
    """Return a state of a job as it is spelled among those known, without the prefix
    that their names have at some servers: it may come in another case, with blanks
    around it or between its words, and as canceled with one l.

    A state that is none of them comes back as it is: nobody may take it for an end.
    """
    if not isinstance(state, str):
        return state
    said = _one_spelling(state).removeprefix(_one_spelling(prefix))
    for one in known:
        if _one_spelling(one) == said:
            return one
    return state.strip().removeprefix(prefix)[:LONGEST_REASON]


def _one_spelling(word: str) -> str:
    """Return a server's word for an end in one spelling: timedOut is timed_out."""
    words = word[:LONGEST_REASON].strip()
    words = re.sub("(?<=[a-z])(?=[A-Z])", "_", words).lower()
    words = words.replace("-", "_").replace(" ", "_")
    return re.sub("cancel(?=ed|ing)", "cancell", words)


def tells_error(answer: Members) -> bool:
    """Say whether an object that is no answer is an error: one that says so, or that
    has words and nothing beside them but what errors have."""
    status = answer.get("status")
    resp = answer.get("base_resp")
    return bool(
        is_error(answer.get("error"))
        or is_error(answer.get("errors"))
        or answer.get("object") == "error"
        or answer.get("type") == "error"
        or answer.get("success") is False
        or (isinstance(status, str) and status.lower() == "error")
        or (isinstance(resp, dict) and resp.get("status_code"))
        or (answer.keys() <= ERROR_MEMBERS and any(map(answer.get, ERROR_WORDS)))
    )


ERROR_WORDS = (
    *("message", "detail", "msg", "errorMessage", "error_message", "fault"),
    *("error_msg", "errmsg", "err_msg", "error_description"),
)
ERROR_MEMBERS = frozenset(
    (
        *ERROR_WORDS,
        *("error_code", "errcode", "err_code"),
        *("type", "errorType", "code", "status", "statusCode", "param", "request_id"),
        *("object", "timestamp", "path", "data", "trace_id", "requestId"),
    )
)
