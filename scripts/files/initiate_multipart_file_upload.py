# skip_result_postprocessing
"""Initiate multipart file upload.

POST /v1/files/multipart/initiate

Starts the upload of a file over 5 GiB in parts. Then send each part with PUT to its
address, and end with Complete or Abort multipart file upload.

Returns: upload_id, file_id and one address per part; the ETag each PUT answers goes to
files/complete_multipart_file_upload.

Example arguments:
    {"body": {"file_name": "corpus.parquet", "file_size": 6000000000, "num_parts": 23,
    "purpose": "fine-tune", "file_type": "parquet", "checksum":
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}}

Rendered from schemas/files/initiate_multipart_file_upload.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, TypedDict

    class Body(TypedDict):
        file_name: str
        file_size: int
        num_parts: int
        file_type: Literal["csv", "jsonl", "parquet"]
        purpose: Literal["fine-tune", "calibration", "eval", "batch-api"]
        checksum: str


def main(auth: togetherai, body: "Body"):
    return run(call, auth, OPERATION, body=body)


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/files/multipart/initiate", "retry": "creates",
  "find": "files/list_files", "arguments": {"required": ["body"], "properties": {
      "body": {"type": "object", "required": ["file_name", "file_size", "num_parts", "file_type", "purpose",
          "checksum"],
        "properties": {
          "file_name": {"type": "string"},
          "file_size": {"type": "integer"},
          "num_parts": {"type": "integer", "minimum": 1, "maximum": 250},
          "file_type": {"type": "string", "enum": ["csv", "jsonl", "parquet"]},
          "purpose": {"type": "string", "enum": ["fine-tune", "calibration", "eval", "batch-api"]},
          "checksum": {"type": "string"}}}}}}
