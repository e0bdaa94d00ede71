# skip_result_postprocessing
"""Create endpoint adapter (ends with 2026).

POST /v1/endpoints/{endpoint_id}/adapters

Adds a LoRA adapter to a version 1 endpoint that runs with LoRA enabled and serves the
model that the adapter was trained on. Its own requests go to this endpoint from then
on. For endpoints of version 2 use endpoints/create_deployment_adapter.

Returns: model_id, which is what model says in requests that the adapter is to answer.

Example arguments:
    {"endpoint_id": "endpoint-3e7b1c94-58d2-4f6a-9b03-c41d8a72e65f", "body":
    {"model_id": "acme/support-chat-5f0c2a9e:acme/support-adapter-1d9c"}}

Rendered from schemas/endpoints/create_endpoint_adapter.json; edit that, not this.
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
OPERATION = {"method": "POST", "path": "/v1/endpoints/{endpoint_id}/adapters", "retry": "creates",
  "find": "endpoints/list_endpoint_adapters", "arguments": {"required": ["endpoint_id", "body"],
    "properties": {
      "endpoint_id": {"type": "string", "x-in": "path"},
      "body": {"type": "object", "required": ["model_id"], "properties": {"model_id": {"type": "string"}}}}}}
