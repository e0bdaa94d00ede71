# skip_result_postprocessing
"""Abort multipart file upload.

POST /v1/files/multipart/abort

Gives up a large upload and discards the parts already sent. Use it when a part cannot
be sent; afterwards initiate a new upload.

Returns: nothing of interest; success means the parts are gone.

Example arguments:
    {"body": {"upload_id": "c7e1a5d3-0f48-4e92-b6a7-5d3c2b1a0f9e", "file_id":
    "file-6f8a2c1d-3b47-4f0e-9a55-0c1d2e3f4a5b"}}

Rendered from schemas/files/abort_multipart_file_upload.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypedDict

    class Body(TypedDict):
        upload_id: str
        file_id: str


def main(auth: togetherai, body: "Body"):
    return run(call, auth, OPERATION, body=body)


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/files/multipart/abort", "retry": "mutates", "reply": "none",
  "arguments": {"required": ["body"], "properties": {
      "body": {"type": "object", "required": ["upload_id", "file_id"], "properties": {
          "upload_id": {"type": "string"}, "file_id": {"type": "string"}}}}}}
