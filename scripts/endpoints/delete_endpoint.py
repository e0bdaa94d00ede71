# skip_result_postprocessing
"""Delete endpoint (cannot be undone) (ends with 2026).

DELETE /v1/endpoints/{endpoint_id}

Removes a version 1 dedicated endpoint for good; requests with its name fail from then
on. To only end the cost, stop it with Update endpoint. For endpoints of version 2 use
endpoints/delete_project_endpoint.

Returns: nothing; once it is gone, endpoints/get_endpoint no longer finds it.

Example arguments:
    {"endpoint_id": "endpoint-3e7b1c94-58d2-4f6a-9b03-c41d8a72e65f"}

Rendered from schemas/endpoints/delete_endpoint.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, endpoint_id: str):
    return run(call, auth, OPERATION, endpoint_id=endpoint_id)


OPERATION = {
    "method": "DELETE",
    "path": "/v1/endpoints/{endpoint_id}",
    "retry": "mutates",
    "reply": "none",
    "find": "endpoints/get_endpoint",
    "arguments": {
        "required": ["endpoint_id"],
        "properties": {"endpoint_id": {"type": "string", "x-in": "path"}},
    },
}
