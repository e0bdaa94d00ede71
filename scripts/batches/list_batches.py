# skip_result_postprocessing
"""List batches.

GET /v1/batches

Shows all your batches in one go, running and finished ones. Use it to find a batch ID.

Returns: a plain list of batches, not wrapped; the id of one goes to batches/get_batch
or batches/cancel_batch.

Rendered from schemas/batches/list_batches.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai):
    return run(call, auth, OPERATION)


OPERATION = {
    "method": "GET",
    "path": "/v1/batches",
    "retry": "read",
    "arguments": {"properties": {}},
}
