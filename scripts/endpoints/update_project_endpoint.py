# skip_result_postprocessing
"""Update project endpoint.

PATCH /v2/projects/{project_id}/endpoints/{endpoint_id}

Renames an endpoint, changes who can find it, or divides live traffic among its
deployments. Read it with Get project endpoint first and pass its etag, so that changes
by others are not overwritten.

Returns: the endpoint as changed, with a new etag for the next change; trafficSplit
shows where requests go now.

Example arguments:
    {"endpoint_id": "ep_Qm7Zt9LwXc4B", "body": {"trafficSplit": [{"deploymentId":
    "dep_V2kR8sNfH3yD", "weight": 1}]}}

API reference: https://docs.together.ai/reference/dmi/endpoints-update
Rendered from schemas/endpoints/update_project_endpoint.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, NotRequired, TypedDict

    class TrafficSplit(TypedDict):
        deploymentId: str
        weight: float

    class Body(TypedDict):
        trafficSplit: NotRequired[list[TrafficSplit]]
        name: NotRequired[str]
        visibility: NotRequired[Literal["VISIBILITY_PRIVATE", "VISIBILITY_INTERNAL"]]
        etag: NotRequired[str]


def main(
    auth: togetherai,
    endpoint_id: str,
    body: "Body" = None,
    project_id: str | None = None,
    updateMask: str | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        endpoint_id=endpoint_id,
        body=body,
        project_id=project_id,
        updateMask=updateMask,
    )


# fmt: off
OPERATION = {"method": "PATCH", "path": "/v2/projects/{project_id}/endpoints/{endpoint_id}", "retry": "mutates",
  "find": "endpoints/get_project_endpoint", "arguments": {"required": ["endpoint_id"], "properties": {
      "endpoint_id": {"type": "string", "x-in": "path"},
      "body": {"type": "object", "properties": {
          "trafficSplit": {"type": "array", "items": {"type": "object", "required": ["deploymentId", "weight"],
              "properties": {"deploymentId": {"type": "string"}, "weight": {"type": "number"}}}},
          "name": {"type": "string"},
          "visibility": {"type": "string", "enum": ["VISIBILITY_PRIVATE", "VISIBILITY_INTERNAL"]},
          "etag": {"type": "string"}}},
      "project_id": {"type": "string", "x-in": "path"},
      "updateMask": {"type": "string", "x-in": "query"}}}}
