# skip_result_postprocessing
"""Get remediation.

GET
/v1/compute/clusters/{cluster_id}/instances/{instance_id}/remediations/{remediation_id}

Reads the progress of one repair of a GPU node. Use it after Create or Approve
remediation until the repair has ended.

Returns: the remediation; state ends as SUCCEEDED, FAILED (see error_message), CANCELLED
or AUTO_RESOLVED.

Example arguments:
    {"cluster_id": "a1b2c3d4-5e6f-4a70-8b91-c2d3e4f5a6b7", "instance_id":
    "7c9e6679-7425-40de-944b-e07fc1f90ae7", "remediation_id":
    "3f2504e0-4f89-41d3-9a0c-0305e82c3301"}

Rendered from schemas/clusters/get_remediation.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, cluster_id: str, instance_id: str, remediation_id: str):
    return run(
        call,
        auth,
        OPERATION,
        cluster_id=cluster_id,
        instance_id=instance_id,
        remediation_id=remediation_id,
    )


# fmt: off
OPERATION = {"method": "GET",
  "path": "/v1/compute/clusters/{cluster_id}/instances/{instance_id}/remediations/{remediation_id}", "retry": "read",
  "arguments": {"required": ["cluster_id", "instance_id", "remediation_id"], "properties": {
      "cluster_id": {"type": "string", "x-in": "path"},
      "instance_id": {"type": "string", "x-in": "path"},
      "remediation_id": {"type": "string", "x-in": "path"}}}}
