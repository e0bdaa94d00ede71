# skip_result_postprocessing
"""Update shadow experiment target (beta).

PATCH /v2/projects/{project_id}/endpoints/{endpoint_id}/shadowExperiments/{experiment_id
}/targets/{target_id}

Changes the name, the deployment or the note of a shadow target; the update mask must
name at least one of name, targetDeploymentId, description.

Returns: the target as changed, with a new etag for the next change.

Example arguments:
    {"endpoint_id": "ep_Qm7Zt9LwXc4B", "experiment_id": "exp_B9eXk2UgL6tW", "target_id":
    "tgt_D3hVq8AoY5rM", "updateMask": "name", "body": {"name": "green-2"}}

Rendered from schemas/endpoints/update_shadow_experiment_target.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NotRequired, TypedDict

    class Body(TypedDict):
        targetDeploymentId: NotRequired[str]
        name: NotRequired[str]
        description: NotRequired[str]
        etag: NotRequired[str]


def main(
    auth: togetherai,
    endpoint_id: str,
    experiment_id: str,
    target_id: str,
    updateMask: str,
    body: "Body" = None,
    project_id: str | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        endpoint_id=endpoint_id,
        experiment_id=experiment_id,
        target_id=target_id,
        updateMask=updateMask,
        body=body,
        project_id=project_id,
    )


# fmt: off
OPERATION = {"method": "PATCH",
  "path": "/v2/projects/{project_id}/endpoints/{endpoint_id}/shadowExperiments/{experiment_id}/targets/{target_id}",
  "retry": "mutates", "find": "endpoints/get_shadow_experiment_target", "arguments": {"required": ["endpoint_id",
      "experiment_id", "target_id", "updateMask"],
    "properties": {
      "endpoint_id": {"type": "string", "x-in": "path"},
      "experiment_id": {"type": "string", "x-in": "path"},
      "target_id": {"type": "string", "x-in": "path"},
      "updateMask": {"type": "string", "x-in": "query"},
      "body": {"type": "object", "properties": {
          "targetDeploymentId": {"type": "string"},
          "name": {"type": "string"},
          "description": {"type": "string"},
          "etag": {"type": "string"}}},
      "project_id": {"type": "string", "x-in": "path"}}}}
