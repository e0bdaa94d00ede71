# skip_result_postprocessing
"""Get inference instance type.

GET /v2/public/inference-instance-types/{instance_type_id}

Shows one kind of machine: GPUs, memory, price per hour, and the regions with free
capacity.

Returns: the instance type; headroom in regions tells how many are free.

Example arguments:
    {"instance_type_id": "it_Nv1xH100Sxm"}

Rendered from schemas/hardware/get_inference_instance_type.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, instance_type_id: str):
    return run(call, auth, OPERATION, instance_type_id=instance_type_id)


OPERATION = {
    "method": "GET",
    "path": "/v2/public/inference-instance-types/{instance_type_id}",
    "retry": "read",
    "arguments": {
        "required": ["instance_type_id"],
        "properties": {"instance_type_id": {"type": "string", "x-in": "path"}},
    },
}
