# skip_result_postprocessing
"""List deployment revisions.

GET /v1/deployments/{deployment_id}/revisions

Lists how a container deployment changed over time, newest first: creations, updates,
rollbacks and changes by the platform. Only the last 200 events are kept.

Returns: an object whose data holds the events; revision_id or revision_number goes to
deployments/rollback_deployment, and the smallest event_number as before to the next
page.

Example arguments:
    {"deployment_id": "speech-worker"}

Rendered from schemas/deployments/list_deployment_revisions.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(
    auth: togetherai,
    deployment_id: str,
    before: int | None = None,
    limit: int | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        deployment_id=deployment_id,
        before=before,
        limit=limit,
    )


# fmt: off
OPERATION = {"method": "GET", "path": "/v1/deployments/{deployment_id}/revisions", "retry": "read",
  "arguments": {"required": ["deployment_id"], "properties": {
      "deployment_id": {"type": "string", "x-in": "path"},
      "before": {"type": "integer", "x-in": "query"},
      "limit": {"type": "integer", "x-in": "query"}}}}
