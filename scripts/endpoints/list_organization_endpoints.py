# skip_result_postprocessing
"""List organization endpoints.

GET /v2/organizations/{organization_id}/endpoints

Lists the endpoints that projects share with the whole organization (visibility
internal). Private ones are seen only with List project endpoints.

Returns: a page of endpoints in data; name is the model for inference requests, and
next_cursor goes to after for the next page.

Example arguments:
    {"organization_id": "org_4b8d1f6a90c35e27"}

Rendered from schemas/endpoints/list_organization_endpoints.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(
    auth: togetherai,
    organization_id: str,
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
        organization_id=organization_id,
        after=after,
        filter=filter,
        limit=limit,
        orderBy=orderBy,
        max_pages=max_pages,
    )


# fmt: off
OPERATION = {"method": "GET", "path": "/v2/organizations/{organization_id}/endpoints", "retry": "read",
  "pages": "cursor", "arguments": {"required": ["organization_id"], "properties": {
      "organization_id": {"type": "string", "x-in": "path"},
      "after": {"type": "string", "x-in": "query"},
      "filter": {"type": "string", "x-in": "query"},
      "limit": {"type": "integer", "x-in": "query"},
      "orderBy": {"type": "string", "x-in": "query"},
      "max_pages": {"type": "integer", "minimum": 1, "x-in": "pages"}}}}
