# skip_result_postprocessing
"""Cancel rollout.

POST /v2/projects/{project_id}/endpoints/{endpoint_id}/rollouts/{rollout_id}/cancel

Gives up a rollout and leaves the traffic divided as it is at that moment. To go back,
create a rollout in the other direction or set the traffic split with Update project
endpoint.

Returns: the rollout as accepted for cancelling; ask endpoints/get_rollout until state
is ROLLOUT_STATE_CANCELED.

Example arguments:
    {"endpoint_id": "ep_Qm7Zt9LwXc4B", "rollout_id": "rol_H8wYp3KcN5vT", "body":
    {"reason": "New model answers too slowly"}}

Rendered from schemas/endpoints/cancel_rollout.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NotRequired, TypedDict

    class Body(TypedDict):
        reason: str
        disposition: NotRequired[str]
        etag: NotRequired[str]


def main(
    auth: togetherai,
    endpoint_id: str,
    rollout_id: str,
    body: "Body",
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
  "path": "/v2/projects/{project_id}/endpoints/{endpoint_id}/rollouts/{rollout_id}/cancel", "retry": "mutates",
  "find": "endpoints/get_rollout", "arguments": {"required": ["endpoint_id", "rollout_id", "body"],
    "properties": {
      "endpoint_id": {"type": "string", "x-in": "path"},
      "rollout_id": {"type": "string", "x-in": "path"},
      "body": {"type": "object", "required": ["reason"], "properties": {
          "reason": {"type": "string"},
          "disposition": {"type": "string", "enum": ["CANCEL_DISPOSITION_FREEZE", "CANCEL_DISPOSITION_REVERT"]},
          "etag": {"type": "string"}}},
      "project_id": {"type": "string", "x-in": "path"}}}}
