"""The job that a step runs in: its log, and whether it is one of Windmill's."""

from __future__ import annotations

import os
import sys


def log(text: object) -> None:
    """Write a line to the job's log."""
    print(f"together: {text}", file=sys.stderr)


def windmill_address() -> tuple[str | None, str | None, str | None]:
    """Return the server's address, the workspace and the token; None where unknown."""
    base = os.environ.get("BASE_INTERNAL_URL") or os.environ.get("WM_BASE_URL") or None
    workspace = os.environ.get("WM_WORKSPACE") or None
    return base, workspace, os.environ.get("WM_TOKEN") or None


def in_job() -> bool:
    """Say whether this process is a Windmill job, with a token to ask its server."""
    return None not in windmill_address()
