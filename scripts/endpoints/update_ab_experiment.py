# skip_result_postprocessing
"""Update A/B experiment (beta).

PATCH /v2/projects/{project_id}/endpoints/{endpoint_id}/abExperiments/{experiment_id}

Changes the percentages, the members or the note of an A/B experiment. Read it with Get
A/B experiment first, pass its etag, and name what changes in the update mask.

Returns: the experiment as changed, with a new etag for the next change.

Example arguments:
    {"endpoint_id": "ep_Qm7Zt9LwXc4B", "experiment_id": "abx_R4nMz7QdS1jF", "body":
    {"members": [{"deploymentId": "dep_V2kR8sNfH3yD", "percent": 90, "role":
    "AB_EXPERIMENT_MEMBER_ROLE_CONTROL"}, {"deploymentId": "dep_Jx5Tb1WqP9mG",
    "percent": 10, "role": "AB_EXPERIMENT_MEMBER_ROLE_VARIANT"}]}}

Rendered from schemas/endpoints/update_ab_experiment.json; edit that, not this.
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
        members: NotRequired[list[Members]]
        description: NotRequired[str]
        etag: NotRequired[str]


def main(
    auth: togetherai,
    endpoint_id: str,
    experiment_id: str,
    body: "Body" = None,
    project_id: str | None = None,
    updateMask: str | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        endpoint_id=endpoint_id,
        experiment_id=experiment_id,
        body=body,
        project_id=project_id,
        updateMask=updateMask,
    )


# fmt: off
OPERATION = {"method": "PATCH",
  "path": "/v2/projects/{project_id}/endpoints/{endpoint_id}/abExperiments/{experiment_id}", "retry": "mutates",
  "find": "endpoints/get_ab_experiment", "arguments": {"required": ["endpoint_id", "experiment_id"],
    "properties": {
      "endpoint_id": {"type": "string", "x-in": "path"},
      "experiment_id": {"type": "string", "x-in": "path"},
      "body": {"type": "object", "properties": {
          "members": {"type": "array", "items": {"type": "object", "required": ["deploymentId", "percent", "role"],
              "properties": {
                "deploymentId": {"type": "string"},
                "percent": {"type": "integer"},
                "role": {"type": "string", "enum": ["AB_EXPERIMENT_MEMBER_ROLE_CONTROL",
                    "AB_EXPERIMENT_MEMBER_ROLE_VARIANT"]}}}},
          "description": {"type": "string"},
          "etag": {"type": "string"}}},
      "project_id": {"type": "string", "x-in": "path"},
      "updateMask": {"type": "string", "x-in": "query"}}}}
