# skip_result_postprocessing
"""List project model files.

GET /v2/projects/{project_id}/models/{model_id}/files

Shows which files belong to a model, with sizes and checksums. Use it to choose paths
for Create project model download.

Returns: files in data (path, sizeBytes, hash), with revisionId and totalSizeBytes.

Example arguments:
    {"model_id": "ml_CbJNwS2v9Qx8"}

Rendered from schemas/models/list_project_model_files.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(
    auth: togetherai,
    model_id: str,
    project_id: str | None = None,
    revisionId: str | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        model_id=model_id,
        project_id=project_id,
        revisionId=revisionId,
    )


# fmt: off
OPERATION = {"method": "GET", "path": "/v2/projects/{project_id}/models/{model_id}/files", "retry": "read",
  "arguments": {"required": ["model_id"], "properties": {
      "model_id": {"type": "string", "x-in": "path"},
      "project_id": {"type": "string", "x-in": "path"},
      "revisionId": {"type": "string", "x-in": "query"}}}}
