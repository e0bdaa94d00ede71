# skip_result_postprocessing
"""List cluster regions.

GET /v1/compute/regions

Shows where GPU clusters can be created, with the GPU types and NVIDIA software of each
region. Run it before Create cluster or Create cluster storage volume.

Returns: the regions, each with its name, supported_instance_types (GPU types) and
driver_versions, whose id is the NVIDIA version ID for Create cluster.

Rendered from schemas/clusters/list_cluster_regions.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai):
    return run(call, auth, OPERATION)


OPERATION = {
    "method": "GET",
    "path": "/v1/compute/regions",
    "retry": "read",
    "arguments": {"properties": {}},
}
