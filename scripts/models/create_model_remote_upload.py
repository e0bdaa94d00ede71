# skip_result_postprocessing
"""Create model remote upload.

POST /v2/projects/{project_id}/models/uploads

Lets the service fetch the files of a registered model from Hugging Face or from a
signed archive address. Create the model first with Create project model.

Returns: the import with its id and status; follow it with
models/get_model_remote_upload.

Example arguments:
    {"body": {"modelId": "ml_CbJNwS2v9Qx8", "remoteUrl":
    "https://huggingface.co/acme/support-writer"}}

Rendered from schemas/models/create_model_remote_upload.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NotRequired, TypedDict

    class Body(TypedDict):
        modelId: str
        remoteUrl: str
        token: NotRequired[str]


def main(auth: togetherai, body: "Body", project_id: str | None = None):
    return run(call, auth, OPERATION, body=body, project_id=project_id)


# fmt: off
OPERATION = {"method": "POST", "path": "/v2/projects/{project_id}/models/uploads", "retry": "creates",
  "find": "models/list_model_remote_uploads", "arguments": {"required": ["body"], "properties": {
      "body": {"type": "object", "required": ["modelId", "remoteUrl"], "properties": {
          "modelId": {"type": "string"}, "remoteUrl": {"type": "string"}, "token": {"type": "string"}}},
      "project_id": {"type": "string", "x-in": "path"}}}}
