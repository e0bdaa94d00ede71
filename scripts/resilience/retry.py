"""Whether an exchange that failed is tried again, and when.

pause        how long to wait before another try of an operation; None: give up
passing      whether a failure with this status may be over at the next try
backoff      how long to wait before another try
rest         that wait itself, for exchanges that may always be retried
retry_after  the seconds that a server asks to wait
never_sent   whether a failed exchange surely never reached the server
is_unclear   whether a try that failed may have been carried out
"""

from __future__ import annotations

import math
import random
import re
import ssl
import time

from ..client.jsonio import FIRST_MILLISECONDS, FIRST_MOMENT, moment_of
from ..client.transport import TooLargeError
from .refusals import known_refusal
from .server_words import server_words_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping

    from ..client.request import Request
    from ..client.transport import Reply
    from ..shapes import Fault, RetryClass

UNCLEAR = (408, 500, 502, 504, 520, 524)  # the work may have been done
MAX_TRIES = 4
FIRST_WAIT = 0.5  # seconds before the second try; each further one waits twice as long
LONGEST_WAIT = 10.0  # seconds, where the server asks for none
MAX_WAIT = 60.0  # the longest single wait, whatever a server asks for
OUT_OF_CREDIT = (
    "insufficient_quota",
    "insufficient balance",
    "insufficient_balance",
    "insufficient funds",
    "insufficient_funds",
    "insufficient credit",
    "not enough credit",
    "out of credit",
    "credit limit",
    "spending limit",
    "spend limit",
    "payment required",
    "payment_required",
    "billing",
)


def pause(
    request: Request, retry: RetryClass, fault: Fault | None, reply: Reply | None
) -> float | None:
    """Return the seconds to wait before another try, or None to give up.

    `retry` is the operation's retry class; `fault` is what was raised, or None where
    there is a `reply`. The request notes where the try may have been carried out.
    """
    request.unclear = request.unclear or is_unclear(fault, reply)
    if request.tries >= request.operation.get("tries", MAX_TRIES):
        return None
    harmless = retry in ("read", "inference")
    if fault is not None:
        from urllib3.exceptions import DecodeError, SSLError  # once something failed

        final = isinstance(fault, SSLError | TooLargeError | DecodeError)
        if final or not (harmless or never_sent(fault)):
            return None
        return backoff(request.tries, None)
    assert reply is not None  # without a fault there is a reply
    advised = reply.headers.get("x-should-retry")
    asked = retry_after(reply.headers)
    if advised == "false" or (asked is not None and asked > MAX_WAIT):
        return None
    if reply.status == 429 and out_of_credit(reply):
        return None
    if known_refusal(reply):
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


def out_of_credit(reply: Reply) -> bool:
    """Say whether a 429 is about missing credit: no wait brings that."""
    words = server_words_of(reply)
    return about_money(words.get("type"), words.get("code"), words.get("detail"))


def about_money(*words: object) -> bool:
    """Say whether a server's words about a refusal are about money."""
    named = " ".join(map(str, words)).lower()
    return any(word in named for word in OUT_OF_CREDIT)


def backoff(tries: int, asked: float | None) -> float:
    """Return the seconds to wait after so many tries: what the server asks for, but at
    least half the backoff, lest all clients come back at once."""
    # By so many doublings it is at its longest; of some more than 1000 there is none.
    own = FIRST_WAIT * 2 ** min(tries - 1, 100)
    own = min(own, LONGEST_WAIT) * random.uniform(0.75, 1.0)
    return own if asked is None else max(asked, own / 2)


def passing(status: int | None) -> bool:
    """Say whether a failure with this status may be over at the next try; None stands
    for no answer at all."""
    return status is None or status in (408, 425, 429) or status >= 500


def rest(
    tries: int, asked: float | None = None, stop: threading.Event | None = None
) -> bool:
    """Wait after so many tries, MAX_WAIT seconds at most; return whether `stop` was set
    meanwhile."""
    seconds = min(backoff(tries, asked), MAX_WAIT)
    if stop is not None:
        return stop.wait(seconds)
    time.sleep(seconds)
    return False


def retry_after(headers: Mapping[str, str]) -> float | None:
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


def _seconds(text: str | None, unit: int = 1) -> float | None:
    """Return the seconds from now that a header names, or None where it names none."""
    text = (text or "").strip()
    try:
        number = float(text)
    except ValueError:
        found = _span_or_moment(text[:LONGEST_TIME]) if unit == 1 else None
        if found is None:
            return None
        number = found
    if not math.isfinite(number):
        return None
    if number > FIRST_MILLISECONDS:
        number, unit = number / 1000, 1
    if number > FIRST_MOMENT:
        return max(0.0, number - time.time())
    return max(0.0, number / unit)


def _span_or_moment(text: str) -> float | None:
    """Return the seconds of a span such as "1m30s", or a moment in seconds since 1970;
    None for anything else."""
    spans = SPAN.findall(text)
    if spans and not SPAN.sub("", text).strip():
        return sum(float(count) * UNITS[unit[:2].lower()] for count, unit in spans)
    from datetime import UTC  # few waits are a moment
    from email.utils import parsedate_to_datetime  # few waits are a moment

    try:
        moment = parsedate_to_datetime(text)
        return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
    except (ValueError, TypeError, OverflowError):
        return moment_of(text)


LONGEST_TIME = 60  # characters
SPAN = re.compile(r"(?i)([0-9]+(?:\.[0-9]+)?) ?(ms|sec|s|min|m|h|d)[a-z]*")
UNITS = {"ms": 0.001, "se": 1, "s": 1, "mi": 60, "m": 60, "h": 3600, "d": 86400}


def is_unclear(fault: Fault | None, reply: Reply | None) -> bool:
    """Say whether a try that failed may have been carried out, and be paid for."""
    if reply is not None:
        return reply.status < 400 or reply.status in UNCLEAR
    return fault is not None and not never_sent(fault)


def never_sent(fault: Fault) -> bool:
    """Say whether a failed exchange surely never reached the server."""
    from urllib3.exceptions import (  # once something failed
        ConnectTimeoutError,
        NewConnectionError,
        ProxyError,
        SSLError,
    )

    if isinstance(fault, ProxyError):
        fault = fault.original_error
        if str(fault).startswith("Tunnel connection failed"):  # http.client's words
            return True
    if isinstance(fault, SSLError):
        # Any other fault of TLS may come after the request has gone, too.
        return isinstance(fault.args[0], ssl.SSLCertVerificationError)
    return isinstance(fault, NewConnectionError | ConnectTimeoutError)
