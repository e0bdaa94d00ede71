# skip_result_postprocessing
"""Update cluster storage volume.

PUT /v1/compute/clusters/storage/volumes

Resizes a shared volume of GPU clusters. More storage costs more money.

Returns: the volume with its size_tib and status; check it again with Get cluster
storage volume.

Example arguments:
    {"body": {"volume_id": "b5c6d7e8-9f01-4a23-8b45-6c7d8e9f0a1b"}}

API reference: https://docs.together.ai/reference/clusters_storages-update
Rendered from schemas/clusters/update_cluster_storage_volume.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NotRequired, TypedDict

    class Body(TypedDict):
        volume_id: str
        size_tib: NotRequired[int]


def main(auth: togetherai, body: "Body"):
    return run(call, auth, OPERATION, body=body)


# fmt: off
OPERATION = {"method": "PUT", "path": "/v1/compute/clusters/storage/volumes", "retry": "mutates",
  "find": "clusters/get_cluster_storage_volume", "arguments": {"required": ["body"], "properties": {
      "body": {"type": "object", "required": ["volume_id"], "properties": {
          "volume_id": {"type": "string"}, "size_tib": {"type": "integer"}}}}}}
