# skip_result_postprocessing
"""Resume rollout.

POST /v2/projects/{project_id}/endpoints/{endpoint_id}/rollouts/{rollout_id}/resume

Goes on with a paused rollout from the step and traffic share where it stopped, also
when the service paused it.

Returns: the rollout, running again; follow state with endpoints/get_rollout.

Example arguments:
    {"endpoint_id": "ep_Qm7Zt9LwXc4B", "rollout_id": "rol_H8wYp3KcN5vT"}

Rendered from schemas/endpoints/resume_rollout.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NotRequired, TypedDict

    class Body(TypedDict):
        etag: NotRequired[str]


def main(
    auth: togetherai,
    endpoint_id: str,
    rollout_id: str,
    body: "Body" = None,
    project_id: str | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        endpoint_id=endpoint_id,
        rollout_id=rollout_id,
        body=body,
        project_id=project_id,
    )


# fmt: off
OPERATION = {"method": "POST",
  "path": "/v2/projects/{project_id}/endpoints/{endpoint_id}/rollouts/{rollout_id}/resume", "retry": "mutates",
  "find": "endpoints/get_rollout", "arguments": {"required": ["endpoint_id", "rollout_id"],
    "properties": {
      "endpoint_id": {"type": "string", "x-in": "path"},
      "rollout_id": {"type": "string", "x-in": "path"},
      "body": {"type": "object", "properties": {"etag": {"type": "string"}}},
      "project_id": {"type": "string", "x-in": "path"}}}}
