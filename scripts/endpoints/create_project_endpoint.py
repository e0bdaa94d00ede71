# skip_result_postprocessing
"""Create project endpoint (costs money).

POST /v2/projects/{project_id}/endpoints

Makes a lasting name under which requests reach your models; the cost comes from the
deployments put under it. It serves nothing until Create endpoint deployment adds one
and Update project endpoint sets the traffic split.

Returns: the endpoint; its id goes to endpoints/create_endpoint_deployment, its name is
the model in inference requests, and etag goes to endpoints/update_project_endpoint.

Example arguments:
    {"body": {"name": "support-chat"}}

API reference: https://docs.together.ai/reference/dmi/endpoints-create
Rendered from schemas/endpoints/create_project_endpoint.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, NotRequired, TypedDict

    class Body(TypedDict):
        name: str
        visibility: NotRequired[Literal["VISIBILITY_PRIVATE", "VISIBILITY_INTERNAL"]]


def main(auth: togetherai, body: "Body", project_id: str | None = None):
    return run(call, auth, OPERATION, body=body, project_id=project_id)


# fmt: off
OPERATION = {"method": "POST", "path": "/v2/projects/{project_id}/endpoints", "retry": "creates",
  "find": "endpoints/list_project_endpoints", "arguments": {"required": ["body"], "properties": {
      "body": {"type": "object", "required": ["name"], "properties": {
          "name": {"type": "string"},
          "visibility": {"type": "string", "enum": ["VISIBILITY_PRIVATE", "VISIBILITY_INTERNAL"]}}},
      "project_id": {"type": "string", "x-in": "path"}}}}
