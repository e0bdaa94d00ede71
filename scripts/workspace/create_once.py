"""Never pay twice: a costly thing is created once, however often its step runs.

A worker may die, or its connection break, after the service has created something and
before anybody wrote down what. So whoever creates a batch, a fine-tune or a video does
it through `once`, which records the intent before the request goes out and the result
after it, and on the next run attaches to what the earlier run created.

The record is a Windmill resource of type `state`, one for each fingerprint, so that
runs with different input never write to the same place. Outside a Windmill job there
is no record; then only the service itself can tell what exists.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from datetime import datetime

from ..client import TogetherError
from ..client.job import in_job, log
from ..client.jsonio import moment_of
from .jobs import is_running
from .state import create_state, delete_state, get_state, list_states, set_state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..shapes import Members

KEEP = 7 * 86400  # seconds after which a record is forgotten
MOST = 500  # records of one owner; older ones are forgotten first
PATIENCE = 180.0  # seconds to wait for another job that is creating the same
PAUSE = 2.0  # seconds between two looks at that job


def fingerprint_of(operation: str, arguments: Members) -> str:
    """Return 32 hexadecimal digits that stand for an operation with its arguments.

    Equal arguments give equal digits, whatever their order; members that are None do
    not count. The key is no part of it: pass the arguments without auth.
    """
    text = json.dumps(
        [operation, {k: v for k, v in arguments.items() if v is not None}],
        sort_keys=True,
        separators=(",", ":"),
    )
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def once(
    kind: str,
    fingerprint: str,
    create: Callable[[], Members],
    attach: Callable[[Members], Members | None],
    look: Callable[[], Members | None] | None = None,
) -> tuple[Members, bool]:
    """Create something unless an earlier run did; return (thing, reattached).

    kind names it in records and messages ("batch"), fingerprint is what fingerprint_of
    gives for it.

        create()      sends the request; returns a small JSON object: {"id": ...}
        attach(made)  takes that object, from an earlier run; returns the thing as it is
                      now, or None when it is gone or failed and so must be made anew
        look()        searches the service for a thing that bears it; returns it
                      or None. Without look, the service cannot be searched.

    Raises TogetherError when an earlier run may have created it and nothing can tell,
    or when another job is creating it and does not finish, or its record cannot be
    read, or the service refuses to show what it made.
    """
    record = _Record(kind, fingerprint)
    earlier = record.claim()
    if earlier and "made" in earlier:
        made = earlier["made"]
        if not isinstance(made, dict) or not isinstance(made.get("id"), str):
            raise _unreadable(f"The record {record.path} does not say what was made.")
        found = _existing(kind, attach, made)
        if found is not None:
            log(f"attached to the {kind} that an earlier run created")
            return found, True
        record.take_over()
    found = look() if look else None
    if found is not None:
        record.finish(found)
        log(f"attached to the {kind} that an earlier run created")
        return found, True
    if earlier and "made" not in earlier and not look:
        raise TogetherError(
            f"A run of {earlier.get('started_at')} sent the same request and ended before "
            f"its answer came: whether the {kind} exists is not known, and the service "
            "cannot be searched for it. Look in the dashboard; to create it in any "
            "case, fill in `again` with a word not used before.",
            type="connection",
            ambiguous=True,
            started_at=earlier.get("started_at"),
            fingerprint=fingerprint,
        )
    try:
        made = create()
    except TogetherError as error:
        if not error.ambiguous:
            record.forget()
            raise
        found = look() if look else None
        if found is None:
            raise
        made = found
    record.finish(made)
    return made, False


def state_folder(name: str) -> str | None:
    """Return the path under which records of that name are kept, with a slash at its
    end; None where none can be.

    It lies beside the step's own state, and is the same for every step of an owner: a
    flow that is run again by hand finds what its schedule began.
    """
    place = os.environ.get("WM_STATE_PATH_NEW") or os.environ.get("WM_STATE_PATH")
    if not place:
        return None
    if not in_job():
        return None
    return "/".join([*place.split("/")[:2], f"togetherai_{name}", ""])


def sweep(
    folder: str,
    emptied: Callable[[str], None] | None = None,
    bounded: bool = True,
    now: float | None = None,
) -> None:
    """Delete the records under a folder that are older than KEEP seconds, and of more
    than MOST the oldest; not bounded: however many there are.

    `emptied(path)` first removes what such a record points to; `now`, in seconds since
    1970, is the time by which they are old. Raises TogetherError.
    """
    now = time.time() if now is None else now
    # Of one whose time is not told nothing says that it is old.
    found = {path: moment_of(at) for path, at in list_states(folder).items()}
    newest = sorted(found, key=lambda path: found[path] or 0.0, reverse=True)
    for number, path in enumerate(newest):
        moment = found[path]
        old = moment is not None and moment < now - KEEP
        if old or (bounded and number >= MOST):
            if emptied:
                emptied(path)
            delete_state(path)


def _existing(
    kind: str, attach: Callable[[Members], Members | None], made: Members
) -> Members | None:
    try:
        return attach(made)
    except TogetherError as error:
        if error.status == 404:
            return None
        if error.status not in (400, 403, 410):
            raise
        # As long as the record stands, every run would end so.
        advice = (
            f"Use the key that created the {kind}, or, to pay for another one, fill in "
            "`again` with a word not used before."
        )
        said = (
            f"An earlier run created the {kind} {made.get('id')} for the same input, "
            f"and it cannot be read now: {error} {advice}"
        )
        facts = {**vars(error), "advice": advice, "ambiguous": False}
        raise TogetherError(said, **facts) from error


def _unreadable(problem: str) -> TogetherError:
    return TogetherError(
        problem,
        type="invalid_answer",
        ambiguous=False,
        advice="Run it again. If it stays so, delete that resource; what it stands for "
        "may exist, and is then created a second time.",
    )


class _Record:
    """What is written down about one intent: {"started_at", "job", "made"?}."""

    def __init__(self, kind: str, fingerprint: str) -> None:
        self.kind = kind
        self.folder = state_folder("intents")
        self.path: str | None = None
        if self.folder:
            self.path = f"{self.folder}{kind}_{fingerprint}"
        job = os.environ.get("WM_JOB_ID")
        self.own = {
            "started_at": datetime.now().astimezone().isoformat(timespec="seconds"),
            "job": job if job and job.strip("0-") else None,
            "token": os.urandom(8).hex(),
        }

    def claim(self) -> Members | None:
        """Write the intent down; return the record of an earlier run, or None.

        When another job is at work on the same, wait for it. Two jobs that start in
        the same moment may both write: the one that reads its own record back goes on.
        """
        if not self.path:
            return None
        deadline = time.monotonic() + PATIENCE
        while True:
            if not self.create():
                return None
            found = get_state(self.path)
            if not isinstance(found, dict) or not found:
                if time.monotonic() > deadline:
                    raise _unreadable(
                        f"The record {self.path} exists when it is to be written, "
                        f"but cannot be read, for {PATIENCE:g} seconds now."
                    )
                time.sleep(PAUSE)  # deleted since, as the other run failed
                continue
            if found.get("token") == self.own["token"]:
                return None
            other = found.get("job") if isinstance(found.get("job"), str) else None
            if "made" in found:
                return found
            if other in (None, self.own["job"]) or not is_running(other):
                self.take_over()
                return found
            if time.monotonic() > deadline:
                raise TogetherError(
                    f"Job {other} is creating the same {self.kind} and has not "
                    "finished: run this again when it has.",
                    type="already_running",
                    job=other,
                    ambiguous=False,
                )
            time.sleep(PAUSE)

    def create(self) -> bool:
        """Write this run's record unless there is one; return False when it cannot be
        kept."""
        assert self.path is not None
        try:
            create_state(self.own, self.path)
        except TogetherError as error:
            if error.status not in (401, 403):
                raise
            log(f"reruns can only rely on the service: {error}")
            self.path = None
        return self.path is not None

    def take_over(self) -> None:
        """Make an earlier run's record this run's own."""
        if self.path:
            set_state(self.own, self.path)

    def finish(self, made: Members) -> None:
        """Record what exists now. It exists, so that a failure to record it is only
        logged."""
        if not self.path or not self.folder:
            return
        try:
            set_state({**self.own, "made": made}, self.path)
        except TogetherError as error:
            log(f"the {self.kind} exists, but this was not recorded: {error}")
            return
        try:
            sweep(self.folder)
        except TogetherError as error:
            log(f"records of a week ago stay: {error}")

    def forget(self) -> None:
        """Take the intent back: nothing was created."""
        if not self.path:
            return
        try:
            delete_state(self.path)
        except TogetherError as error:
            log(f"the record of the {self.kind} that failed stays: {error}")
