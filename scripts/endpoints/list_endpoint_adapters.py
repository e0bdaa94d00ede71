# skip_result_postprocessing
"""List endpoint adapters (ends with 2026).

GET /v1/endpoints/{endpoint_id}/adapters

Lists the LoRA adapters that a version 1 endpoint serves beside its model. For endpoints
of version 2 use endpoints/list_deployment_adapters.

Returns: the adapters in data, each with adapter_name, endpoint_name and model_id: the
model of requests that the adapter is to answer.

Example arguments:
    {"endpoint_id": "endpoint-3e7b1c94-58d2-4f6a-9b03-c41d8a72e65f"}

Rendered from schemas/endpoints/list_endpoint_adapters.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, endpoint_id: str):
    return run(call, auth, OPERATION, endpoint_id=endpoint_id)


OPERATION = {
    "method": "GET",
    "path": "/v1/endpoints/{endpoint_id}/adapters",
    "retry": "read",
    "arguments": {
        "required": ["endpoint_id"],
        "properties": {"endpoint_id": {"type": "string", "x-in": "path"}},
    },
}
