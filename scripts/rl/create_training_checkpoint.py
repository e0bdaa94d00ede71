# skip_result_postprocessing
"""Create training checkpoint (beta).

POST /v1/rl/training-sessions/{session_id}/operations/training-checkpoint

Saves the full state of a training session (weights, optimizer, step), so that a later
session can go on from there. The session must be running; do this before stopping it.
To serve or download the model, use rl/create_inference_checkpoint instead.

Returns: the operation; its id goes to rl/get_training_checkpoint, which shows status
and, once completed, output.checkpoint.id.

Example arguments:
    {"session_id": "0b9d4e71-6c25-4a8f-b1d3-7e5f2a90c846"}

Rendered from schemas/rl/create_training_checkpoint.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, session_id: str, idempotency_key: str | None = None):
    return run(
        call,
        auth,
        OPERATION,
        session_id=session_id,
        idempotency_key=idempotency_key,
    )


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/rl/training-sessions/{session_id}/operations/training-checkpoint",
  "retry": "creates", "find": "rl/list_rl_checkpoints", "arguments": {"required": ["session_id"],
    "properties": {
      "session_id": {"type": "string", "x-in": "path"},
      "idempotency_key": {"type": "string", "x-in": "header", "x-wire": "Idempotency-Key"}}}}
