# skip_result_postprocessing
"""Cancel fine-tune job.

POST /v1/fine-tunes/{fine_tune_id}/cancel

Asks a waiting or running fine-tune job to stop. It takes a moment: the status goes to
cancel_requested and later to cancelled.

Returns: the job; follow its status with fine_tuning/get_fine_tune.

Example arguments:
    {"fine_tune_id": "ft-2c1d7e40-8b5a-4f36-9d21-7a0e6c3b5f18"}

API reference: https://docs.together.ai/reference/post-fine-tunes-id-cancel
Rendered from schemas/fine_tuning/cancel_fine_tune.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, fine_tune_id: str):
    return run(call, auth, OPERATION, fine_tune_id=fine_tune_id)


OPERATION = {
    "method": "POST",
    "path": "/v1/fine-tunes/{fine_tune_id}/cancel",
    "retry": "mutates",
    "find": "fine_tuning/get_fine_tune",
    "arguments": {
        "required": ["fine_tune_id"],
        "properties": {"fine_tune_id": {"type": "string", "x-in": "path"}},
    },
}
