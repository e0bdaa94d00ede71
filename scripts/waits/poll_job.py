# skip_result_postprocessing
"""Poll job.

Looks once at work that goes on at Together and says when to look again. The wait flows
repeat it with Windmill's sleep in between.

Returns: state, done, progress, wait_seconds until the next look; the job itself once it
is done, and in note what speaks against its good end. A job that failed is an error
with its own reason.

Example arguments:
    {"kind": "batch", "job_id": "2d6f0b1e-8c4a-4f7d-9b35-6a1e0c9d8f72"}

Rendered from schemas/waits/poll_job.json; edit that, not this.
"""

from ..client import run, togetherai
from ..service_jobs.wait_steps import poll_job


def main(
    auth: togetherai,
    kind: str,
    job_id: str,
    started_at: float | None = None,
    deadline_seconds: float | None = None,
    attempt: int = 0,
):
    return run(
        poll_job,
        auth,
        STEP,
        kind=kind,
        job_id=job_id,
        started_at=started_at,
        deadline_seconds=deadline_seconds,
        attempt=attempt,
    )


# fmt: off
STEP = {
  "arguments": {"required": ["kind", "job_id"], "properties": {
      "kind": {"type": "string", "enum": ["batch", "fine_tune", "evaluation", "video", "endpoint", "deployment",
          "model_upload", "remote_upload", "training_operation", "training_session", "model_resources",
          "shaping_job"]},
      "job_id": {"type": "string"},
      "started_at": {"type": "number", "minimum": 0, "title": "Waiting since"},
      "deadline_seconds": {"type": "number", "minimum": 0, "title": "Deadline in seconds"},
      "attempt": {"type": "integer", "minimum": 0, "default": 0}}}}
