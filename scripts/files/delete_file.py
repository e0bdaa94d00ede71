# skip_result_postprocessing
"""Delete file (cannot be undone).

DELETE /v1/files/{file_id}

Removes a stored file for good. Jobs that still need it may fail; Get file shows what it
is.

Returns: the id of the file and whether it was deleted.

Example arguments:
    {"file_id": "file-6f8a2c1d-3b47-4f0e-9a55-0c1d2e3f4a5b"}

Rendered from schemas/files/delete_file.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, file_id: str):
    return run(call, auth, OPERATION, file_id=file_id)


OPERATION = {
    "method": "DELETE",
    "path": "/v1/files/{file_id}",
    "retry": "mutates",
    "find": "files/get_file",
    "arguments": {
        "required": ["file_id"],
        "properties": {"file_id": {"type": "string", "x-in": "path"}},
    },
}
