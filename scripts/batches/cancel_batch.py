# skip_result_postprocessing
"""Cancel batch.

POST /v1/batches/{batch_id}/cancel

Stops a batch that is not finished yet. Needs the ID from Create batch or List batches;
finished ones stay as they are.

Returns: the batch after the request; status becomes CANCELLED.

Example arguments:
    {"batch_id": "2d6f0b1e-8c4a-4f7d-9b35-6a1e0c9d8f72"}

Rendered from schemas/batches/cancel_batch.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, batch_id: str):
    return run(call, auth, OPERATION, batch_id=batch_id)


OPERATION = {
    "method": "POST",
    "path": "/v1/batches/{batch_id}/cancel",
    "retry": "mutates",
    "find": "batches/get_batch",
    "arguments": {
        "required": ["batch_id"],
        "properties": {"batch_id": {"type": "string", "x-in": "path"}},
    },
}
