# skip_result_postprocessing
"""Start guard.

Starts a second flow that watches this one and stops a job at Together when this flow is
cancelled, or whenever it ends. A cancelled flow runs nothing more itself.

Returns: guard, the Windmill job that watches; null with a note where there can be none.

Example arguments:
    {"kind": "batch", "job_id": "2d6f0b1e-8c4a-4f7d-9b35-6a1e0c9d8f72"}

Rendered from schemas/waits/start_guard.json; edit that, not this.
"""

from ..client import run, togetherai
from ..service_jobs.flow_steps import start_guard


def main(
    auth: togetherai,
    kind: str,
    job_id: str,
    resource: str | None = None,
    when: str = "cancelled",
):
    return run(
        start_guard,
        auth,
        STEP,
        kind=kind,
        job_id=job_id,
        resource=resource,
        when=when,
    )


# fmt: off
STEP = {
  "arguments": {"required": ["kind", "job_id"], "properties": {
      "kind": {"type": "string", "enum": ["batch", "fine_tune", "evaluation", "video", "endpoint", "deployment",
          "model_upload", "remote_upload", "training_operation", "training_session", "model_resources",
          "shaping_job"]},
      "job_id": {"type": "string"},
      "resource": {"type": "string"},
      "when": {"type": "string", "enum": ["cancelled", "ended"], "default": "cancelled"}}}}
