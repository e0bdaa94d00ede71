# skip_result_postprocessing
"""Delete project model (cannot be undone).

DELETE /v2/projects/{project_id}/models/{model_id}

Removes a model and its files from a project for good. Make sure that no deployment uses
it any more.

Returns: an empty answer; success means the model is gone.

Example arguments:
    {"model_id": "ml_CbJNwS2v9Qx8"}

Rendered from schemas/models/delete_project_model.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, model_id: str, project_id: str | None = None):
    return run(call, auth, OPERATION, model_id=model_id, project_id=project_id)


# fmt: off
OPERATION = {"method": "DELETE", "path": "/v2/projects/{project_id}/models/{model_id}", "retry": "mutates",
  "find": "models/get_project_model", "arguments": {"required": ["model_id"], "properties": {
      "model_id": {"type": "string", "x-in": "path"}, "project_id": {"type": "string", "x-in": "path"}}}}
