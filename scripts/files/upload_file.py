# skip_result_postprocessing
"""Upload file.

POST /v1/files/upload

Stores a small data file in a single call, for training, evaluations or batches. Should
it be refused, use Request file upload, which is made for files of any size.

Returns: the stored file; its id goes to fine_tuning/create_fine_tune,
batches/create_batch or evaluations/create_evaluation.

Example arguments:
    {"body": {"purpose": "fine-tune", "file_name": "support-tickets.jsonl", "file":
    "eyJ0ZXh0IjoiaGVsbG8ifQo="}}

Rendered from schemas/files/upload_file.json; edit that, not this.
"""

from typing import Literal, NotRequired, TypedDict

from ..client import togetherai, upload


class Body(TypedDict):
    purpose: str
    file_name: str
    file: str | dict | list
    file_type: NotRequired[Literal["csv", "jsonl", "parquet"]]


OPERATION = {
    "method": "POST",
    "path": "/v1/files/upload",
    "retry": "creates",
    "content": "multipart",
    "find": "files/list_files",
    "arguments": {
        "required": ["body"],
        "properties": {
            "body": {
                "type": "object",
                "required": ["purpose", "file_name", "file"],
                "properties": {
                    "purpose": {
                        "type": "string",
                        "enum": [
                            "fine-tune",
                            "eval",
                            "eval-sample",
                            "eval-output",
                            "eval-summary",
                            "batch-generated",
                            "batch-api",
                        ],
                    },
                    "file_name": {"type": "string", "minLength": 1},
                    "file": {"type": "string", "format": "binary"},
                    "file_type": {
                        "type": "string",
                        "enum": ["csv", "jsonl", "parquet"],
                    },
                },
            },
        },
    },
}


def main(auth: togetherai, body: "Body"):
    return upload(auth, OPERATION, body=body)
