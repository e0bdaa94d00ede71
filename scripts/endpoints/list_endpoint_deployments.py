# skip_result_postprocessing
"""List endpoint deployments.

GET /v2/projects/{project_id}/endpoints/{endpoint_id}/deployments

Lists the deployments under an endpoint with model, scaling and state. Use it to find
deployment ids and what still runs.

Returns: a page of deployments in data; each id goes to
endpoints/get_endpoint_deployment, and next_cursor goes to after for the next page.

Example arguments:
    {"endpoint_id": "ep_Qm7Zt9LwXc4B"}

Rendered from schemas/endpoints/list_endpoint_deployments.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(
    auth: togetherai,
    endpoint_id: str,
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
        endpoint_id=endpoint_id,
        project_id=project_id,
        after=after,
        filter=filter,
        limit=limit,
        orderBy=orderBy,
        max_pages=max_pages,
    )


# fmt: off
OPERATION = {"method": "GET", "path": "/v2/projects/{project_id}/endpoints/{endpoint_id}/deployments",
  "retry": "read", "pages": "cursor", "arguments": {"required": ["endpoint_id"], "properties": {
      "endpoint_id": {"type": "string", "x-in": "path"},
      "project_id": {"type": "string", "x-in": "path"},
      "after": {"type": "string", "x-in": "query"},
      "filter": {"type": "string", "x-in": "query"},
      "limit": {"type": "integer", "x-in": "query"},
      "orderBy": {"type": "string", "x-in": "query"},
      "max_pages": {"type": "integer", "minimum": 1, "x-in": "pages"}}}}
