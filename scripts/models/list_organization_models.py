# skip_result_postprocessing
"""List organization models.

GET /v2/organizations/{organization_id}/models

Shows the models that the projects of an organization share. Get identity gives the
organization ID.

Returns: models in data and next_cursor when there are more; id and projectId of one go
to models/get_project_model.

Example arguments:
    {"organization_id": "org_4b8d1f6a90c35e27"}

Rendered from schemas/models/list_organization_models.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(
    auth: togetherai,
    organization_id: str,
    after: str | None = None,
    limit: int | None = None,
    max_pages: int | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        organization_id=organization_id,
        after=after,
        limit=limit,
        max_pages=max_pages,
    )


# fmt: off
OPERATION = {"method": "GET", "path": "/v2/organizations/{organization_id}/models", "retry": "read",
  "pages": "cursor", "arguments": {"required": ["organization_id"], "properties": {
      "organization_id": {"type": "string", "x-in": "path"},
      "after": {"type": "string", "x-in": "query"},
      "limit": {"type": "integer", "x-in": "query"},
      "max_pages": {"type": "integer", "minimum": 1, "x-in": "pages"}}}}
