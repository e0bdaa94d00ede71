# skip_result_postprocessing
"""Finish wait.

The last step of a flow that waits: returns the state that the last check found. Costs
nothing.

Returns: what the last poll_job returned, with the job, and how many looks there were.

Example arguments:
    {"polls": [{"kind": "batch", "job_id": "2d6f0b1e-8c4a-4f7d-9b35-6a1e0c9d8f72",
    "state": "COMPLETED", "done": true}]}

Rendered from schemas/waits/finish_wait.json; edit that, not this.
"""

from ..client import run, togetherai
from ..service_jobs.wait_steps import finish_wait


def main(auth: togetherai, polls: "list"):
    return run(finish_wait, auth, STEP, polls=polls)


STEP = {
    "arguments": {
        "required": ["polls"],
        "properties": {"polls": {"type": "array", "items": {"type": "object"}}},
    },
}
