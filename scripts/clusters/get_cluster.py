# skip_result_postprocessing
"""Get cluster.

GET /v1/compute/clusters/{cluster_id}

Reads the state, nodes, volumes and access data of one GPU cluster. Use it after Create
cluster until the status is Ready.

Returns: the cluster: status, gpu_worker_nodes (their instance_id is needed for
remediations), volumes and kube_config, which gives access and must be kept secret.

Example arguments:
    {"cluster_id": "a1b2c3d4-5e6f-4a70-8b91-c2d3e4f5a6b7"}

Rendered from schemas/clusters/get_cluster.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, cluster_id: str):
    return run(call, auth, OPERATION, cluster_id=cluster_id)


OPERATION = {
    "method": "GET",
    "path": "/v1/compute/clusters/{cluster_id}",
    "retry": "read",
    "arguments": {
        "required": ["cluster_id"],
        "properties": {"cluster_id": {"type": "string", "x-in": "path"}},
    },
}
