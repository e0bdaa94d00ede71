# skip_result_postprocessing
"""List deployment volumes.

GET /v1/deployments/storage/volumes

Lists all volumes of the project that container deployments can mount, in one answer.

Returns: an object whose data holds the volumes; each name goes into volumes of a
deployment, each id to deployments/get_deployment_volume.

Rendered from schemas/deployments/list_deployment_volumes.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai):
    return run(call, auth, OPERATION)


OPERATION = {
    "method": "GET",
    "path": "/v1/deployments/storage/volumes",
    "retry": "read",
    "arguments": {"properties": {}},
}
