# skip_result_postprocessing
"""Create cluster storage volume (costs money).

POST /v1/compute/clusters/storage/volumes

Creates a shared volume whose files all nodes of a GPU cluster can use. Attach it by
giving its ID to Create cluster; it costs money until deleted.

Returns: the volume; its volume_id goes to Create cluster once status is available.

Example arguments:
    {"body": {"volume_name": "training-data", "size_tib": 2, "region": "us-central-8"}}

API reference: https://docs.together.ai/reference/clusters_storages-create
Rendered from schemas/clusters/create_cluster_storage_volume.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NotRequired, TypedDict

    class Body(TypedDict):
        volume_name: str
        size_tib: int
        region: str
        is_lifecycle_independent: NotRequired[bool]
        instance_cluster_id: NotRequired[str]
        project_id: NotRequired[str]


def main(auth: togetherai, body: "Body"):
    return run(call, auth, OPERATION, body=body)


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/compute/clusters/storage/volumes", "retry": "creates",
  "find": "clusters/list_cluster_storage_volumes", "arguments": {"required": ["body"], "properties": {
      "body": {"type": "object", "required": ["volume_name", "size_tib", "region"], "properties": {
          "volume_name": {"type": "string"},
          "size_tib": {"type": "integer"},
          "region": {"type": "string"},
          "is_lifecycle_independent": {"type": "boolean"},
          "instance_cluster_id": {"type": "string"},
          "project_id": {"type": "string"}}}}}}
