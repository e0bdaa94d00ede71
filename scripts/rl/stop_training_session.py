# skip_result_postprocessing
"""Stop training session (beta) (cannot be undone).

POST /v1/rl/training-sessions/{session_id}/stop

Ends a training session for good. Save what you need with rl/create_training_checkpoint
or rl/create_inference_checkpoint first. The model resources stay reserved and go on
costing money until rl/stop_model_resources.

Returns: the session; status is TRAINING_SESSION_STATUS_STOPPING or
TRAINING_SESSION_STATUS_STOPPED.

Example arguments:
    {"session_id": "0b9d4e71-6c25-4a8f-b1d3-7e5f2a90c846"}

Rendered from schemas/rl/stop_training_session.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, session_id: str):
    return run(call, auth, OPERATION, session_id=session_id)


OPERATION = {
    "method": "POST",
    "path": "/v1/rl/training-sessions/{session_id}/stop",
    "retry": "mutates",
    "find": "rl/get_training_session",
    "arguments": {
        "required": ["session_id"],
        "properties": {"session_id": {"type": "string", "x-in": "path"}},
    },
}
