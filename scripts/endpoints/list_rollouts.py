# skip_result_postprocessing
"""List rollouts.

GET /v2/projects/{project_id}/endpoints/{endpoint_id}/rollouts

Lists the rollouts of an endpoint, running and past ones. Use it to find the active one
and its id.

Returns: a page of rollouts in data; each id goes to endpoints/get_rollout, and
next_cursor goes to after for the next page.

Example arguments:
    {"endpoint_id": "ep_Qm7Zt9LwXc4B"}

Rendered from schemas/endpoints/list_rollouts.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(
    auth: togetherai,
    endpoint_id: str,
    project_id: str | None = None,
    after: str | None = None,
    filter: str | None = None,
    limit: int | None = None,
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
        max_pages=max_pages,
    )


# fmt: off
OPERATION = {"method": "GET", "path": "/v2/projects/{project_id}/endpoints/{endpoint_id}/rollouts", "retry": "read",
  "pages": "cursor", "arguments": {"required": ["endpoint_id"], "properties": {
      "endpoint_id": {"type": "string", "x-in": "path"},
      "project_id": {"type": "string", "x-in": "path"},
      "after": {"type": "string", "x-in": "query"},
      "filter": {"type": "string", "enum": ["ROLLOUT_FILTER_ACTIVE", "ROLLOUT_FILTER_TERMINAL"], "x-in": "query"},
      "limit": {"type": "integer", "x-in": "query"},
      "max_pages": {"type": "integer", "minimum": 1, "x-in": "pages"}}}}
