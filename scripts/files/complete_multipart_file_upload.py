# skip_result_postprocessing
"""Complete multipart file upload.

POST /v1/files/multipart/complete

Joins the parts of a large upload into one file. Run it after every part was sent to its
address from Initiate multipart file upload.

Returns: the stored file, either bare or in file; its id is ready for use once
files/get_file shows COMPLETED.

Example arguments:
    {"body": {"upload_id": "c7e1a5d3-0f48-4e92-b6a7-5d3c2b1a0f9e", "file_id":
    "file-6f8a2c1d-3b47-4f0e-9a55-0c1d2e3f4a5b", "parts": [{"part_number": 1, "etag":
    "5d41402abc4b2a76b9719d911017c592"}]}}

Rendered from schemas/files/complete_multipart_file_upload.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypedDict

    class Parts(TypedDict):
        part_number: int
        etag: str

    class Body(TypedDict):
        upload_id: str
        file_id: str
        parts: list[Parts]


def main(auth: togetherai, body: "Body"):
    return run(call, auth, OPERATION, body=body)


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/files/multipart/complete", "retry": "mutates", "find": "files/get_file",
  "arguments": {"required": ["body"], "properties": {
      "body": {"type": "object", "required": ["upload_id", "file_id", "parts"], "properties": {
          "upload_id": {"type": "string"},
          "file_id": {"type": "string"},
          "parts": {"type": "array", "items": {"type": "object", "required": ["part_number", "etag"],
              "properties": {"part_number": {"type": "integer"}, "etag": {"type": "string"}}}}}}}}}
