"""How fast requests may start: the account's own limit, shared by a flow's jobs.

The answers' headers tell the limit: `x-ratelimit-limit` requests a second, or as many
in the window that `x-ratelimit-reset` counts down. Each job of a flow keeps a state of
its own, so that no two ever write to the same, and counts those of the others: a job
starts requests at the limit through their number. A count that is late or not to be had
costs refusals, which the gate bears, and nothing else.
"""

from __future__ import annotations

import math
import os
import threading
import time

from ..client import TogetherError
from ..client.job import in_job, log
from ..client.jsonio import moment_of
from ..workspace.create_once import state_folder
from ..workspace.state import delete_state, list_states, set_state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

AIM = 0.96  # of the limit: requests do not arrive as evenly as they are sent
LOOK = 4.0  # seconds between two counts of a flow's jobs
STALE = 60.0  # seconds after which a job that does not say that it runs is not counted
WINDOWS = 1.0, 10.0, 60.0, 3600.0, 86400.0  # seconds for which limits are given


class Pace:
    """When the next request may start. Nothing is held back until a limit is known.

    Of its methods `ready` and `started` are called by one thread at a time; `learn` by
    any.
    """

    def __init__(self) -> None:
        self.limit: float | None = None  # requests a second, of the whole account
        self.window = WINDOWS[0]
        self.jobs = 1
        self.next = 0.0
        self.looked = -math.inf
        self.said = -math.inf
        self.looking = threading.Lock()  # held by the one that counts the jobs
        self.path: str | None = None
        flow = os.environ.get("WM_ROOT_FLOW_JOB_ID") or os.environ.get("WM_FLOW_JOB_ID")
        if flow and in_job() and (folder := state_folder("pace")):
            self.folder = f"{folder}{flow.replace('-', '')[:32]}_"
            own = os.environ.get("WM_JOB_ID", "").replace("-", "")[:32]
            self.path = f"{self.folder}{own}"

    def ready(self, now: float) -> float:
        """Return the seconds until a request may start, 0 or less: now."""
        return self.next - now if self.limit else 0.0

    def started(self, now: float) -> None:
        """Note that a request starts. One that was late may be made up for."""
        if self.limit:
            apart = self.jobs / (AIM * self.limit)
            self.next = max(self.next, now - apart) + apart

    def learn(self, headers: Mapping[str, str]) -> None:
        """Take in what the headers of an answer say of the account's limit."""
        limit = _number(headers.get("x-ratelimit-limit"))
        if not limit:
            return
        reset = _number(headers.get("x-ratelimit-reset")) or 0.0
        if self.window < reset <= WINDOWS[-1]:
            self.window = next(one for one in WINDOWS if one >= reset)
        self.limit = limit / self.window
        if self.path and self.looking.acquire(blocking=False):
            try:
                self.look(time.monotonic())
            finally:
                self.looking.release()

    def look(self, now: float) -> None:
        """Count the flow's jobs where that is due."""
        path = self.path  # which another lane may have given up meanwhile
        if path and now - self.looked > LOOK:
            self.looked = now
            self.count(path, now)

    def count(self, path: str, now: float) -> None:
        """Say that this job runs, and count the flow's jobs that do."""
        try:
            if now - self.said > STALE / 3:
                set_state({}, path)
                self.said = now
            found = list_states(self.folder)
        except TogetherError as error:
            log(f"the rate is not shared with the flow's other jobs: {error}")
            self.path = None
            return
        since = time.time() - STALE
        fresh = {path for path, at in found.items() if _is_after(at, since)}
        self.jobs = len(fresh | {path})

    def end(self) -> None:
        """Leave the share to the others."""
        if self.path and self.said > -math.inf:
            try:
                delete_state(self.path)
            except TogetherError as error:
                log(f"the others count this job for a minute more: {error}")


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if 0 < number < math.inf else None


def _is_after(text: str, since: float) -> bool:
    """Say whether a time of Windmill's is after a moment; one that is none is."""
    moment = moment_of(text)
    return moment is None or moment > since
