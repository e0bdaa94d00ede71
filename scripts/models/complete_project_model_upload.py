# skip_result_postprocessing
"""Complete project model upload.

POST /v2/projects/{project_id}/models/upload/complete

Turns the sent files into a new version of the model. Run it when every part was sent to
its address from Create project model upload.

Returns: the revisionId of the new version; models/list_project_model_revisions shows
whether it passed the check.

Example arguments:
    {"body": {"objectId": "ml_CbJNwS2v9Qx8", "files": [{"path": "config.json", "hash":
    "5d41402abc4b2a76b9719d911017c592", "skipUpload": true}]}}

Rendered from schemas/models/complete_project_model_upload.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NotRequired, TypedDict

    class Parts(TypedDict):
        partNumber: int
        hash: str

    class UploadDetails(TypedDict):
        uploadId: NotRequired[str]
        parts: NotRequired[list[Parts]]

    class Files(TypedDict):
        path: str
        hash: str
        skipUpload: NotRequired[bool]
        uploadDetails: NotRequired[UploadDetails]

    class Body(TypedDict):
        objectId: str
        files: list[Files]


def main(auth: togetherai, body: "Body", project_id: str | None = None):
    return run(call, auth, OPERATION, body=body, project_id=project_id)


# fmt: off
OPERATION = {"method": "POST", "path": "/v2/projects/{project_id}/models/upload/complete", "retry": "mutates",
  "find": "models/list_project_model_revisions", "arguments": {"required": ["body"], "properties": {
      "body": {"type": "object", "required": ["objectId", "files"], "properties": {
          "objectId": {"type": "string"},
          "files": {"type": "array", "items": {"type": "object", "required": ["path", "hash"],
              "properties": {
                "path": {"type": "string"},
                "hash": {"type": "string"},
                "skipUpload": {"type": "boolean"},
                "uploadDetails": {"type": "object", "x-choice": True, "properties": {
                    "uploadId": {"type": "string"},
                    "parts": {"type": "array", "items": {"type": "object", "required": ["partNumber", "hash"],
                        "properties": {"partNumber": {"type": "integer"}, "hash": {"type": "string"}}}}}}}}}}},
      "project_id": {"type": "string", "x-in": "path"}}}}
