# skip_result_postprocessing
"""List files.

GET /v1/files

Shows all stored files at once, uploads as well as results of batches and evaluations.
Use it to find a file ID.

Returns: the files in data; the id of one goes to files/get_file, files/download_file or
the jobs that use it.

Rendered from schemas/files/list_files.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai):
    return run(call, auth, OPERATION)


OPERATION = {
    "method": "GET",
    "path": "/v1/files",
    "retry": "read",
    "arguments": {"properties": {}},
}
