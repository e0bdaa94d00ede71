# skip_result_postprocessing
"""Complete multipart storage upload.

POST /v1/storage/multipart/complete

Joins the uploaded parts into one file. Call it after every part of Initiate multipart
storage upload has been sent.

Returns: an answer without stated members; success means that the file is stored and a
volume can use it.

Example arguments:
    {"body": {"filename": "model.safetensors", "upload_id": "2~Qm9vbWVyYW5nLXVwbG9hZA",
    "parts": [{"part_number": 1, "etag": "9b2cf535f27731c974343645a3985328"}]}}

Rendered from schemas/deployments/complete_multipart_storage_upload.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypedDict

    class Parts(TypedDict):
        part_number: int
        etag: str

    class Body(TypedDict):
        filename: str
        upload_id: str
        parts: list[Parts]


def main(auth: togetherai, body: "Body"):
    return run(call, auth, OPERATION, body=body)


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/storage/multipart/complete", "retry": "mutates", "reply": "none",
  "arguments": {"required": ["body"], "properties": {
      "body": {"type": "object", "required": ["filename", "upload_id", "parts"], "properties": {
          "filename": {"type": "string"},
          "upload_id": {"type": "string"},
          "parts": {"type": "array", "items": {"type": "object", "required": ["part_number", "etag"],
              "properties": {"part_number": {"type": "integer"}, "etag": {"type": "string"}}}}}}}}}
