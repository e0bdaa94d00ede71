# skip_result_postprocessing
"""List project endpoints.

GET /v2/projects/{project_id}/endpoints

Lists the endpoints of a project, page by page. Use it to find the id of an endpoint or
to see what is deployed.

Returns: a page of endpoints in data; each id goes to endpoints/get_project_endpoint,
and next_cursor goes to after for the next page.

Rendered from schemas/endpoints/list_project_endpoints.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(
    auth: togetherai,
    project_id: str | None = None,
    after: str | None = None,
    filter: str | None = None,
    limit: int | None = None,
    orderBy: str | None = None,
    max_pages: int | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        project_id=project_id,
        after=after,
        filter=filter,
        limit=limit,
        orderBy=orderBy,
        max_pages=max_pages,
    )


# fmt: off
OPERATION = {"method": "GET", "path": "/v2/projects/{project_id}/endpoints", "retry": "read", "pages": "cursor",
  "arguments": {
    "properties": {
      "project_id": {"type": "string", "x-in": "path"},
      "after": {"type": "string", "x-in": "query"},
      "filter": {"type": "string", "x-in": "query"},
      "limit": {"type": "integer", "x-in": "query"},
      "orderBy": {"type": "string", "x-in": "query"},
      "max_pages": {"type": "integer", "minimum": 1, "x-in": "pages"}}}}
