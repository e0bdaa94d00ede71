"""The job that a step runs in: its log, whether it is one of Windmill's, and whether
its worker is still there."""

from __future__ import annotations

import os
import sys

from .errors import TogetherError


def log(text: object) -> None:
    """Write a line to the job's log."""
    print(f"together: {text}", file=sys.stderr)


def windmill_address() -> tuple[str | None, str | None, str | None]:
    """Return the server's address, the workspace and the token; None where unknown."""
    inside, outside = map(os.environ.get, ("BASE_INTERNAL_URL", "WM_BASE_URL"))
    # A worker itself answers at the internal address: nobody does once it has died.
    base = (outside or inside) if worker_died() else (inside or outside)
    workspace = os.environ.get("WM_WORKSPACE") or None
    return base or None, workspace, os.environ.get("WM_TOKEN") or None


def in_job() -> bool:
    """Say whether this process is a Windmill job, with a token to ask its server."""
    return None not in windmill_address()


_worker: int | None = None  # the process that started the job


def job_begins() -> None:
    """Remember which process started the job."""
    global _worker
    _worker = os.getppid()


def worker_died() -> bool:
    """Say whether the worker that started this job has died. The job's process outlives
    it, but nobody reads its result, and after about a minute Windmill starts the job
    anew on another worker."""
    return _worker not in (None, os.getppid()) and bool(os.environ.get("WM_TOKEN"))


def check_worker() -> None:
    """Raise TogetherError where the worker has died: what this job asked from now on,
    the one that Windmill starts anew would pay for a second time."""
    if worker_died():
        raise TogetherError(
            "the worker of this job has died, and Windmill starts it anew",
            type="not_sent",
            advice="Look at the job once more after a minute or two.",
        )
