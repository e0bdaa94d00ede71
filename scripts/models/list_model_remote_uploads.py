# skip_result_postprocessing
"""List model remote uploads.

GET /v2/projects/{project_id}/models/uploads

Shows the imports of model files in a project, running and finished ones.

Returns: imports in data and next_cursor when there are more; the id of one goes to
models/get_model_remote_upload.

Rendered from schemas/models/list_model_remote_uploads.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(
    auth: togetherai,
    project_id: str | None = None,
    after: str | None = None,
    limit: int | None = None,
    max_pages: int | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        project_id=project_id,
        after=after,
        limit=limit,
        max_pages=max_pages,
    )


# fmt: off
OPERATION = {"method": "GET", "path": "/v2/projects/{project_id}/models/uploads", "retry": "read", "pages": "cursor",
  "arguments": {
    "properties": {
      "project_id": {"type": "string", "x-in": "path"},
      "after": {"type": "string", "x-in": "query"},
      "limit": {"type": "integer", "x-in": "query"},
      "max_pages": {"type": "integer", "minimum": 1, "x-in": "pages"}}}}
