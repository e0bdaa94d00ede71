# skip_result_postprocessing
"""List hardware (ends with 2026).

GET /v1/hardware

Shows GPUs and prices for dedicated endpoints of the first version. For new endpoints
use hardware/list_inference_instance_types.

Returns: hardware in data; the id of one is what an endpoint of version 1 says of its
hardware, pricing is in cents per minute.

Rendered from schemas/hardware/list_hardware.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, model: str | None = None):
    return run(call, auth, OPERATION, model=model)


OPERATION = {
    "method": "GET",
    "path": "/v1/hardware",
    "retry": "read",
    "arguments": {"properties": {"model": {"type": "string", "x-in": "query"}}},
}
