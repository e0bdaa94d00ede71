# skip_result_postprocessing
"""Create remediation.

POST /v1/compute/clusters/{cluster_id}/instances/{instance_id}/remediations

Starts the repair of an unhealthy GPU node by rebooting, replacing or removing it; no
approval is needed. Work running on the node is interrupted, and data on a replaced
machine is lost.

Returns: the remediation, in state PENDING; its id goes to Get remediation, or to Cancel
remediation before it starts.

Example arguments:
    {"cluster_id": "a1b2c3d4-5e6f-4a70-8b91-c2d3e4f5a6b7", "instance_id":
    "7c9e6679-7425-40de-944b-e07fc1f90ae7", "body": {"mode":
    "REMEDIATION_MODE_REBOOT_VM"}}

API reference: https://docs.together.ai/reference/remediation-create
Rendered from schemas/clusters/create_remediation.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NotRequired, TypedDict

    class Body(TypedDict):
        mode: str
        reason: NotRequired[str]


def main(auth: togetherai, cluster_id: str, instance_id: str, body: "Body"):
    return run(
        call,
        auth,
        OPERATION,
        cluster_id=cluster_id,
        instance_id=instance_id,
        body=body,
    )


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/compute/clusters/{cluster_id}/instances/{instance_id}/remediations",
  "retry": "creates", "find": "clusters/list_remediations", "arguments": {"required": ["cluster_id", "instance_id",
      "body"],
    "properties": {
      "cluster_id": {"type": "string", "x-in": "path"},
      "instance_id": {"type": "string", "x-in": "path"},
      "body": {"type": "object", "required": ["mode"], "properties": {
          "mode": {"type": "string", "enum": ["REMEDIATION_MODE_VM_ONLY", "REMEDIATION_MODE_HOST_AWARE",
              "REMEDIATION_MODE_EVICT_WITHOUT_REPLACEMENT", "REMEDIATION_MODE_REBOOT_VM",
              "REMEDIATION_MODE_HOST_POWER_CYCLE"]},
          "reason": {"type": "string"}}}}}}
