# skip_result_postprocessing
"""Get fine-tune job.

GET /v1/fine-tunes/{fine_tune_id}

Reads one fine-tune job with its settings and progress. Ask repeatedly until its status
is completed, cancelled, error or user_error.

Returns: the job; status tells how far it is, model_output_name is the model to use when
completed, events the history.

Example arguments:
    {"fine_tune_id": "ft-2c1d7e40-8b5a-4f36-9d21-7a0e6c3b5f18"}

API reference: https://docs.together.ai/reference/get-fine-tunes-id
Rendered from schemas/fine_tuning/get_fine_tune.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, fine_tune_id: str):
    return run(call, auth, OPERATION, fine_tune_id=fine_tune_id)


OPERATION = {
    "method": "GET",
    "path": "/v1/fine-tunes/{fine_tune_id}",
    "retry": "read",
    "arguments": {
        "required": ["fine_tune_id"],
        "properties": {"fine_tune_id": {"type": "string", "x-in": "path"}},
    },
}
