# skip_result_postprocessing
"""Create inference checkpoint (beta).

POST /v1/rl/training-sessions/{session_id}/operations/inference-checkpoint

Saves the current weights of a training session as a model that can be served or
downloaded. The session must be running. To continue the training later, use
rl/create_training_checkpoint instead.

Returns: the operation; its id goes to rl/get_inference_checkpoint, which shows status
and, once completed, output.checkpoint.id.

Example arguments:
    {"session_id": "0b9d4e71-6c25-4a8f-b1d3-7e5f2a90c846"}

Rendered from schemas/rl/create_inference_checkpoint.json; edit that, not this.
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
OPERATION = {"method": "POST", "path": "/v1/rl/training-sessions/{session_id}/operations/inference-checkpoint",
  "retry": "creates", "find": "rl/list_rl_checkpoints", "arguments": {"required": ["session_id"],
    "properties": {
      "session_id": {"type": "string", "x-in": "path"},
      "idempotency_key": {"type": "string", "x-in": "header", "x-wire": "Idempotency-Key"}}}}
