# skip_result_postprocessing
"""List deployments.

GET /v1/deployments

Lists every container deployment of the project with its state, all in one answer.
Deployments of dedicated model endpoints are listed elsewhere.

Returns: an object whose data holds the deployments; each id or name goes to
deployments/get_deployment.

Rendered from schemas/deployments/list_deployments.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai):
    return run(call, auth, OPERATION)


OPERATION = {
    "method": "GET",
    "path": "/v1/deployments",
    "retry": "read",
    "arguments": {"properties": {}},
}
