"""Anything done by several threads, its results in the order of the tasks."""

from __future__ import annotations

import threading
from itertools import chain, islice

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any


class ClosedError(Exception):
    """Nobody waits for the result any more."""


def in_order(
    work: Callable[[Any], Any], tasks: Iterable[Any], threads: int, window: int
) -> Iterator[Any]:
    """Yield work(task) for every task, in the order of the tasks, by several threads.

    Tasks are taken as threads become free, so an endless iterator is welcome; up to
    `window` results that are finished early wait. Once work or the tasks raise, no more
    tasks are taken; what is under way ends, the results before it are yielded, and it
    is raised here.
    """
    tasks = iter(tasks)
    first = list(islice(tasks, threads))
    if not first:
        return  # an earlier run did all
    line = _Line(chain(first, tasks), work, window, len(first))
    for _ in first:
        threading.Thread(target=line.run, daemon=True).start()
    try:
        yield from line.results()
    finally:
        line.close()


class _Line:
    """Tasks that go in and results that come out, in the same order."""

    def __init__(
        self,
        tasks: Iterator[Any],
        work: Callable[[Any], Any],
        window: int,
        threads: int,
    ) -> None:
        self.tasks = tasks
        self.work = work
        self.window = window
        self.threads = threads  # that have not ended
        self.finished: dict[int, Any] = {}
        self.taken = 0  # tasks that were given to a thread
        self.head = 0  # the result that is handed out next
        self.ended = False
        self.fault: BaseException | None = None
        self.lock = threading.Lock()
        self.ready = threading.Condition(self.lock)
        self.room = threading.Condition(self.lock)

    def run(self) -> None:
        """Take tasks and leave results until there are none."""
        try:
            while True:
                with self.lock:
                    while self.taken - self.head >= self.window and not self.ended:
                        self.room.wait()
                    if self.ended:
                        return
                    task = next(self.tasks, _Line)
                    if task is _Line:
                        self.ended = True
                        self.room.notify_all()
                        return
                    number = self.taken
                    self.taken += 1
                result = self.work(task)
                with self.lock:
                    self.finished[number] = result
                    if number == self.head:
                        self.ready.notify()
        except ClosedError:
            return
        except BaseException as error:
            with self.lock:
                self.fault = self.fault or error
                self.ended = True
                self.room.notify_all()
        finally:
            with self.lock:
                self.threads -= 1
                self.ready.notify()

    def results(self) -> Iterator[Any]:
        while True:
            with self.lock:
                while self.head not in self.finished:
                    if self.threads:
                        self.ready.wait()
                    elif self.fault:
                        raise self.fault
                    else:
                        return
                batch = []
                while self.head in self.finished:
                    batch.append(self.finished.pop(self.head))
                    self.head += 1
                self.room.notify_all()
            yield from batch

    def close(self) -> None:
        with self.lock:
            self.ended = True
            self.room.notify_all()
