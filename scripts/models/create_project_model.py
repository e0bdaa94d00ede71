# skip_result_postprocessing
"""Create project model.

POST /v2/projects/{project_id}/models

Registers a model or LoRA adapter of your own by name, still without files. Then bring
the files in with Create model remote upload or Create project model upload.

Returns: the new model; its id goes to models/create_model_remote_upload or
models/create_project_model_upload.

Example arguments:
    {"body": {"baseModelId": "ml_BqW4tY7u3Zk1", "name": "support-writer", "type":
    "model"}}

Rendered from schemas/models/create_project_model.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NotRequired, TypedDict

    class Body(TypedDict):
        baseModelId: str
        name: str
        type: str
        description: NotRequired[str]


def main(auth: togetherai, body: "Body", project_id: str | None = None):
    return run(call, auth, OPERATION, body=body, project_id=project_id)


# fmt: off
OPERATION = {"method": "POST", "path": "/v2/projects/{project_id}/models", "retry": "creates",
  "find": "models/list_project_models", "arguments": {"required": ["body"], "properties": {
      "body": {"type": "object", "required": ["baseModelId", "name", "type"], "properties": {
          "baseModelId": {"type": "string"},
          "name": {"type": "string"},
          "type": {"type": "string"},
          "description": {"type": "string"}}},
      "project_id": {"type": "string", "x-in": "path"}}}}
