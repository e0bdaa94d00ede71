# skip_result_postprocessing
"""List placement profiles.

GET /v2/projects/{project_id}/placement-profiles

Lists the saved placement profiles of a project. Use one to have deployments run in
certain regions without giving rules each time.

Returns: a page of profiles in data; an id goes to placement.profile of
endpoints/create_endpoint_deployment, and next_cursor goes to after for the next page.

Rendered from schemas/endpoints/list_placement_profiles.json; edit that, not this.
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
OPERATION = {"method": "GET", "path": "/v2/projects/{project_id}/placement-profiles", "retry": "read",
  "pages": "cursor", "arguments": {
    "properties": {
      "project_id": {"type": "string", "x-in": "path"},
      "after": {"type": "string", "x-in": "query"},
      "limit": {"type": "integer", "x-in": "query"},
      "max_pages": {"type": "integer", "minimum": 1, "x-in": "pages"}}}}
