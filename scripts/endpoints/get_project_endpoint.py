# skip_result_postprocessing
"""Get project endpoint.

GET /v2/projects/{project_id}/endpoints/{endpoint_id}

Shows one endpoint with its deployments and how traffic is split among them. Read it
before an update or delete to get the current etag.

Returns: the endpoint; etag goes to endpoints/update_project_endpoint or
endpoints/delete_project_endpoint, and deployments[].id to the deployment operations.

Example arguments:
    {"endpoint_id": "ep_Qm7Zt9LwXc4B"}

Rendered from schemas/endpoints/get_project_endpoint.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, endpoint_id: str, project_id: str | None = None):
    return run(call, auth, OPERATION, endpoint_id=endpoint_id, project_id=project_id)


OPERATION = {
    "method": "GET",
    "path": "/v2/projects/{project_id}/endpoints/{endpoint_id}",
    "retry": "read",
    "arguments": {
        "required": ["endpoint_id"],
        "properties": {
            "endpoint_id": {"type": "string", "x-in": "path"},
            "project_id": {"type": "string", "x-in": "path"},
        },
    },
}
