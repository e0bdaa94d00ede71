# skip_result_postprocessing
"""Get rollout.

GET /v2/projects/{project_id}/endpoints/{endpoint_id}/rollouts/{rollout_id}

Shows how far a rollout is, step by step, and how its metric checks went. Use it to wait
for the end.

Returns: the rollout; state ends with ROLLOUT_STATE_COMPLETED or ROLLOUT_STATE_CANCELED,
currentTrafficPercent shows the progress, and etag goes to pause, resume, promote or
cancel.

Example arguments:
    {"endpoint_id": "ep_Qm7Zt9LwXc4B", "rollout_id": "rol_H8wYp3KcN5vT"}

Rendered from schemas/endpoints/get_rollout.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(
    auth: togetherai,
    endpoint_id: str,
    rollout_id: str,
    project_id: str | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        endpoint_id=endpoint_id,
        rollout_id=rollout_id,
        project_id=project_id,
    )


# fmt: off
OPERATION = {"method": "GET", "path": "/v2/projects/{project_id}/endpoints/{endpoint_id}/rollouts/{rollout_id}",
  "retry": "read", "arguments": {"required": ["endpoint_id", "rollout_id"], "properties": {
      "endpoint_id": {"type": "string", "x-in": "path"},
      "rollout_id": {"type": "string", "x-in": "path"},
      "project_id": {"type": "string", "x-in": "path"}}}}
