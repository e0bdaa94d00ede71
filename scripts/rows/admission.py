"""When a request may go: one gate before all that a step over rows sends.

A 429 closes the gate for all until the time that the server asks for, and fewer may be
under way after it; every success lets more through again. Where a step has a budget,
money is set aside for a request before it goes, for one after the other in their turn.
After the step's time limit, or once it was stopped, nothing goes any more.
"""

from __future__ import annotations

import math
import threading
import time

from ..client.job import log
from ..table.ordered_threads import ClosedError
from .pace import Pace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    Taken = TypeVar("Taken")

PATIENCE = 900.0  # seconds of nothing but 429 after which it is given up
APART = 0.25  # seconds between two tries while the service only refuses
TELL = 60.0  # seconds of nothing but refusals after which the log says so, each time


class LateError(Exception):
    """The time of all requests is over."""


class Gate:
    """How many requests may be under way, at most `most`, and until when none may
    start; after the moment `ends` none does.

    A request enters and leaves with each of its tries; money is reserved for it once,
    before the first of them, and released after the last.
    """

    def __init__(
        self, most: int, patience: float = PATIENCE, ends: float = math.inf
    ) -> None:
        self.most = most
        self.patience = patience
        self.ends = ends
        self.answered = 0.0  # when the last answer came that was no refusal
        self.limit = float(most)
        self.active = 0
        self.shut_until = 0.0
        self.narrowed = 0.0
        self.refused: float | None = None  # since when there were only refusals
        self.told = 0.0
        self.waiting = 0
        self.reserved = 0  # requests that money is set aside for
        self.line: list[object] = []  # who waits for money, whose turn it is first
        self.stopped: str | None = None  # why nothing more is begun
        self.pace = Pace()
        self.leading = False  # one of those that wait waits for the pace
        self.closing = threading.Event()
        self.lock = threading.Lock()
        self.place = threading.Condition(self.lock)  # for a place under way
        self.money = threading.Condition(self.lock)  # for money that others leave over

    def reserve(self, take: Callable[[], Taken | None]) -> Taken | None:
        """Return what `take` gives, which sets money aside, or None once it is stopped.

        Where it gives None there is no money for now: it is asked again after others
        were released, each in its turn, so that what is left out comes last.
        """
        own = object()
        with self.lock:
            self.line.append(own)
            try:
                while not self.stopped:
                    if self.closing.is_set():
                        raise ClosedError
                    taken = take() if self.line[0] is own else None
                    if taken is not None:
                        self.reserved += 1
                        return taken
                    if not self.stopped:
                        self.money.wait()
            finally:
                self.line.remove(own)
                self.money.notify_all()
        return None

    def release(self, settle: Callable[[], None]) -> None:
        """End what `reserve` began; `settle` notes what was spent."""
        with self.lock:
            self.reserved -= 1
            settle()
            self.money.notify_all()

    def stop(self, why: str) -> None:
        """Let nothing more begin, for a reason: the first one counts. Not to be called
        by what `reserve` and `release` call: `stopped` is theirs to set."""
        with self.lock:
            self.stopped = self.stopped or why
            self.money.notify_all()

    def enter(self) -> float:
        """Wait for a place; return the moment it was given. Raises LateError and
        ClosedError."""
        with self.lock:
            while True:
                if self.closing.is_set():
                    raise ClosedError
                now = time.monotonic()
                if now >= self.ends:
                    raise LateError
                shut = self.shut_until - now
                free = shut <= 0 and self.active < int(self.limit)
                ahead = self.pace.ready(now) if free else 0.0
                if free and ahead <= 0:
                    self.active += 1
                    self.pace.started(now)
                    if self.refused is not None:
                        self.shut_until = now + APART
                    if self.waiting and self.pace.limit:
                        self.place.notify()  # the next to wait for the pace
                    return now
                self.tell(now)
                # One waits until the moment, the others for it: else all would wake.
                leads = ahead > 0 and not self.leading
                shut = ahead if leads else shut
                self.leading = self.leading or leads
                self.waiting += 1
                self.place.wait(min(shut if shut > 0 else TELL, TELL, self.ends - now))
                self.waiting -= 1
                self.leading = self.leading and not leads

    def leave(self) -> None:
        with self.lock:
            self.active -= 1
            if self.waiting:
                self.place.notify()

    def widen(self) -> None:
        """After a success, let more be under way: all of them after 16 rounds."""
        self.answered = time.monotonic()
        if self.limit < self.most or self.refused is not None:
            with self.lock:
                if self.refused is not None:
                    self.refused = None
                    self.place.notify_all()
                more = max(1.0, self.most / 16) / self.limit
                self.limit = min(self.most, self.limit + more)
                self.place.notify()

    def narrow(self, entered: float, seconds: float) -> None:
        """Let nothing start for some seconds, and then less than before.

        Requests that started before the last narrowing say nothing new.
        """
        with self.lock:
            now = time.monotonic()
            self.shut_until = max(self.shut_until, now + seconds)
            if self.refused is None:
                self.refused = self.told = now
            self.tell(now)
            if entered > self.narrowed:
                self.limit = max(1.0, self.limit * 0.7)
                self.narrowed = now

    def tell(self, now: float) -> None:
        """Say in the log, each minute, that there is nothing but refusals."""
        if self.refused is None or now - self.told < TELL:
            return
        self.told = now
        log(
            f"too many requests: waiting for {now - self.refused:.0f} s, at most "
            f"{self.patience:.0f}"
        )

    def close(self) -> None:
        self.closing.set()
        with self.lock:
            self.place.notify_all()
            self.money.notify_all()
