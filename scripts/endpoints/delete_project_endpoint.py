# skip_result_postprocessing
"""Delete project endpoint (cannot be undone).

DELETE /v2/projects/{project_id}/endpoints/{endpoint_id}

Removes an endpoint and its name for good. Delete its deployments first.

Returns: an empty object; the endpoint is gone and its name no longer answers requests.

Example arguments:
    {"endpoint_id": "ep_Qm7Zt9LwXc4B"}

Rendered from schemas/endpoints/delete_project_endpoint.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(
    auth: togetherai,
    endpoint_id: str,
    project_id: str | None = None,
    etag: str | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        endpoint_id=endpoint_id,
        project_id=project_id,
        etag=etag,
    )


# fmt: off
OPERATION = {"method": "DELETE", "path": "/v2/projects/{project_id}/endpoints/{endpoint_id}", "retry": "mutates",
  "find": "endpoints/get_project_endpoint", "arguments": {"required": ["endpoint_id"], "properties": {
      "endpoint_id": {"type": "string", "x-in": "path"},
      "project_id": {"type": "string", "x-in": "path"},
      "etag": {"type": "string", "x-in": "query"}}}}
