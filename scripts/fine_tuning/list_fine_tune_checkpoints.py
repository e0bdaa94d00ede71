# skip_result_postprocessing
"""List fine-tune checkpoints.

GET /v1/fine-tunes/{fine_tune_id}/checkpoints

Lists the versions of the model that a fine-tune job has saved so far. Use it to
download one, or to start another job from it.

Returns: the checkpoints in data; step goes to fine_tuning/download_fine_tune_model as
checkpoint_step.

Example arguments:
    {"fine_tune_id": "ft-2c1d7e40-8b5a-4f36-9d21-7a0e6c3b5f18"}

API reference: https://docs.together.ai/reference/get-fine-tunes-id-checkpoint
Rendered from schemas/fine_tuning/list_fine_tune_checkpoints.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, fine_tune_id: str):
    return run(call, auth, OPERATION, fine_tune_id=fine_tune_id)


OPERATION = {
    "method": "GET",
    "path": "/v1/fine-tunes/{fine_tune_id}/checkpoints",
    "retry": "read",
    "arguments": {
        "required": ["fine_tune_id"],
        "properties": {"fine_tune_id": {"type": "string", "x-in": "path"}},
    },
}
