# skip_result_postprocessing
"""Delete endpoint adapter (ends with 2026).

DELETE /v1/endpoints/{endpoint_id}/adapters

Takes a LoRA adapter from a version 1 endpoint; the adapter's model stays and can be
added again. For endpoints of version 2 use endpoints/delete_deployment_adapter.

Returns: deleted, true once it is gone, and model_id.

Example arguments:
    {"endpoint_id": "endpoint-3e7b1c94-58d2-4f6a-9b03-c41d8a72e65f", "body":
    {"model_id": "acme/support-chat-5f0c2a9e:acme/support-adapter-1d9c"}}

Rendered from schemas/endpoints/delete_endpoint_adapter.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypedDict

    class Body(TypedDict):
        model_id: str


def main(auth: togetherai, endpoint_id: str, body: "Body"):
    return run(call, auth, OPERATION, endpoint_id=endpoint_id, body=body)


# fmt: off
OPERATION = {"method": "DELETE", "path": "/v1/endpoints/{endpoint_id}/adapters", "retry": "mutates",
  "find": "endpoints/list_endpoint_adapters", "arguments": {"required": ["endpoint_id", "body"],
    "properties": {
      "endpoint_id": {"type": "string", "x-in": "path"},
      "body": {"type": "object", "required": ["model_id"], "properties": {"model_id": {"type": "string"}}}}}}
