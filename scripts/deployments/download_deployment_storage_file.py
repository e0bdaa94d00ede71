# skip_result_postprocessing
"""Download deployment storage file.

GET /v1/deployments/storage/{filename}

Asks for a signed link to a file in the storage of the container deployments. The file
must have been stored there before.

Returns: the signed link to the file, which the service sends as a redirect; fetch it
without the API key.

Example arguments:
    {"filename": "config.json"}

Rendered from schemas/deployments/download_deployment_storage_file.json; edit that, not this.
"""

from ..client import call, togetherai

OPERATION = {
    "method": "GET",
    "path": "/v1/deployments/storage/{filename}",
    "retry": "read",
    "reply": "redirect",
    "arguments": {
        "required": ["filename"],
        "properties": {"filename": {"type": "string", "minLength": 1, "x-in": "path"}},
    },
}


def main(auth: togetherai, filename: str):
    return call(auth, OPERATION, filename=filename)
