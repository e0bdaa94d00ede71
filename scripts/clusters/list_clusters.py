# skip_result_postprocessing
"""List clusters.

GET /v1/compute/clusters

Lists your GPU clusters with their state and nodes. Use it to find the cluster_id that
other cluster operations need.

Returns: the clusters, each with cluster_id, cluster_name, status and gpu_worker_nodes;
kube_config gives access to a cluster, so treat the answer as secret.

API reference: https://docs.together.ai/reference/clusters-list
Rendered from schemas/clusters/list_clusters.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, projectId: str | None = None):
    return run(call, auth, OPERATION, projectId=projectId)


OPERATION = {
    "method": "GET",
    "path": "/v1/compute/clusters",
    "retry": "read",
    "arguments": {"properties": {"projectId": {"type": "string", "x-in": "query"}}},
}
