# skip_result_postprocessing
"""List fine-tune metrics.

GET /v1/fine-tunes/{fine_tune_id}/metrics

Reads the measurements of a fine-tune job over time, such as loss and learning rate, for
charts. The job must have started training.

Returns: the measurements in metrics: one object per training step, each a set of names
with numbers.

Example arguments:
    {"fine_tune_id": "ft-2c1d7e40-8b5a-4f36-9d21-7a0e6c3b5f18"}

Rendered from schemas/fine_tuning/list_fine_tune_metrics.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(
    auth: togetherai,
    fine_tune_id: str,
    global_step_from: int | None = None,
    global_step_to: int | None = None,
    logged_at_from: str | None = None,
    logged_at_to: str | None = None,
    resolution: int | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        fine_tune_id=fine_tune_id,
        global_step_from=global_step_from,
        global_step_to=global_step_to,
        logged_at_from=logged_at_from,
        logged_at_to=logged_at_to,
        resolution=resolution,
    )


# fmt: off
OPERATION = {"method": "GET", "path": "/v1/fine-tunes/{fine_tune_id}/metrics", "retry": "read",
  "arguments": {"required": ["fine_tune_id"], "properties": {
      "fine_tune_id": {"type": "string", "x-in": "path"},
      "global_step_from": {"type": "integer", "x-in": "query"},
      "global_step_to": {"type": "integer", "x-in": "query"},
      "logged_at_from": {"type": "string", "x-in": "query"},
      "logged_at_to": {"type": "string", "x-in": "query"},
      "resolution": {"type": "integer", "x-in": "query"}}}}
