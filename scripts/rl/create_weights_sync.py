# skip_result_postprocessing
"""Create weights sync (beta).

POST /v1/rl/training-sessions/{session_id}/operations/weights-sync

Makes the trained weights of a session available for sampling. Run it after
rl/create_optim_step; until then rl/create_sample keeps using the old weights.

Returns: the operation; its id goes to rl/get_weights_sync, which shows status and, once
completed, output.weights_version.

Example arguments:
    {"session_id": "0b9d4e71-6c25-4a8f-b1d3-7e5f2a90c846", "body": {"weight_sync_type":
    "WEIGHT_SYNC_TYPE_SYNCHRONOUS"}}

Rendered from schemas/rl/create_weights_sync.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypedDict

    class Body(TypedDict):
        weight_sync_type: str


def main(
    auth: togetherai,
    session_id: str,
    body: "Body",
    idempotency_key: str | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        session_id=session_id,
        body=body,
        idempotency_key=idempotency_key,
    )


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/rl/training-sessions/{session_id}/operations/weights-sync",
  "retry": "creates", "find": "rl/get_training_session", "arguments": {"required": ["session_id", "body"],
    "properties": {
      "session_id": {"type": "string", "x-in": "path"},
      "body": {"type": "object", "required": ["weight_sync_type"], "properties": {
          "weight_sync_type": {"type": "string", "enum": ["WEIGHT_SYNC_TYPE_SYNCHRONOUS",
              "WEIGHT_SYNC_TYPE_BACKGROUND_PUBLISH", "WEIGHT_SYNC_TYPE_PIPELINE"]}}},
      "idempotency_key": {"type": "string", "x-in": "header", "x-wire": "Idempotency-Key"}}}}
