"""STATES: by which states what was begun at Together ends, the one table of it.

Only the source has this module: what is deployed holds the states themselves where
they are asked for here (tools/tree/flatten.py).
"""

from __future__ import annotations

# By kind, without the prefix that job_kinds.py knows, also as other servers spell them;
# in which case, and with how many l, plain_state of client/endings.py does not mind:
#   going      the states that lead on: one that is in no row is told in the log
#   good, bad  the states that end it; late: bad too once it has been waited for
#   stopped    the states in which nothing is left to stop, where that is not its end
STATES: dict[str, dict[str, tuple[str, ...]]] = {
    "batch": {
        "going": ("VALIDATING", "IN_PROGRESS", "FINALIZING", "CANCELLING"),
        "good": ("COMPLETED", "SUCCEEDED"),
        "bad": ("FAILED", "EXPIRED", "CANCELLED", "ERROR"),
    },
    "fine_tune": {
        "going": (
            *("pending", "validating_files", "queued", "running", "compressing"),
            *("uploading", "cancel_requested"),
        ),
        "good": ("completed", "succeeded"),
        "bad": ("cancelled", "error", "user_error", "failed"),
    },
    "evaluation": {
        "going": ("pending", "queued", "running", "in_progress"),
        "good": ("completed", "succeeded"),
        "bad": ("error", "user_error", "failed", "cancelled"),
    },
    "video": {
        "going": ("queued", "pending", "in_progress", "processing", "running"),
        "good": ("completed", "succeeded"),
        "bad": (
            *("failed", "cancelled", "expired", "rejected", "error", "timeout"),
            *("timed_out", "aborted", "blocked", "moderated"),
        ),
    },
    "endpoint": {
        "going": ("PENDING", "STARTING"),
        "good": ("STARTED",),
        "bad": ("ERROR",),
        "late": ("STOPPING", "STOPPED"),
        "stopped": ("STOPPING", "STOPPED", "ERROR"),
    },
    "deployment": {
        "going": ("PROVISIONING", "SCALING", "DEGRADED"),
        "good": ("READY",),
        "bad": ("FAILED",),
        "late": ("STOPPING", "STOPPED"),
        "stopped": ("STOPPING", "STOPPED", "FAILED"),
    },
    "model_upload": {
        "going": ("Queued", "Running"),
        "good": ("Complete", "Completed"),
        "bad": ("Failed",),
    },
    "remote_upload": {
        # ERROR is an attempt that failed, after which the service tries again.
        "going": ("PENDING", "RUNNING", "ERROR"),
        "good": ("SUCCEEDED",),
        "bad": ("FAILED",),
    },
    "training_operation": {
        "going": ("PENDING", "RUNNING"),
        "good": ("COMPLETED",),
        "bad": ("FAILED",),
    },
    "training_session": {
        "going": ("CREATING", "STOPPING"),
        "good": ("RUNNING",),
        "bad": ("STOPPED", "ERROR", "EXPIRED"),
        "stopped": ("STOPPING", "STOPPED", "ERROR", "EXPIRED"),
    },
    "model_resources": {
        "going": ("PENDING", "CREATING", "STOPPING"),
        "good": ("READY",),
        "bad": ("STOPPED", "ERROR"),
        "stopped": ("STOPPING", "STOPPED", "ERROR"),
    },
    "shaping_job": {
        "going": ("pending", "queued", "running", "cancel_requested"),
        "good": ("completed", "succeeded"),
        "bad": ("cancelled", "error", "user_error", "failed"),
    },
}


def states(kind: str, *ends: str) -> tuple[str, ...]:
    """Return the states of a kind that are of one of these ends, such as "good"; both,
    good and bad, where none is named, and all that are known for "every". Raises
    KeyError."""
    of_kind = STATES[kind]
    chosen = [*of_kind] if ends == ("every",) else ends or ["good", "bad"]
    return tuple(dict.fromkeys(state for end in chosen for state in of_kind[end]))
