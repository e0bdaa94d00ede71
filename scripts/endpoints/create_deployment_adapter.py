# skip_result_postprocessing
"""Create deployment adapter.

POST
/v2/projects/{project_id}/endpoints/{endpoint_id}/deployments/{deployment_id}/adapters

Attaches a LoRA adapter (a small fine-tuned addition) to a deployment of its base model
that accepts adapters. The adapter must be a model of your project first.

Returns: the attachment; its id goes to endpoints/get_deployment_adapter, etag is needed
to change or remove it, and perCluster shows the loading.

Example arguments:
    {"endpoint_id": "ep_Qm7Zt9LwXc4B", "deployment_id": "dep_V2kR8sNfH3yD", "body":
    {"adapterModelId": "ml_Y4gHs7KwB2dR"}}

API reference: https://docs.together.ai/reference/dmi/adapters-add
Rendered from schemas/endpoints/create_deployment_adapter.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NotRequired, TypedDict

    class Body(TypedDict):
        adapterModelId: str
        adapterRevisionId: NotRequired[str]
        force: NotRequired[bool]


def main(
    auth: togetherai,
    endpoint_id: str,
    deployment_id: str,
    body: "Body",
    project_id: str | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        endpoint_id=endpoint_id,
        deployment_id=deployment_id,
        body=body,
        project_id=project_id,
    )


# fmt: off
OPERATION = {"method": "POST",
  "path": "/v2/projects/{project_id}/endpoints/{endpoint_id}/deployments/{deployment_id}/adapters",
  "retry": "creates", "find": "endpoints/list_deployment_adapters", "arguments": {"required": ["endpoint_id",
      "deployment_id", "body"],
    "properties": {
      "endpoint_id": {"type": "string", "x-in": "path"},
      "deployment_id": {"type": "string", "x-in": "path"},
      "body": {"type": "object", "required": ["adapterModelId"], "properties": {
          "adapterModelId": {"type": "string"},
          "adapterRevisionId": {"type": "string"},
          "force": {"type": "boolean"}}},
      "project_id": {"type": "string", "x-in": "path"}}}}
