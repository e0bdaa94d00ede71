# skip_result_postprocessing
"""Get endpoint (ends with 2026).

GET /v1/endpoints/{endpoint_id}

Shows one version 1 dedicated endpoint with its state, hardware and scaling. Use it to
wait until an endpoint is STARTED or STOPPED. For endpoints of version 2 use
endpoints/get_project_endpoint.

Returns: the endpoint; state is PENDING, STARTING, STARTED, STOPPING, STOPPED or ERROR,
and name is the model for inference requests.

Example arguments:
    {"endpoint_id": "endpoint-3e7b1c94-58d2-4f6a-9b03-c41d8a72e65f"}

Rendered from schemas/endpoints/get_endpoint.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, endpoint_id: str):
    return run(call, auth, OPERATION, endpoint_id=endpoint_id)


OPERATION = {
    "method": "GET",
    "path": "/v1/endpoints/{endpoint_id}",
    "retry": "read",
    "arguments": {
        "required": ["endpoint_id"],
        "properties": {"endpoint_id": {"type": "string", "x-in": "path"}},
    },
}
