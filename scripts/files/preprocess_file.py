# skip_result_postprocessing
"""Preprocess file.

POST /v1/files/{file_id}/preprocess

Last step of an upload: checks the file once its bytes were sent to the address from
Request file upload. Not needed after a multipart upload.

Returns: the file with processing_status; follow it with files/get_file until it is
COMPLETED.

Example arguments:
    {"file_id": "file-6f8a2c1d-3b47-4f0e-9a55-0c1d2e3f4a5b"}

Rendered from schemas/files/preprocess_file.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, file_id: str):
    return run(call, auth, OPERATION, file_id=file_id)


OPERATION = {
    "method": "POST",
    "path": "/v1/files/{file_id}/preprocess",
    "retry": "mutates",
    "find": "files/get_file",
    "arguments": {
        "required": ["file_id"],
        "properties": {"file_id": {"type": "string", "x-in": "path"}},
    },
}
