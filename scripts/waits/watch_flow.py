# skip_result_postprocessing
"""Watch flow.

Looks once at a flow that was started and says when to look again, or how it ended.

Returns: done, outcome (success, failure or cancelled), wait_seconds, and the flow's
result once it is done.

Example arguments:
    {"flow_job_id": "018f2f6a-5c1e-7b3d-9a40-2c6d8e0f1a35"}

Rendered from schemas/waits/watch_flow.json; edit that, not this.
"""

from ..client import run, togetherai
from ..service_jobs.flow_steps import watch_flow


def main(auth: togetherai, flow_job_id: str, attempt: int = 0):
    return run(watch_flow, auth, STEP, flow_job_id=flow_job_id, attempt=attempt)


STEP = {
    "arguments": {
        "required": ["flow_job_id"],
        "properties": {
            "flow_job_id": {"type": "string", "title": "Flow job"},
            "attempt": {"type": "integer", "minimum": 0, "default": 0},
        },
    },
}
