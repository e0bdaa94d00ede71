# skip_result_postprocessing
"""Initiate multipart storage upload.

POST /v1/storage/multipart/init

Begins the upload of a large file in several parts to the storage that volumes read
from. Then send each part to its link, and finish with Complete multipart storage
upload.

Returns: the upload_id for the steps that follow, and part_upload_urls with part_number,
url, method and headers of each part; keep the ETag each part answers.

Example arguments:
    {"body": {"filename": "model.safetensors", "parts_count": 8}}

Rendered from schemas/deployments/initiate_multipart_storage_upload.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypedDict

    class Body(TypedDict):
        filename: str
        parts_count: int


def main(auth: togetherai, body: "Body"):
    return run(call, auth, OPERATION, body=body)


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/storage/multipart/init", "retry": "creates",
  "arguments": {"required": ["body"], "properties": {
      "body": {"type": "object", "required": ["filename", "parts_count"], "properties": {
          "filename": {"type": "string"}, "parts_count": {"type": "integer"}}}}}}
