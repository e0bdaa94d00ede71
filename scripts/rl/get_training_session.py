# skip_result_postprocessing
"""Get training session (beta).

GET /v1/rl/training-sessions/{session_id}

Shows the state of one training session. Use it to wait until a new session is RUNNING,
or to see its step and saved checkpoints. STOPPED, ERROR and EXPIRED are final.

Returns: the session; status tells its state, step the number of optimizer steps,
training_checkpoints and inference_checkpoints hold what was saved.

Example arguments:
    {"session_id": "0b9d4e71-6c25-4a8f-b1d3-7e5f2a90c846"}

Rendered from schemas/rl/get_training_session.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, session_id: str):
    return run(call, auth, OPERATION, session_id=session_id)


OPERATION = {
    "method": "GET",
    "path": "/v1/rl/training-sessions/{session_id}",
    "retry": "read",
    "arguments": {
        "required": ["session_id"],
        "properties": {"session_id": {"type": "string", "x-in": "path"}},
    },
}
