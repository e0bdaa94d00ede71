# skip_result_postprocessing
"""Get deployment.

GET /v1/deployments/{deployment_id}

Reads the settings and the present state of one container deployment. Use it to wait
until a created or changed deployment is ready.

Returns: the deployment; status tells its state, ready_replicas how many copies serve,
and the keys of replica_events are replica IDs for deployments/get_deployment_logs.

Example arguments:
    {"deployment_id": "speech-worker"}

Rendered from schemas/deployments/get_deployment.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, deployment_id: str):
    return run(call, auth, OPERATION, deployment_id=deployment_id)


OPERATION = {
    "method": "GET",
    "path": "/v1/deployments/{deployment_id}",
    "retry": "read",
    "arguments": {
        "required": ["deployment_id"],
        "properties": {"deployment_id": {"type": "string", "x-in": "path"}},
    },
}
