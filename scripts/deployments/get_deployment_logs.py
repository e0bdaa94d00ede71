# skip_result_postprocessing
"""Get deployment logs.

GET /v1/deployments/{deployment_id}/logs

Fetches log lines that the replicas of a container deployment wrote. Without filters the
lines of all replicas come together.

Returns: an object whose lines holds the log lines as texts.

Example arguments:
    {"deployment_id": "speech-worker"}

Rendered from schemas/deployments/get_deployment_logs.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(
    auth: togetherai,
    deployment_id: str,
    replica_id: str | None = None,
    revision: str | None = None,
    version: str | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        deployment_id=deployment_id,
        replica_id=replica_id,
        revision=revision,
        version=version,
    )


# fmt: off
OPERATION = {"method": "GET", "path": "/v1/deployments/{deployment_id}/logs", "retry": "read",
  "arguments": {"required": ["deployment_id"], "properties": {
      "deployment_id": {"type": "string", "x-in": "path"},
      "replica_id": {"type": "string", "x-in": "query"},
      "revision": {"type": "string", "x-in": "query"},
      "version": {"type": "string", "x-in": "query"}}}}
