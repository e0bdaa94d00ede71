"""STATES: by which states what was begun at Together ends, the one table of it.

Only the source has this module: what is deployed holds the states themselves where
they are asked for here (tools/flatten.py).
"""

from __future__ import annotations

# By kind, without the prefix that job_kinds.py knows, also as other servers spell them:
#   good, bad  the states that end it; late: bad too once it has been waited for
#   stopped    the states in which nothing is left to stop, where that is not its end
STATES: dict[str, dict[str, tuple[str, ...]]] = {
    "batch": {
        "good": ("COMPLETED", "SUCCEEDED"),
        "bad": ("FAILED", "EXPIRED", "CANCELLED", "CANCELED", "ERROR"),
    },
    "fine_tune": {
        "good": ("completed",),
        "bad": ("cancelled", "canceled", "error", "user_error", "failed"),
    },
    "evaluation": {
        "good": ("completed",),
        "bad": ("error", "user_error", "failed", "cancelled", "canceled"),
    },
    "video": {
        "good": ("completed", "succeeded"),
        "bad": (
            *("failed", "cancelled", "canceled", "expired", "rejected", "error"),
            *("timeout", "timed_out", "aborted", "blocked", "moderated"),
        ),
    },
    "endpoint": {
        "good": ("STARTED",),
        "bad": ("ERROR",),
        "late": ("STOPPING", "STOPPED"),
        "stopped": ("STOPPING", "STOPPED", "ERROR"),
    },
    "deployment": {
        "good": ("READY",),
        "bad": ("FAILED",),
        "late": ("STOPPING", "STOPPED"),
        "stopped": ("STOPPING", "STOPPED", "FAILED"),
    },
    "model_upload": {"good": ("Complete",), "bad": ("Failed",)},
    "remote_upload": {"good": ("SUCCEEDED",), "bad": ("FAILED",)},
    "training_operation": {"good": ("COMPLETED",), "bad": ("FAILED",)},
    "training_session": {
        "good": ("RUNNING",),
        "bad": ("STOPPED", "ERROR", "EXPIRED"),
        "stopped": ("STOPPING", "STOPPED", "ERROR", "EXPIRED"),
    },
    "model_resources": {
        "good": ("READY",),
        "bad": ("STOPPED", "ERROR"),
        "stopped": ("STOPPING", "STOPPED", "ERROR"),
    },
    "shaping_job": {
        "good": ("completed",),
        "bad": ("cancelled", "canceled", "error", "user_error", "failed"),
    },
}


def states(kind: str, *ends: str) -> tuple[str, ...]:
    """Return the states of a kind that are of one of these ends, such as "good"; both,
    good and bad, where none is named. Raises KeyError."""
    of_kind = STATES[kind]
    return tuple(s for end in ends or ("good", "bad") for s in of_kind[end])
