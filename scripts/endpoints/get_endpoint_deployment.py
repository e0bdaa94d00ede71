# skip_result_postprocessing
"""Get endpoint deployment.

GET /v2/projects/{project_id}/endpoints/{endpoint_id}/deployments/{deployment_id}

Shows one deployment with its model, scaling and progress. Use it to wait until it is
READY and to get its etag.

Returns: the deployment; status.state tells whether it serves (DEPLOYMENT_STATE_READY),
status.message why not, and etag goes to endpoints/update_endpoint_deployment.

Example arguments:
    {"endpoint_id": "ep_Qm7Zt9LwXc4B", "deployment_id": "dep_V2kR8sNfH3yD"}

Rendered from schemas/endpoints/get_endpoint_deployment.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(
    auth: togetherai,
    endpoint_id: str,
    deployment_id: str,
    project_id: str | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        endpoint_id=endpoint_id,
        deployment_id=deployment_id,
        project_id=project_id,
    )


# fmt: off
OPERATION = {"method": "GET",
  "path": "/v2/projects/{project_id}/endpoints/{endpoint_id}/deployments/{deployment_id}", "retry": "read",
  "arguments": {"required": ["endpoint_id", "deployment_id"], "properties": {
      "endpoint_id": {"type": "string", "x-in": "path"},
      "deployment_id": {"type": "string", "x-in": "path"},
      "project_id": {"type": "string", "x-in": "path"}}}}
