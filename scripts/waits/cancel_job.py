# skip_result_postprocessing
"""Cancel job.

Stops work at Together whatever it is: cancels a batch or a fine-tune, stops an
endpoint, takes a deployment's replicas away. What is over is left alone.

Returns: its state and whether it was stopped now; where the API cannot stop it, a note
of what that costs.

Example arguments:
    {"kind": "batch", "job_id": "2d6f0b1e-8c4a-4f7d-9b35-6a1e0c9d8f72"}

Rendered from schemas/waits/cancel_job.json; edit that, not this.
"""

from ..client import run, togetherai
from ..service_jobs.wait_steps import cancel_job


def main(auth: togetherai, kind: str, job_id: str):
    return run(cancel_job, auth, STEP, kind=kind, job_id=job_id)


# fmt: off
STEP = {
  "arguments": {"required": ["kind", "job_id"], "properties": {
      "kind": {"type": "string", "enum": ["batch", "fine_tune", "evaluation", "video", "endpoint", "deployment",
          "model_upload", "remote_upload", "training_operation", "training_session", "model_resources",
          "shaping_job"]},
      "job_id": {"type": "string"}}}}
