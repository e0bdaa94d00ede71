# skip_result_postprocessing
"""Update deployment secret.

PATCH /v1/deployments/secrets/{secret_id}

Replaces the value of a stored secret, or changes its name, description or lifetime;
only what is filled in changes. Use it to renew a secret before it expires.

Returns: the secret without its value; expires_at tells how long it lives.

Example arguments:
    {"secret_id": "speech/database-password", "body": {}}

Rendered from schemas/deployments/update_deployment_secret.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NotRequired, TypedDict

    class Body(TypedDict):
        value: NotRequired[str]
        ttl_seconds: NotRequired[int]
        description: NotRequired[str]
        name: NotRequired[str]
        project_id: NotRequired[str]


def main(auth: togetherai, secret_id: str, body: "Body" = None):
    return run(call, auth, OPERATION, secret_id=secret_id, body=body)


# fmt: off
OPERATION = {"method": "PATCH", "path": "/v1/deployments/secrets/{secret_id}", "retry": "mutates",
  "find": "deployments/get_deployment_secret", "arguments": {"required": ["secret_id"],
    "properties": {
      "secret_id": {"type": "string", "x-in": "path"},
      "body": {"type": "object", "properties": {
          "value": {"type": "string", "minLength": 1},
          "ttl_seconds": {"type": "integer"},
          "description": {"type": "string", "maxLength": 500},
          "name": {"type": "string", "minLength": 1, "maxLength": 100},
          "project_id": {"type": "string"}}}}}}
