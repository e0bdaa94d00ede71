# skip_result_postprocessing
"""List project endpoint events.

GET /v2/projects/{project_id}/endpoints/{endpoint_id}/events

Lists what happened to an endpoint and its deployments, newest first: changes,
provisioning, scaling, readiness, rollouts. Use it to find out why something does not
run.

Returns: a page of events in data with type, level and message; next_cursor goes to
after for the next page.

Example arguments:
    {"endpoint_id": "ep_Qm7Zt9LwXc4B"}

Rendered from schemas/endpoints/list_project_endpoint_events.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(
    auth: togetherai,
    endpoint_id: str,
    project_id: str | None = None,
    after: str | None = None,
    deploymentIds: list[str] | None = None,
    limit: int | None = None,
    minLevel: str | None = None,
    since: str | None = None,
    sourceKinds: list[str] | None = None,
    subjectId: str | None = None,
    types: list[str] | None = None,
    until: str | None = None,
    max_pages: int | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        endpoint_id=endpoint_id,
        project_id=project_id,
        after=after,
        deploymentIds=deploymentIds,
        limit=limit,
        minLevel=minLevel,
        since=since,
        sourceKinds=sourceKinds,
        subjectId=subjectId,
        types=types,
        until=until,
        max_pages=max_pages,
    )


# fmt: off
OPERATION = {"method": "GET", "path": "/v2/projects/{project_id}/endpoints/{endpoint_id}/events", "retry": "read",
  "pages": "cursor", "arguments": {"required": ["endpoint_id"], "properties": {
      "endpoint_id": {"type": "string", "x-in": "path"},
      "project_id": {"type": "string", "x-in": "path"},
      "after": {"type": "string", "x-in": "query"},
      "deploymentIds": {"type": "array", "x-in": "query", "items": {"type": "string"}},
      "limit": {"type": "integer", "x-in": "query"},
      "minLevel": {"type": "string", "enum": ["LEVEL_DEBUG", "LEVEL_INFO", "LEVEL_WARN", "LEVEL_ERROR"],
        "x-in": "query"},
      "since": {"type": "string", "x-in": "query"},
      "sourceKinds": {"type": "array", "x-in": "query", "items": {"type": "string", "enum": ["SOURCE_KIND_ENDPOINT",
            "SOURCE_KIND_DEPLOYMENT"]}},
      "subjectId": {"type": "string", "x-in": "query"},
      "types": {"type": "array", "x-in": "query", "items": {"type": "string"}},
      "until": {"type": "string", "x-in": "query"},
      "max_pages": {"type": "integer", "minimum": 1, "x-in": "pages"}}}}
