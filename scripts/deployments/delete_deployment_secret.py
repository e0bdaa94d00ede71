# skip_result_postprocessing
"""Delete deployment secret (cannot be undone).

DELETE /v1/deployments/secrets/{secret_id}

Removes a stored secret. First change the deployments that still refer to it, or they
will lack the variable.

Returns: an object without stated members; success means that the secret is gone.

Example arguments:
    {"secret_id": "speech/database-password"}

Rendered from schemas/deployments/delete_deployment_secret.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, secret_id: str):
    return run(call, auth, OPERATION, secret_id=secret_id)


OPERATION = {
    "method": "DELETE",
    "path": "/v1/deployments/secrets/{secret_id}",
    "retry": "mutates",
    "find": "deployments/list_deployment_secrets",
    "arguments": {
        "required": ["secret_id"],
        "properties": {"secret_id": {"type": "string", "x-in": "path"}},
    },
}
