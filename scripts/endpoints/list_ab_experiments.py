# skip_result_postprocessing
"""List A/B experiments (beta).

GET /v2/projects/{project_id}/endpoints/{endpoint_id}/abExperiments

Lists the A/B experiments of an endpoint. Use it to find the id of one or to see which
deployments take part.

Returns: a page of experiments in data; each id goes to endpoints/get_ab_experiment, and
next_cursor goes to after for the next page.

Example arguments:
    {"endpoint_id": "ep_Qm7Zt9LwXc4B"}

Rendered from schemas/endpoints/list_ab_experiments.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(
    auth: togetherai,
    endpoint_id: str,
    project_id: str | None = None,
    after: str | None = None,
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
        limit=limit,
        max_pages=max_pages,
    )


# fmt: off
OPERATION = {"method": "GET", "path": "/v2/projects/{project_id}/endpoints/{endpoint_id}/abExperiments",
  "retry": "read", "pages": "cursor", "arguments": {"required": ["endpoint_id"], "properties": {
      "endpoint_id": {"type": "string", "x-in": "path"},
      "project_id": {"type": "string", "x-in": "path"},
      "after": {"type": "string", "x-in": "query"},
      "limit": {"type": "integer", "x-in": "query"},
      "max_pages": {"type": "integer", "minimum": 1, "x-in": "pages"}}}}
