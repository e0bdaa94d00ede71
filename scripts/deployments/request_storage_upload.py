# skip_result_postprocessing
"""Request storage upload.

POST /v1/storage/upload-request

Asks for a signed link with which one file is uploaded to the storage that volumes read
from. For files above about 100 MiB use Initiate multipart storage upload instead.

Returns: an object whose upload_url holds url, method and headers; send the bytes there
with exactly these, without the API key.

Example arguments:
    {"body": {"filename": "config.json"}}

Rendered from schemas/deployments/request_storage_upload.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypedDict

    class Body(TypedDict):
        filename: str


def main(auth: togetherai, body: "Body"):
    return run(call, auth, OPERATION, body=body)


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/storage/upload-request", "retry": "creates",
  "arguments": {"required": ["body"], "properties": {
      "body": {"type": "object", "required": ["filename"], "properties": {"filename": {"type": "string"}}}}}}
