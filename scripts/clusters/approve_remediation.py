# skip_result_postprocessing
"""Approve remediation.

POST /v1/compute/clusters/{cluster_id}/instances/{instance_id}/remediations/{remediation
_id}/approve

Lets a repair that the service proposed go ahead. Only works in state PENDING_APPROVAL;
work on the node is interrupted.

Returns: the remediation, now PENDING, with reviewed_by, review_time and review_comment;
follow it with Get remediation.

Example arguments:
    {"cluster_id": "a1b2c3d4-5e6f-4a70-8b91-c2d3e4f5a6b7", "instance_id":
    "7c9e6679-7425-40de-944b-e07fc1f90ae7", "remediation_id":
    "3f2504e0-4f89-41d3-9a0c-0305e82c3301"}

Rendered from schemas/clusters/approve_remediation.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NotRequired, TypedDict

    class Body(TypedDict):
        comment: NotRequired[str]
        mode: NotRequired[str]


def main(
    auth: togetherai,
    cluster_id: str,
    instance_id: str,
    remediation_id: str,
    body: "Body" = None,
):
    return run(
        call,
        auth,
        OPERATION,
        cluster_id=cluster_id,
        instance_id=instance_id,
        remediation_id=remediation_id,
        body=body,
    )


# fmt: off
OPERATION = {"method": "POST",
  "path": "/v1/compute/clusters/{cluster_id}/instances/{instance_id}/remediations/{remediation_id}/approve",
  "retry": "mutates", "find": "clusters/get_remediation", "arguments": {"required": ["cluster_id", "instance_id",
      "remediation_id"],
    "properties": {
      "cluster_id": {"type": "string", "x-in": "path"},
      "instance_id": {"type": "string", "x-in": "path"},
      "remediation_id": {"type": "string", "x-in": "path"},
      "body": {"type": "object", "properties": {
          "comment": {"type": "string"},
          "mode": {"type": "string", "enum": ["REMEDIATION_MODE_VM_ONLY", "REMEDIATION_MODE_HOST_AWARE",
              "REMEDIATION_MODE_EVICT_WITHOUT_REPLACEMENT", "REMEDIATION_MODE_REBOOT_VM",
              "REMEDIATION_MODE_HOST_POWER_CYCLE"]}}}}}}
