# skip_result_postprocessing
"""Delete cluster storage volume (cannot be undone).

DELETE /v1/compute/clusters/storage/volumes/{volume_id}

Deletes a shared volume with all its files. It fails while the volume is attached to a
cluster, so delete that cluster first.

Returns: the member success, true when the volume was deleted.

Example arguments:
    {"volume_id": "b5c6d7e8-9f01-4a23-8b45-6c7d8e9f0a1b"}

API reference: https://docs.together.ai/reference/clusters_storages-delete
Rendered from schemas/clusters/delete_cluster_storage_volume.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, volume_id: str):
    return run(call, auth, OPERATION, volume_id=volume_id)


OPERATION = {
    "method": "DELETE",
    "path": "/v1/compute/clusters/storage/volumes/{volume_id}",
    "retry": "mutates",
    "find": "clusters/get_cluster_storage_volume",
    "arguments": {
        "required": ["volume_id"],
        "properties": {"volume_id": {"type": "string", "x-in": "path"}},
    },
}
