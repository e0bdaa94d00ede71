# skip_result_postprocessing
"""Create deployment secret.

POST /v1/deployments/secrets

Stores a password, key or other confidential text that container deployments can read as
an environment variable. Create it before the deployment that names it.

Returns: the secret without its value; its name or id goes into environment_variables of
deployments/create_deployment as value_from_secret.

Example arguments:
    {"body": {"name": "speech/database-password", "value": "example-value-to-replace"}}

Rendered from schemas/deployments/create_deployment_secret.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NotRequired, TypedDict

    class Body(TypedDict):
        name: str
        value: str
        description: NotRequired[str]
        ttl_seconds: NotRequired[int]
        project_id: NotRequired[str]


def main(auth: togetherai, body: "Body"):
    return run(call, auth, OPERATION, body=body)


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/deployments/secrets", "retry": "creates",
  "find": "deployments/list_deployment_secrets", "arguments": {"required": ["body"], "properties": {
      "body": {"type": "object", "required": ["name", "value"], "properties": {
          "name": {"type": "string", "maxLength": 100},
          "value": {"type": "string"},
          "description": {"type": "string", "maxLength": 500},
          "ttl_seconds": {"type": "integer"},
          "project_id": {"type": "string"}}}}}}
