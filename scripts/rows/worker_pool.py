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
from ..table.ordered_threads import in_order
from .admission import PATIENCE, Gate, LateError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from ..shapes import Auth, Carried, Fault, Json, Members, Operation

WINDOW = 16  # results per lane that may wait for an earlier one


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
        """
        window = WINDOW * self.concurrency
        try:
            yield from in_order(work, tasks, self.concurrency, window)
        finally:
            self.gate.close()
            self.gate.pace.end()

    def send(self, body: Json) -> Members:
        """Return the JSON answer to one body. Raises TogetherError; its type is
        "not_sent" for one that came too late.

        To be called by the work of `map`: it waits at the gate.
        """
        try:
            return self.sent(body)
        except LateError:
            words = f"the step's time limit of {self.seconds:g} s is over"
            raise TogetherError(words, type="not_sent") from None

    def sent(self, body: Json) -> Members:
        check_worker()
        request = copy.copy(self.request)
        data = encode_body(body)
        began = time.monotonic()
        held = hung = 0
        while True:
            entered = self.gate.enter()
            request.tries += 1
            reply: Reply | None = None
            fault: Fault | None = None
            try:
                reply = self.exchange(data)
            except faults() as error:
                fault = error
            finally:
                self.gate.leave()
            if fault and time.monotonic() >= self.ends:
                raise LateError
            if reply:
                self.gate.pace.learn(reply.headers)
            if reply and reply.status < 300:
                self.gate.widen()
                answer, problem = parse_json(reply.data)
                if problem or not isinstance(answer, dict):
                    raise request.failure(None, reply)
                check_answer(request, answer, reply)
                return answer
            from ..resilience.retry import (  # only when something failed
                backoff,
                out_of_credit,
                pause,
                retry_after,
            )

            if reply and reply.status == 429 and not out_of_credit(reply):
                asked = retry_after(reply.headers)
                held += 1
                if asked is None:
                    asked = backoff(held, None)
                if time.monotonic() + asked < began + self.patience:
                    request.tries -= 1
                    self.gate.narrow(entered, asked)
                    continue
                self.exhausted = self.exhausted or self.gate.answered < began
                raise request.failure(None, reply)
            wait = pause(request, "inference", fault, reply)
            hung += fault is not None and is_silence(fault)
            if wait is None or hung > 1:
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
