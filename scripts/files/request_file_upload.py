# skip_result_postprocessing
"""Request file upload.

POST /v1/files

First of three steps to store a file: announces it and gets an address. Then send the
bytes there with PUT and run Preprocess file. Over 5 GiB use Initiate multipart file
upload.

Returns: the signed upload address (Location) and the file ID (X-Together-File-Id),
which goes to files/preprocess_file; the ID of the existing file when the same contents
were already stored.

Example arguments:
    {"body": {"purpose": "fine-tune", "file_name": "support-tickets.jsonl", "file_type":
    "jsonl"}}

Rendered from schemas/files/request_file_upload.json; edit that, not this.
"""

from ..client import run, togetherai, upload

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, NotRequired, TypedDict

    class Body(TypedDict):
        purpose: Literal["fine-tune", "calibration", "eval", "batch-api"]
        file_name: str
        file_type: Literal["csv", "jsonl", "parquet"]
        checksum: NotRequired[str]


def main(auth: togetherai, body: "Body"):
    return run(upload, auth, OPERATION, body=body)


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/files", "retry": "creates", "content": "multipart", "reply": "redirect",
  "find": "files/list_files", "arguments": {"required": ["body"], "properties": {
      "body": {"type": "object", "required": ["purpose", "file_name", "file_type"], "properties": {
          "purpose": {"type": "string", "enum": ["fine-tune", "calibration", "eval", "batch-api"]},
          "file_name": {"type": "string"},
          "file_type": {"type": "string", "enum": ["csv", "jsonl", "parquet"]},
          "checksum": {"type": "string", "pattern": "^[0-9a-f]{64}$",
            "description": "SHA-256 of the file as 64 lowercase hex digits. With it the service can notice contents it already has and name the existing file."}}}}}}
