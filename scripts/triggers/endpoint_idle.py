# skip_result_postprocessing
"""Endpoint idle.

Returns the dedicated endpoints that have become idle since the last run: run it on a
schedule, as the first step of a flow. The first run returns nothing; it records the
current state.

Returns: a list with kind and job_id, as waits/cancel_job takes them, name and model;
empty when nothing is new.

Rendered from schemas/triggers/endpoint_idle.json; edit that, not this.
"""

from ..client import run, togetherai
from ..trigger_steps.trigger_steps import endpoint_idle


def main(auth: togetherai, minutes: int = 60, v1_after_hours: float | None = None):
    return run(
        endpoint_idle,
        auth,
        STEP,
        minutes=minutes,
        v1_after_hours=v1_after_hours,
    )


STEP = {
    "arguments": {
        "properties": {
            "minutes": {"type": "integer", "minimum": 1, "default": 60},
            "v1_after_hours": {
                "type": "number",
                "minimum": 0,
                "title": "Hours for v1 endpoints",
            },
        },
    },
}
