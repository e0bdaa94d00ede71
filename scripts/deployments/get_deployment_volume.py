# skip_result_postprocessing
"""Get deployment volume.

GET /v1/deployments/storage/volumes/{volume_id}

Reads one volume: its files, its versions and the deployments that mount it. Use it to
wait until files copied from S3 are ready.

Returns: the volume; status is ready, pending, syncing or failed, current_version is the
newest number and mounted_by names the deployments.

Example arguments:
    {"volume_id": "speech-weights"}

Rendered from schemas/deployments/get_deployment_volume.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, volume_id: str, version: int | None = None):
    return run(call, auth, OPERATION, volume_id=volume_id, version=version)


OPERATION = {
    "method": "GET",
    "path": "/v1/deployments/storage/volumes/{volume_id}",
    "retry": "read",
    "arguments": {
        "required": ["volume_id"],
        "properties": {
            "volume_id": {"type": "string", "x-in": "path"},
            "version": {"type": "integer", "x-in": "query"},
        },
    },
}
