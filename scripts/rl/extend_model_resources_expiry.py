# skip_result_postprocessing
"""Extend model resources expiry (beta) (costs money).

POST /v1/rl/model-resources/{model_resources_id}/extend-expiry

Keeps reserved GPUs from being released for inactivity, for example while you compute
rewards for a long time. They must be READY and go on costing money; every operation of
their sessions already restarts the inactivity timeout.

Returns: the model resources; expires_at tells until when they stay at least.

Example arguments:
    {"model_resources_id": "5f2e8a60-1d47-4b93-a7c8-3e9d0b6f1a24", "body": {"seconds":
    3600}}

Rendered from schemas/rl/extend_model_resources_expiry.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypedDict

    class Body(TypedDict):
        seconds: int


def main(auth: togetherai, model_resources_id: str, body: "Body"):
    return run(call, auth, OPERATION, model_resources_id=model_resources_id, body=body)


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/rl/model-resources/{model_resources_id}/extend-expiry",
  "retry": "mutates", "find": "rl/get_model_resources", "arguments": {"required": ["model_resources_id", "body"],
    "properties": {
      "model_resources_id": {"type": "string", "x-in": "path"},
      "body": {"type": "object", "required": ["seconds"], "properties": {"seconds": {"type": "integer"}}}}}}
