# skip_result_postprocessing
"""Start rollout.

POST /v2/projects/{project_id}/endpoints/{endpoint_id}/rollouts/{rollout_id}/start

Begins a prepared rollout: from now on live traffic moves to the target deployment. It
must have been made with Create rollout and still be pending.

Returns: the rollout, now running; follow state with endpoints/get_rollout.

Example arguments:
    {"endpoint_id": "ep_Qm7Zt9LwXc4B", "rollout_id": "rol_H8wYp3KcN5vT"}

Rendered from schemas/endpoints/start_rollout.json; edit that, not this.
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
OPERATION = {"method": "POST",
  "path": "/v2/projects/{project_id}/endpoints/{endpoint_id}/rollouts/{rollout_id}/start", "retry": "mutates",
  "find": "endpoints/get_rollout", "arguments": {"required": ["endpoint_id", "rollout_id"],
    "properties": {
      "endpoint_id": {"type": "string", "x-in": "path"},
      "rollout_id": {"type": "string", "x-in": "path"},
      "project_id": {"type": "string", "x-in": "path"}}}}
