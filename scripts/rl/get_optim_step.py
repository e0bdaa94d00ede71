# skip_result_postprocessing
"""Get optimizer step (beta).

GET /v1/rl/training-sessions/{session_id}/operations/optim-step/{operation_id}

Shows how far an optimizer step has got. Ask again until status is
TRAINING_OPERATION_STATUS_COMPLETED or TRAINING_OPERATION_STATUS_FAILED. Needs the id
from rl/create_optim_step.

Returns: the operation; status, when completed output.step (the step count of the
session), when failed error.code and error.message.

Example arguments:
    {"session_id": "0b9d4e71-6c25-4a8f-b1d3-7e5f2a90c846", "operation_id":
    "c3a17f52-9e08-4d6b-8f24-51b0d7e6a983"}

Rendered from schemas/rl/get_optim_step.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, session_id: str, operation_id: str):
    return run(call, auth, OPERATION, session_id=session_id, operation_id=operation_id)


OPERATION = {
    "method": "GET",
    "path": "/v1/rl/training-sessions/{session_id}/operations/optim-step/{operation_id}",
    "retry": "read",
    "arguments": {
        "required": ["session_id", "operation_id"],
        "properties": {
            "session_id": {"type": "string", "x-in": "path"},
            "operation_id": {"type": "string", "x-in": "path"},
        },
    },
}
