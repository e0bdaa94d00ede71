# skip_result_postprocessing
"""Get file.

GET /v1/files/{file_id}

Shows name, size, purpose and state of one stored file. Use it after an upload to see
whether the contents passed the check.

Returns: the file; processing_status goes from PENDING to COMPLETED, FAILED or
INVALID_FORMAT, and validation_report tells what is wrong.

Example arguments:
    {"file_id": "file-6f8a2c1d-3b47-4f0e-9a55-0c1d2e3f4a5b"}

Rendered from schemas/files/get_file.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, file_id: str):
    return run(call, auth, OPERATION, file_id=file_id)


OPERATION = {
    "method": "GET",
    "path": "/v1/files/{file_id}",
    "retry": "read",
    "arguments": {
        "required": ["file_id"],
        "properties": {"file_id": {"type": "string", "x-in": "path"}},
    },
}
