# skip_result_postprocessing
"""Abort multipart storage upload (cannot be undone).

POST /v1/storage/multipart/abort

Gives up an upload in parts and discards what was sent so far. Use it when a part of
Initiate multipart storage upload keeps failing.

Returns: an answer without stated members; success means that the upload no longer
exists.

Example arguments:
    {"body": {"filename": "model.safetensors", "upload_id": "2~Qm9vbWVyYW5nLXVwbG9hZA"}}

Rendered from schemas/deployments/abort_multipart_storage_upload.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypedDict

    class Body(TypedDict):
        filename: str
        upload_id: str


def main(auth: togetherai, body: "Body"):
    return run(call, auth, OPERATION, body=body)


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/storage/multipart/abort", "retry": "mutates", "reply": "none",
  "arguments": {"required": ["body"], "properties": {
      "body": {"type": "object", "required": ["filename", "upload_id"], "properties": {
          "filename": {"type": "string"}, "upload_id": {"type": "string"}}}}}}
