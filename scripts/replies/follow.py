"""A stream followed to its end: its text shown, the whole answer returned."""

from __future__ import annotations

import time

from ..client.job import log
from ..client.request import (
    MOST_SECONDS,
    choices_asked,
    count_choices,
    hear,
    parse_whole,
    read_body,
    without_signals,
)
from ..client.transport import (
    MIB,
    Reply,
    TooLargeError,
    abandon,
    faults,
    hurry,
    is_silence,
    protocol_fault,
    read_pieces,
)
from .accumulators import accumulator
from .live_text import LiveText
from .sse import Events, is_stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..client.request import Request
    from ..shapes import Facts, Fault, Json, Response
    from .accumulators import Accumulator

LAST_EVENTS = 5.0  # seconds for what may follow the last text of a stream
MOST_STREAM_BYTES = 48 * MIB  # of all events of a stream, of which its answer is made
END_OF_BODY = 0.2  # seconds for the end of a body whose content is complete


def whole_stream(request: Request) -> Json:
    """Send a request for a stream and return the whole answer. Where nothing but an
    error came, it is retried as an answer of that status would be."""
    while True:
        gather = accumulator(request.operation["stream"], choices_asked(request))
        response = request.send(streaming=True)
        kind = response.headers.get("content-type", "")
        pieces = None
        if "event" not in kind and ("json" in kind or "html" in kind):
            # Whole: JSON may be larger than an event, and have blank lines in it.
            reply = Reply(response, read_body(request, response))
            if not is_stream(reply.data):
                return parse_whole(request, reply)
            pieces = [reply.data]
        answer = follow_stream(request, response, gather, pieces)
        if not isinstance(answer, Reply):
            return answer
        request.again(None, answer)


def follow_stream(
    request: Request,
    response: Response,
    gather: Accumulator,
    pieces: Iterable[bytes] | None = None,
) -> Json:
    """Read server-sent events to [DONE], show their text, return the whole answer.

    `pieces` gives the bytes of an answer that was read already. Where an error is all
    that came, it is returned as a Reply, so that the caller may try again. Raises
    TogetherError, with what had arrived in its `partial`.
    """
    fault: Fault | Reply | None = None
    at_end = False
    show = LiveText(request.key)
    most = time.monotonic() + MOST_SECONDS[request.operation["retry"]]
    events = Events(pieces or read_pieces(response, most), lenient=True)
    size = 0
    try:
        for data, name in events:
            size += len(data)
            if size > MOST_STREAM_BYTES:
                words = f"the stream has more than {MOST_STREAM_BYTES // MIB} MiB"
                raise TooLargeError(words)
            if data[:9].strip(' \t"')[:6].upper() == "[DONE]":
                at_end = True
                break
            fault = gather.add(data, name)
            if fault:
                break
            if gather.text and not events.waiting:
                show.add(gather.take_text())
            if gather.ended and not gather.expires:
                # Only the use of tokens and [DONE] can follow: no reason to wait long.
                gather.expires = True
                hurry(response, LAST_EVENTS)
    except faults() as error:
        if not (gather.ended and is_silence(error)):
            fault = error
    if gather.text:
        show.add(gather.take_text())
    show.end()
    _leave_connection(response, fault is None)
    if not (at_end or fault or gather.started):
        bare = Reply(response, events.rest())
        if bare.data.strip():  # not framed as events at all
            return parse_whole(request, bare)
    return _conclude(request, gather, at_end, fault)


def _conclude(
    request: Request, gather: Accumulator, at_end: bool, fault: Fault | Reply | None
) -> Json:
    """Return the answer of a stream that is over, the Reply of an error that came in
    its place, or raise TogetherError."""
    if isinstance(fault, Reply) and not gather.started:
        return fault
    # Here, as an event may bring a piece of the key.
    answer = without_signals(request.without_key(gather.whole(request)))
    hear(request, answer)
    facts: Facts = {"partial": answer} if gather.started else {}
    if fault is None and gather.failed:
        fault = gather.failed
    if isinstance(fault, Reply):
        raise request.failure(None, fault, **facts) from None
    if fault is None and not (gather.started and gather.holds):
        fault = protocol_fault("the stream ended without an answer")
    elif fault is None and not at_end:
        if gather.ended:
            log("the stream ended without [DONE]")
        else:
            fault = protocol_fault("the stream ended without [DONE]")
    if fault is not None:
        raise request.failure(fault, None, **facts) from None
    count_choices(request, answer)
    return answer


def _leave_connection(response: Response, whole: bool) -> None:
    """Leave the connection: for the next call where the body ends at once, as it does
    behind [DONE]; else closed."""
    try:
        if whole:
            hurry(response, END_OF_BODY)
            if not response.read1(1):
                response.release_conn()
                return
    except faults():
        pass
    except ValueError:
        pass
    abandon(response)
