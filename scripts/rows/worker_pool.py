"""Send one operation many times at once, as fast as the service lets it be sent.

Lanes are threads that share one prepared request, one pool of connections and one gate
(admission.py), which says when each of them may send.
"""

from __future__ import annotations

import copy
import math
import time

from ..client import TogetherError
from ..client.job import check_worker
from ..client.jsonio import parse_json
from ..client.request import Request, check_answer, encode_body
from ..client.transport import (
    CONNECT_TIMEOUT,
    Reply,
    carrier_for,
    faults,
    http_exchange,
    is_silence,
    read_whole,
)
from ..table.ordered_threads import ClosedError, in_order
from .admission import PATIENCE, Gate, LateError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from ..shapes import Auth, Carried, Fault, Json, Members, Operation

WINDOW = 16  # results per lane that may wait for an earlier one


class _Call:
    """One call with its tries."""

    def __init__(self, request: Request, data: bytes | Carried) -> None:
        self.request = request
        self.data = data
        self.began = time.monotonic()
        self.held = 0  # tries that were refused for their number
        self.hung = 0  # tries that brought no byte for too long


class WorkerPool:
    """Up to `concurrency` requests of one operation at a time.

    auth and operation as for client.call; the operation is one of retry class
    "inference" whose arguments are its body alone. A call that brings no byte for
    `timeout` seconds, or is not complete after that time, hangs: it is cut off and
    tried once more. Where the service refuses for `patience` seconds, it is given up;
    after `seconds` of its own, where they are given, nothing more is sent, and what is
    under way is cut off. Raises TogetherError when auth is not usable.
    """

    def __init__(
        self,
        auth: Auth,
        operation: Operation,
        concurrency: int,
        timeout: float,
        patience: float = PATIENCE,
        seconds: float | None = None,
    ) -> None:
        request = Request(auth, operation, {"body": {}})
        request.headers["Content-Type"] = "application/json"
        self.request = request
        self.url = request.base + request.target
        carrier_for(request.base)  # once, before the lanes all make their own
        self.timeout = timeout
        self.limits = CONNECT_TIMEOUT, timeout
        self.concurrency = concurrency
        self.patience = patience
        self.exhausted = False  # the service refused all for so long
        self.seconds = seconds
        ends = math.inf if seconds is None else time.monotonic() + seconds
        self.ends = ends
        self.gate = Gate(concurrency, patience, ends)

    def map(self, work: Callable[[Any], Any], tasks: Iterable[Any]) -> Iterator[Any]:
        """Yield work(task) for every task, in the order of the tasks.

        As `in_order`, with a thread for each lane; up to WINDOW results for each wait.
        Once work raises, what waits to be sent is not sent any more.
        """

        def closing(task: Any) -> Any:
            try:
                return work(task)
            except BaseException:
                self.gate.close()
                raise

        window = WINDOW * self.concurrency
        try:
            yield from in_order(closing, tasks, self.concurrency, window)
        finally:
            self.gate.close()
            self.gate.pace.end()

    def send(self, body: Json) -> Members:
        """Return the JSON answer to one body. Raises TogetherError; its type is
        "not_sent" for one that came too late.

        To be called by the work of `map`: it waits at the gate.
        """
        check_worker()
        call = _Call(copy.copy(self.request), encode_body(body))
        try:
            while True:
                answer = self._try_once(call)
                if answer is not None:
                    return answer
        except LateError:
            raise TogetherError(
                f"the step's time limit of {self.seconds:g} s is over",
                type="not_sent",
                may_be_paid=call.request.unclear,
            ) from None
        except ClosedError:
            if not call.request.unclear:
                raise
            raise TogetherError(
                "not tried again: the step has ended",
                type="not_sent",
                may_be_paid=True,
            ) from None

    def _try_once(self, call: _Call) -> Members | None:
        """Return the answer, or None after the wait before another try. Raises
        TogetherError where none is made, and LateError."""
        entered = self.gate.enter()
        call.request.tries += 1
        reply: Reply | None = None
        fault: Fault | None = None
        try:
            reply = self.exchange(call.data)
        except faults() as error:
            fault = error
        finally:
            self.gate.leave()
        if reply:
            self.gate.pace.learn(reply.headers)
        if reply and reply.status < 300:
            self.gate.widen()
            answer, problem = parse_json(reply.data)
            if problem or not isinstance(answer, dict):
                raise call.request.failure(None, reply)
            answer = call.request.without_key(answer, reply.data)
            check_answer(call.request, answer, reply)
            return answer
        self._wait(call, entered, fault, reply)
        return None

    def _wait(
        self, call: _Call, entered: float, fault: Fault | None, reply: Reply | None
    ) -> None:
        """Wait until another try makes sense, at the gate where the service is
        overloaded. Raises TogetherError where none does, and LateError."""
        from ..resilience.retry import (  # only when something failed
            backoff,
            is_unclear,
            out_of_credit,
            pause,
            retry_after,
        )

        request = call.request
        if fault and time.monotonic() >= self.ends:
            request.unclear = request.unclear or is_unclear(fault, None)
            raise LateError
        if reply and reply.status == 429 and not out_of_credit(reply):
            asked = retry_after(reply.headers)
            call.held += 1
            if asked is None:
                asked = backoff(call.held, None)
            if time.monotonic() + asked >= call.began + self.patience:
                self.exhausted = self.exhausted or self.gate.answered < call.began
                raise request.failure(None, reply)
            request.tries -= 1
            self.gate.narrow(entered, asked)
            return
        wait = pause(request, "inference", fault, reply)
        call.hung += fault is not None and is_silence(fault)
        if wait is None or call.hung > 1:
            raise request.failure(fault, reply)
        if reply and reply.status == 503:  # overloaded: fewer at a time
            self.gate.narrow(entered, wait)
        else:
            self.gate.closing.wait(min(wait, self.ends - time.monotonic()))

    def exchange(self, data: bytes | Carried) -> Reply:
        """Send once; return a Reply, or raise urllib3's error."""
        most = min(time.monotonic() + self.timeout, self.ends)
        request = self.request
        response = http_exchange(
            request.method, self.url, data, request.headers, self.limits, most
        )
        return Reply(response, read_whole(response, most))
