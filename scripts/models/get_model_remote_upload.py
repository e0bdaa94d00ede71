# skip_result_postprocessing
"""Get model remote upload.

GET /v2/projects/{project_id}/models/uploads/{upload_id}

Shows how far an import of model files is. Repeat it until the status ends with
SUCCEEDED or FAILED.

Returns: the import; status and statusMessage tell how it goes, modelId which model gets
the files.

Example arguments:
    {"upload_id": "c7e1a5d3-0f48-4e92-b6a7-5d3c2b1a0f9e"}

Rendered from schemas/models/get_model_remote_upload.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, upload_id: str, project_id: str | None = None):
    return run(call, auth, OPERATION, upload_id=upload_id, project_id=project_id)


OPERATION = {
    "method": "GET",
    "path": "/v2/projects/{project_id}/models/uploads/{upload_id}",
    "retry": "read",
    "arguments": {
        "required": ["upload_id"],
        "properties": {
            "upload_id": {"type": "string", "x-in": "path"},
            "project_id": {"type": "string", "x-in": "path"},
        },
    },
}
