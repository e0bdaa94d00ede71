# skip_result_postprocessing
"""List remediations.

GET /v1/compute/clusters/{cluster_id}/instances/{instance_id}/remediations

Lists the repairs of one GPU node, or of a whole cluster when the instance ID is a
single hyphen. Use it to find repairs that wait for your approval.

Returns: the remediations with id, state and mode; while has_next is true, pass
next_page_token as the page token of the next call.

Example arguments:
    {"cluster_id": "a1b2c3d4-5e6f-4a70-8b91-c2d3e4f5a6b7", "instance_id": "-"}

Rendered from schemas/clusters/list_remediations.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(
    auth: togetherai,
    cluster_id: str,
    instance_id: str,
    mode: list[str] | None = None,
    order_by: str | None = None,
    page_size: int | None = None,
    page_token: str | None = None,
    state: list[str] | None = None,
    trigger: list[str] | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        cluster_id=cluster_id,
        instance_id=instance_id,
        mode=mode,
        order_by=order_by,
        page_size=page_size,
        page_token=page_token,
        state=state,
        trigger=trigger,
    )


# fmt: off
OPERATION = {"method": "GET", "path": "/v1/compute/clusters/{cluster_id}/instances/{instance_id}/remediations",
  "retry": "read", "arguments": {"required": ["cluster_id", "instance_id"], "properties": {
      "cluster_id": {"type": "string", "x-in": "path"},
      "instance_id": {"type": "string", "x-in": "path"},
      "mode": {"type": "array", "x-in": "query", "items": {"type": "string", "enum": ["REMEDIATION_MODE_VM_ONLY",
            "REMEDIATION_MODE_HOST_AWARE", "REMEDIATION_MODE_EVICT_WITHOUT_REPLACEMENT",
            "REMEDIATION_MODE_REBOOT_VM", "REMEDIATION_MODE_HOST_POWER_CYCLE"]}},
      "order_by": {"type": "string", "x-in": "query"},
      "page_size": {"type": "integer", "x-in": "query"},
      "page_token": {"type": "string", "x-in": "query"},
      "state": {"type": "array", "x-in": "query", "items": {"type": "string"}},
      "trigger": {"type": "array", "x-in": "query", "items": {"type": "string", "enum": ["REMEDIATION_TRIGGER_MANUAL",
            "REMEDIATION_TRIGGER_AUTOMATED"]}}}}}
