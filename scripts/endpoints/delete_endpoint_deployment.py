# skip_result_postprocessing
"""Delete endpoint deployment (cannot be undone).

DELETE /v2/projects/{project_id}/endpoints/{endpoint_id}/deployments/{deployment_id}

Removes a deployment from its endpoint for good. First take it out of the traffic split
with Update project endpoint and stop it with Update endpoint deployment.

Returns: an empty object; the deployment is gone and costs nothing any more.

Example arguments:
    {"endpoint_id": "ep_Qm7Zt9LwXc4B", "deployment_id": "dep_V2kR8sNfH3yD"}

Rendered from schemas/endpoints/delete_endpoint_deployment.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(
    auth: togetherai,
    endpoint_id: str,
    deployment_id: str,
    project_id: str | None = None,
    etag: str | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        endpoint_id=endpoint_id,
        deployment_id=deployment_id,
        project_id=project_id,
        etag=etag,
    )


# fmt: off
OPERATION = {"method": "DELETE",
  "path": "/v2/projects/{project_id}/endpoints/{endpoint_id}/deployments/{deployment_id}", "retry": "mutates",
  "find": "endpoints/get_endpoint_deployment", "arguments": {"required": ["endpoint_id", "deployment_id"],
    "properties": {
      "endpoint_id": {"type": "string", "x-in": "path"},
      "deployment_id": {"type": "string", "x-in": "path"},
      "project_id": {"type": "string", "x-in": "path"},
      "etag": {"type": "string", "x-in": "query"}}}}
