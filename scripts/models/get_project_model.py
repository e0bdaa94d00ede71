# skip_result_postprocessing
"""Get project model.

GET /v2/projects/{project_id}/models/{model_id}

Shows one model of a project: name, visibility, base model and what its weights are
like.

Returns: the model; its name (with the project in front) is what requests and
deployments use.

Example arguments:
    {"model_id": "ml_CbJNwS2v9Qx8"}

Rendered from schemas/models/get_project_model.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, model_id: str, project_id: str | None = None):
    return run(call, auth, OPERATION, model_id=model_id, project_id=project_id)


OPERATION = {
    "method": "GET",
    "path": "/v2/projects/{project_id}/models/{model_id}",
    "retry": "read",
    "arguments": {
        "required": ["model_id"],
        "properties": {
            "model_id": {"type": "string", "x-in": "path"},
            "project_id": {"type": "string", "x-in": "path"},
        },
    },
}
