# skip_result_postprocessing
"""Create project model upload.

POST /v2/projects/{project_id}/models/upload/create

Starts sending files from your side into a registered model and gives an address for
each part of 20 MiB. Finish with Complete project model upload. Easier: Create model
remote upload.

Returns: one entry per file with uploadId and part addresses for PUT; these go to
models/complete_project_model_upload. skipUpload means the contents are already there.

Example arguments:
    {"body": {"objectId": "ml_CbJNwS2v9Qx8", "files": [{"path": "config.json", "hash":
    "5d41402abc4b2a76b9719d911017c592", "numParts": 1}]}}

Rendered from schemas/models/create_project_model_upload.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypedDict

    class Files(TypedDict):
        path: str
        hash: str
        numParts: int

    class Body(TypedDict):
        objectId: str
        files: list[Files]


def main(auth: togetherai, body: "Body", project_id: str | None = None):
    return run(call, auth, OPERATION, body=body, project_id=project_id)


# fmt: off
OPERATION = {"method": "POST", "path": "/v2/projects/{project_id}/models/upload/create", "retry": "creates",
  "arguments": {"required": ["body"], "properties": {
      "body": {"type": "object", "required": ["objectId", "files"], "properties": {
          "objectId": {"type": "string"},
          "files": {"type": "array", "items": {"type": "object", "required": ["path", "hash", "numParts"],
              "properties": {
                "path": {"type": "string"}, "hash": {"type": "string"}, "numParts": {"type": "integer"}}}}}},
      "project_id": {"type": "string", "x-in": "path"}}}}
