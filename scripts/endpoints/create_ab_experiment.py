# skip_result_postprocessing
"""Create A/B experiment (beta).

POST /v2/projects/{project_id}/endpoints/{endpoint_id}/abExperiments

Splits the live traffic of one deployment (the control) among 2 to 20 deployments of the
same endpoint to compare them. All deployments must exist; only traffic that would go to
the control is divided.

Returns: the experiment; its id goes to endpoints/get_ab_experiment and etag to
endpoints/update_ab_experiment.

Example arguments:
    {"endpoint_id": "ep_Qm7Zt9LwXc4B", "body": {"name": "new-prompt-model", "members":
    [{"deploymentId": "dep_V2kR8sNfH3yD", "percent": 90, "role":
    "AB_EXPERIMENT_MEMBER_ROLE_CONTROL"}, {"deploymentId": "dep_Jx5Tb1WqP9mG",
    "percent": 10, "role": "AB_EXPERIMENT_MEMBER_ROLE_VARIANT"}]}}

Rendered from schemas/endpoints/create_ab_experiment.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NotRequired, TypedDict

    class Members(TypedDict):
        deploymentId: str
        percent: int
        role: str

    class Body(TypedDict):
        name: str
        members: list[Members]
        description: NotRequired[str]


def main(
    auth: togetherai,
    endpoint_id: str,
    body: "Body",
    project_id: str | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        endpoint_id=endpoint_id,
        body=body,
        project_id=project_id,
    )


# fmt: off
OPERATION = {"method": "POST", "path": "/v2/projects/{project_id}/endpoints/{endpoint_id}/abExperiments",
  "retry": "creates", "find": "endpoints/list_ab_experiments", "arguments": {"required": ["endpoint_id", "body"],
    "properties": {
      "endpoint_id": {"type": "string", "x-in": "path"},
      "body": {"type": "object", "required": ["name", "members"], "properties": {
          "name": {"type": "string"},
          "members": {"type": "array", "items": {"type": "object", "required": ["deploymentId", "percent", "role"],
              "properties": {
                "deploymentId": {"type": "string"},
                "percent": {"type": "integer"},
                "role": {"type": "string", "enum": ["AB_EXPERIMENT_MEMBER_ROLE_CONTROL",
                    "AB_EXPERIMENT_MEMBER_ROLE_VARIANT"]}}}},
          "description": {"type": "string"}}},
      "project_id": {"type": "string", "x-in": "path"}}}}
