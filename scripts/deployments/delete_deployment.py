# skip_result_postprocessing
"""Delete deployment (cannot be undone).

DELETE /v1/deployments/{deployment_id}

Stops all replicas of a container deployment and removes it, which also ends its cost.
Read its settings first if they may be needed again.

Returns: an object without stated members; success means that the deployment is being
removed.

Example arguments:
    {"deployment_id": "speech-worker"}

Rendered from schemas/deployments/delete_deployment.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, deployment_id: str):
    return run(call, auth, OPERATION, deployment_id=deployment_id)


OPERATION = {
    "method": "DELETE",
    "path": "/v1/deployments/{deployment_id}",
    "retry": "mutates",
    "find": "deployments/list_deployments",
    "arguments": {
        "required": ["deployment_id"],
        "properties": {"deployment_id": {"type": "string", "x-in": "path"}},
    },
}
