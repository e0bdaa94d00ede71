# skip_result_postprocessing
"""Delete cluster (cannot be undone).

DELETE /v1/compute/clusters/{cluster_id}

Takes down a GPU cluster and ends its on-demand costs. Save your data first: what is on
the nodes is lost, and so may be volumes that are not set to outlive the cluster.

Returns: the cluster_id of the cluster being deleted.

Example arguments:
    {"cluster_id": "a1b2c3d4-5e6f-4a70-8b91-c2d3e4f5a6b7"}

API reference: https://docs.together.ai/reference/clusters-delete
Rendered from schemas/clusters/delete_cluster.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, cluster_id: str):
    return run(call, auth, OPERATION, cluster_id=cluster_id)


OPERATION = {
    "method": "DELETE",
    "path": "/v1/compute/clusters/{cluster_id}",
    "retry": "mutates",
    "find": "clusters/get_cluster",
    "arguments": {
        "required": ["cluster_id"],
        "properties": {"cluster_id": {"type": "string", "x-in": "path"}},
    },
}
