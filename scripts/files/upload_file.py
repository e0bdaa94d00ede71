# skip_result_postprocessing
"""Upload file.

POST /v1/files/upload

Stores a data file of any size, for training, evaluations or batches, and looks at it
first: what is wrong with a line is said before anything is sent. A file that the
service has already is not sent again.

Returns: the stored file; its id goes to fine_tuning/create_fine_tune,
batches/create_batch or evaluations/create_evaluation. reused says that the service had
it already, dataset what the check found: shape, rows, bytes, columns.

Example arguments:
    {"body": {"purpose": "fine-tune", "file_name": "support-tickets.jsonl", "file":
    "eyJ0ZXh0IjoiaGVsbG8ifQo="}}

Rendered from schemas/files/upload_file.json; edit that, not this.
"""

from ..client import run, togetherai, upload

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, NotRequired, TypedDict

    class Body(TypedDict):
        purpose: str
        file_name: str
        file: str | dict | list
        file_type: NotRequired[Literal["csv", "jsonl", "parquet"]]


def main(auth: togetherai, body: "Body", check: bool = True):
    return run(upload, auth, OPERATION, body=body, check=check)


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/files/upload", "retry": "creates", "content": "signed_upload",
  "find": "files/list_files", "arguments": {"required": ["body"], "properties": {
      "body": {"type": "object", "required": ["purpose", "file_name", "file"], "properties": {
          "purpose": {"type": "string", "enum": ["fine-tune", "calibration", "eval", "eval-sample", "eval-output",
              "eval-summary", "batch-generated", "batch-api"]},
          "file_name": {"type": "string"},
          "file": {"type": "string", "format": "binary", "x-file": "bytes", "x-choice": True},
          "file_type": {"type": "string", "enum": ["csv", "jsonl", "parquet"]}}},
      "check": {"type": "boolean", "x-in": "upload", "default": True}}}}
