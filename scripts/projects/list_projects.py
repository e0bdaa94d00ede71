# skip_result_postprocessing
"""List projects.

GET /v1/projects

Shows the projects your API key can see. Use it to find a project ID; Get identity gives
the one the key belongs to.

Returns: projects in data and next_cursor when there are more; the id of one is the
project ID for other operations.

Rendered from schemas/projects/list_projects.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(
    auth: togetherai,
    after: str | None = None,
    limit: int | None = None,
    max_pages: int | None = None,
):
    return run(call, auth, OPERATION, after=after, limit=limit, max_pages=max_pages)


# fmt: off
OPERATION = {"method": "GET", "path": "/v1/projects", "retry": "read", "pages": "cursor",
  "arguments": {
    "properties": {
      "after": {"type": "string", "x-in": "query"},
      "limit": {"type": "integer", "x-in": "query"},
      "max_pages": {"type": "integer", "minimum": 1, "x-in": "pages"}}}}
