# skip_result_postprocessing
"""Delete rollout (cannot be undone).

DELETE /v2/projects/{project_id}/endpoints/{endpoint_id}/rollouts/{rollout_id}

Removes the record of a rollout for good. An active one must be completed or cancelled
first.

Returns: an empty object; the deployments and the traffic split stay as they are.

Example arguments:
    {"endpoint_id": "ep_Qm7Zt9LwXc4B", "rollout_id": "rol_H8wYp3KcN5vT"}

Rendered from schemas/endpoints/delete_rollout.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(
    auth: togetherai,
    endpoint_id: str,
    rollout_id: str,
    project_id: str | None = None,
    etag: str | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        endpoint_id=endpoint_id,
        rollout_id=rollout_id,
        project_id=project_id,
        etag=etag,
    )


# fmt: off
OPERATION = {"method": "DELETE", "path": "/v2/projects/{project_id}/endpoints/{endpoint_id}/rollouts/{rollout_id}",
  "retry": "mutates", "find": "endpoints/get_rollout", "arguments": {"required": ["endpoint_id", "rollout_id"],
    "properties": {
      "endpoint_id": {"type": "string", "x-in": "path"},
      "rollout_id": {"type": "string", "x-in": "path"},
      "project_id": {"type": "string", "x-in": "path"},
      "etag": {"type": "string", "x-in": "query"}}}}
