# skip_result_postprocessing
"""Report failure.

Says what a failed flow left at Together, whether it still runs, what that costs and how
to stop it; stops what is to be stopped. For the error handler of a flow.

Returns: message, failed_step, error, and for each thing left its state, whether it
runs, what it costs and the step that stops it.

Example arguments:
    {"error": {"name": "TogetherError", "message": "The batch ended in state FAILED"}}

Rendered from schemas/waits/report_failure.json; edit that, not this.
"""

from ..client import run, togetherai
from ..service_jobs.flow_steps import report_failure


def main(
    auth: togetherai,
    error: "dict",
    left: list[dict] | None = None,
    kept: "dict | None" = None,
    chat: bool = False,
):
    return run(report_failure, auth, STEP, error=error, left=left, kept=kept, chat=chat)


# fmt: off
STEP = {
  "arguments": {"required": ["error"], "properties": {
      "error": {"type": "object"},
      "left": {"type": "array", "items": {"type": "object", "required": ["kind"], "properties": {
            "kind": {"type": "string", "enum": ["batch", "fine_tune", "evaluation", "video", "endpoint",
                "deployment", "model_upload", "remote_upload", "training_operation", "training_session",
                "model_resources", "shaping_job"]},
            "job_id": {"type": ["string", "null"]},
            "stop": {"type": "boolean"}}}},
      "kept": {"type": "object"},
      "chat": {"type": "boolean", "default": False}}}}
