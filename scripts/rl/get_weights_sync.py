# skip_result_postprocessing
"""Get weights sync (beta).

GET /v1/rl/training-sessions/{session_id}/operations/weights-sync/{operation_id}

Shows whether the trained weights have reached sampling. Ask again until status is
TRAINING_OPERATION_STATUS_COMPLETED or TRAINING_OPERATION_STATUS_FAILED. Needs the id
from rl/create_weights_sync.

Returns: the operation; status, when completed output.weights_version (compare with
policy_segments in rl/get_sample), when failed error.

Example arguments:
    {"session_id": "0b9d4e71-6c25-4a8f-b1d3-7e5f2a90c846", "operation_id":
    "c3a17f52-9e08-4d6b-8f24-51b0d7e6a983"}

Rendered from schemas/rl/get_weights_sync.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, session_id: str, operation_id: str):
    return run(call, auth, OPERATION, session_id=session_id, operation_id=operation_id)


OPERATION = {
    "method": "GET",
    "path": "/v1/rl/training-sessions/{session_id}/operations/weights-sync/{operation_id}",
    "retry": "read",
    "arguments": {
        "required": ["session_id", "operation_id"],
        "properties": {
            "session_id": {"type": "string", "x-in": "path"},
            "operation_id": {"type": "string", "x-in": "path"},
        },
    },
}
