# skip_result_postprocessing
"""List project models.

GET /v2/projects/{project_id}/models

Shows the models registered in a project: uploaded ones and results of fine-tuning. For
the public catalog use List models.

Returns: models in data and next_cursor when there are more; the id of one goes to
models/get_project_model or a deployment.

Rendered from schemas/models/list_project_models.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(
    auth: togetherai,
    project_id: str | None = None,
    after: str | None = None,
    limit: int | None = None,
    organizationId: str | None = None,
    visibility: str | None = None,
    max_pages: int | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        project_id=project_id,
        after=after,
        limit=limit,
        organizationId=organizationId,
        visibility=visibility,
        max_pages=max_pages,
    )


# fmt: off
OPERATION = {"method": "GET", "path": "/v2/projects/{project_id}/models", "retry": "read", "pages": "cursor",
  "arguments": {
    "properties": {
      "project_id": {"type": "string", "x-in": "path"},
      "after": {"type": "string", "x-in": "query"},
      "limit": {"type": "integer", "x-in": "query"},
      "organizationId": {"type": "string", "x-in": "query"},
      "visibility": {"type": "string", "enum": ["VISIBILITY_PRIVATE", "VISIBILITY_INTERNAL"], "x-in": "query"},
      "max_pages": {"type": "integer", "minimum": 1, "x-in": "pages"}}}}
