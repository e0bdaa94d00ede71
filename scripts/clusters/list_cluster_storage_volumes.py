# skip_result_postprocessing
"""List cluster storage volumes.

GET /v1/compute/clusters/storage/volumes

Lists the shared volumes for GPU clusters. Use it to find the volume_id for Create
cluster or for changing a volume.

Returns: the volumes, each with volume_id, volume_name, size_tib and status (available
means free, bound means in use).

API reference: https://docs.together.ai/reference/clusters_storages-list
Rendered from schemas/clusters/list_cluster_storage_volumes.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, projectId: str | None = None):
    return run(call, auth, OPERATION, projectId=projectId)


OPERATION = {
    "method": "GET",
    "path": "/v1/compute/clusters/storage/volumes",
    "retry": "read",
    "arguments": {"properties": {"projectId": {"type": "string", "x-in": "query"}}},
}
