# skip_result_postprocessing
"""List deployment secrets.

GET /v1/deployments/secrets

Lists all stored secrets of the project, without their values. Use it to find the name
that a deployment may refer to.

Returns: an object whose data holds the secrets; each name or id can be used as
value_from_secret in a deployment.

Rendered from schemas/deployments/list_deployment_secrets.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai):
    return run(call, auth, OPERATION)


OPERATION = {
    "method": "GET",
    "path": "/v1/deployments/secrets",
    "retry": "read",
    "arguments": {"properties": {}},
}
