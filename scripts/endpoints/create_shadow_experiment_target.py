# skip_result_postprocessing
"""Create shadow experiment target (beta).

POST /v2/projects/{project_id}/endpoints/{endpoint_id}/shadowExperiments/{experiment_id}
/targets

Adds a deployment that receives copies of requests to an existing shadow experiment. The
deployment must be under the same endpoint.

Returns: the target; its id goes to endpoints/get_shadow_experiment_target.

Example arguments:
    {"endpoint_id": "ep_Qm7Zt9LwXc4B", "experiment_id": "exp_B9eXk2UgL6tW", "body":
    {"name": "green", "targetDeploymentId": "dep_Jx5Tb1WqP9mG"}}

Rendered from schemas/endpoints/create_shadow_experiment_target.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NotRequired, TypedDict

    class Body(TypedDict):
        name: str
        targetDeploymentId: str
        description: NotRequired[str]


def main(
    auth: togetherai,
    endpoint_id: str,
    experiment_id: str,
    body: "Body",
    project_id: str | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        endpoint_id=endpoint_id,
        experiment_id=experiment_id,
        body=body,
        project_id=project_id,
    )


# fmt: off
OPERATION = {"method": "POST",
  "path": "/v2/projects/{project_id}/endpoints/{endpoint_id}/shadowExperiments/{experiment_id}/targets",
  "retry": "creates", "find": "endpoints/list_shadow_experiment_targets", "arguments": {"required": ["endpoint_id",
      "experiment_id", "body"],
    "properties": {
      "endpoint_id": {"type": "string", "x-in": "path"},
      "experiment_id": {"type": "string", "x-in": "path"},
      "body": {"type": "object", "required": ["name", "targetDeploymentId"], "properties": {
          "name": {"type": "string"}, "targetDeploymentId": {"type": "string"}, "description": {"type": "string"}}},
      "project_id": {"type": "string", "x-in": "path"}}}}
