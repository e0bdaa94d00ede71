# skip_result_postprocessing
"""List inference instance types.

GET /v2/public/inference-instance-types

Shows the machines on which models can be deployed, with GPUs, hourly price and regions.

Returns: instance types in data, with gpuType, gpuCount, priceCentsPerHour and regions;
an id goes to hardware/get_inference_instance_type.

Rendered from schemas/hardware/list_inference_instance_types.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai):
    return run(call, auth, OPERATION)


OPERATION = {
    "method": "GET",
    "path": "/v2/public/inference-instance-types",
    "retry": "read",
    "arguments": {"properties": {}},
}
