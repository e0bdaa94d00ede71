# skip_result_postprocessing
"""List project model revisions.

GET /v2/projects/{project_id}/models/{model_id}/revisions

Shows the versions of a model and whether their files passed the check. Each upload
makes a new version.

Returns: versions in data; a revisionId goes to models/list_project_model_files or
models/create_project_model_download.

Example arguments:
    {"model_id": "ml_CbJNwS2v9Qx8"}

Rendered from schemas/models/list_project_model_revisions.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, model_id: str, project_id: str | None = None):
    return run(call, auth, OPERATION, model_id=model_id, project_id=project_id)


OPERATION = {
    "method": "GET",
    "path": "/v2/projects/{project_id}/models/{model_id}/revisions",
    "retry": "read",
    "arguments": {
        "required": ["model_id"],
        "properties": {
            "model_id": {"type": "string", "x-in": "path"},
            "project_id": {"type": "string", "x-in": "path"},
        },
    },
}
