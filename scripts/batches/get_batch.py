# skip_result_postprocessing
"""Get batch.

GET /v1/batches/{batch_id}

Shows how far a batch is. Repeat it until status is COMPLETED, FAILED, EXPIRED or
CANCELLED.

Returns: the batch with status and progress (0 to 100); when finished, output_file_id
and error_file_id go to files/download_file.

Example arguments:
    {"batch_id": "2d6f0b1e-8c4a-4f7d-9b35-6a1e0c9d8f72"}

Rendered from schemas/batches/get_batch.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, batch_id: str):
    return run(call, auth, OPERATION, batch_id=batch_id)


OPERATION = {
    "method": "GET",
    "path": "/v1/batches/{batch_id}",
    "retry": "read",
    "arguments": {
        "required": ["batch_id"],
        "properties": {"batch_id": {"type": "string", "x-in": "path"}},
    },
}
