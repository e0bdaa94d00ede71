# skip_result_postprocessing
"""Get deployment secret.

GET /v1/deployments/secrets/{secret_id}

Reads what is known about a stored secret, such as when it changed and when it expires.
The confidential value itself is not shown.

Returns: the secret without its value; expires_at tells when it will be deleted, if it
has a lifetime.

Example arguments:
    {"secret_id": "speech/database-password"}

Rendered from schemas/deployments/get_deployment_secret.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, secret_id: str):
    return run(call, auth, OPERATION, secret_id=secret_id)


OPERATION = {
    "method": "GET",
    "path": "/v1/deployments/secrets/{secret_id}",
    "retry": "read",
    "arguments": {
        "required": ["secret_id"],
        "properties": {"secret_id": {"type": "string", "x-in": "path"}},
    },
}
