# skip_result_postprocessing
"""Get model resources (beta).

GET /v1/rl/model-resources/{model_resources_id}

Shows the state of reserved GPUs. Use it to wait until they are READY, after which
sessions can be created on them, or to see when they expire. STOPPED and ERROR are
final.

Returns: the model resources; status tells the state, expires_at when they end without
further use, error what went wrong. While waiting, status_details.queue_position may
tell the place in the queue.

Example arguments:
    {"model_resources_id": "5f2e8a60-1d47-4b93-a7c8-3e9d0b6f1a24"}

Rendered from schemas/rl/get_model_resources.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, model_resources_id: str):
    return run(call, auth, OPERATION, model_resources_id=model_resources_id)


OPERATION = {
    "method": "GET",
    "path": "/v1/rl/model-resources/{model_resources_id}",
    "retry": "read",
    "arguments": {
        "required": ["model_resources_id"],
        "properties": {"model_resources_id": {"type": "string", "x-in": "path"}},
    },
}
