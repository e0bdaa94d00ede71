# skip_result_postprocessing
"""Roll back deployment.

POST /v1/deployments/{deployment_id}/rollback

Puts a container deployment back to the settings of an earlier revision. Replicas that
already run it stay; the others are drained and restarted. Only the newest 50 revisions
can be chosen.

Returns: the deployment with the settings now in force; follow status with
deployments/get_deployment.

Example arguments:
    {"deployment_id": "speech-worker", "body": {"revision_identifier": "1"}}

Rendered from schemas/deployments/rollback_deployment.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypedDict

    class Body(TypedDict):
        revision_identifier: str


def main(auth: togetherai, deployment_id: str, body: "Body"):
    return run(call, auth, OPERATION, deployment_id=deployment_id, body=body)


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/deployments/{deployment_id}/rollback", "retry": "mutates",
  "find": "deployments/list_deployment_revisions", "arguments": {"required": ["deployment_id", "body"],
    "properties": {
      "deployment_id": {"type": "string", "x-in": "path"},
      "body": {"type": "object", "required": ["revision_identifier"], "properties": {
          "revision_identifier": {"type": "string"}}}}}}
