# skip_result_postprocessing
"""Get inference checkpoint (beta).

GET /v1/rl/training-sessions/{session_id}/operations/inference-checkpoint/{operation_id}

Shows whether an inference checkpoint has been saved. Ask again until status is
TRAINING_OPERATION_STATUS_COMPLETED or TRAINING_OPERATION_STATUS_FAILED. Needs the id
from rl/create_inference_checkpoint.

Returns: the operation; status, when completed output.checkpoint, whose id goes to
rl/download_rl_checkpoint and whose registration names the model, when failed error.

Example arguments:
    {"session_id": "0b9d4e71-6c25-4a8f-b1d3-7e5f2a90c846", "operation_id":
    "c3a17f52-9e08-4d6b-8f24-51b0d7e6a983"}

Rendered from schemas/rl/get_inference_checkpoint.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, session_id: str, operation_id: str):
    return run(call, auth, OPERATION, session_id=session_id, operation_id=operation_id)


OPERATION = {
    "method": "GET",
    "path": "/v1/rl/training-sessions/{session_id}/operations/inference-checkpoint/{operation_id}",
    "retry": "read",
    "arguments": {
        "required": ["session_id", "operation_id"],
        "properties": {
            "session_id": {"type": "string", "x-in": "path"},
            "operation_id": {"type": "string", "x-in": "path"},
        },
    },
}
