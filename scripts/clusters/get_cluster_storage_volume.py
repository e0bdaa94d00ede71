# skip_result_postprocessing
"""Get cluster storage volume.

GET /v1/compute/clusters/storage/volumes/{volume_id}

Reads the size and state of one shared volume. Use it after creating or resizing a
volume to see when it can be used.

Returns: the volume: volume_id, volume_name, size_tib and status (available means free,
bound means in use).

Example arguments:
    {"volume_id": "b5c6d7e8-9f01-4a23-8b45-6c7d8e9f0a1b"}

Rendered from schemas/clusters/get_cluster_storage_volume.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, volume_id: str):
    return run(call, auth, OPERATION, volume_id=volume_id)


OPERATION = {
    "method": "GET",
    "path": "/v1/compute/clusters/storage/volumes/{volume_id}",
    "retry": "read",
    "arguments": {
        "required": ["volume_id"],
        "properties": {"volume_id": {"type": "string", "x-in": "path"}},
    },
}
