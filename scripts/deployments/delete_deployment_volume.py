# skip_result_postprocessing
"""Delete deployment volume (cannot be undone).

DELETE /v1/deployments/storage/volumes/{volume_id}

Removes a volume. First take it out of the deployments named in its mounted_by.

Returns: an object without stated members; success means that the volume is gone.

Example arguments:
    {"volume_id": "speech-weights"}

Rendered from schemas/deployments/delete_deployment_volume.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, volume_id: str):
    return run(call, auth, OPERATION, volume_id=volume_id)


OPERATION = {
    "method": "DELETE",
    "path": "/v1/deployments/storage/volumes/{volume_id}",
    "retry": "mutates",
    "find": "deployments/list_deployment_volumes",
    "arguments": {
        "required": ["volume_id"],
        "properties": {"volume_id": {"type": "string", "x-in": "path"}},
    },
}
