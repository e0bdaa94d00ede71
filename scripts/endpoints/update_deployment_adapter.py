# skip_result_postprocessing
"""Update deployment adapter.

PATCH /v2/projects/{project_id}/endpoints/{endpoint_id}/deployments/{deployment_id}/adap
ters/{adapter_id}

Switches an attached LoRA adapter to another revision. Read it with Get deployment
adapter first: its etag is required.

Returns: the attachment with the new desiredRevisionId and a new etag; perCluster shows
when it is loaded.

Example arguments:
    {"endpoint_id": "ep_Qm7Zt9LwXc4B", "deployment_id": "dep_V2kR8sNfH3yD",
    "adapter_id": "dad_T7cGs4PiE2nZ", "body": {"adapterRevisionId": "rv_8KdWp1Zn",
    "etag": "W/7c2e9f41"}}

Rendered from schemas/endpoints/update_deployment_adapter.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypedDict

    class Body(TypedDict):
        adapterRevisionId: str
        etag: str


def main(
    auth: togetherai,
    endpoint_id: str,
    deployment_id: str,
    adapter_id: str,
    body: "Body",
    project_id: str | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        endpoint_id=endpoint_id,
        deployment_id=deployment_id,
        adapter_id=adapter_id,
        body=body,
        project_id=project_id,
    )


# fmt: off
OPERATION = {"method": "PATCH",
  "path": "/v2/projects/{project_id}/endpoints/{endpoint_id}/deployments/{deployment_id}/adapters/{adapter_id}",
  "retry": "mutates", "find": "endpoints/get_deployment_adapter", "arguments": {"required": ["endpoint_id",
      "deployment_id", "adapter_id", "body"],
    "properties": {
      "endpoint_id": {"type": "string", "x-in": "path"},
      "deployment_id": {"type": "string", "x-in": "path"},
      "adapter_id": {"type": "string", "x-in": "path"},
      "body": {"type": "object", "required": ["adapterRevisionId", "etag"], "properties": {
          "adapterRevisionId": {"type": "string"}, "etag": {"type": "string"}}},
      "project_id": {"type": "string", "x-in": "path"}}}}
