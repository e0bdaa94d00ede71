# skip_result_postprocessing
"""List idle endpoints.

Lists all dedicated endpoints that run and are not used, so that they can be stopped.
Costs nothing.

Returns: a list with kind and job_id, as waits/cancel_job takes them, name, model and
how long each has been up.

Rendered from schemas/endpoints/list_idle_endpoints.json; edit that, not this.
"""

from ..client import run, togetherai
from ..trigger_steps.trigger_steps import list_idle_endpoints


def main(auth: togetherai, minutes: int = 60, v1_after_hours: float | None = None):
    return run(
        list_idle_endpoints,
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
