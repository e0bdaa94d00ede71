# skip_result_postprocessing
"""Get queue metrics.

GET /v1/queue/metrics

Shows how long the queue of a deployed model is. Use it to decide whether more workers
are needed.

Returns: counts: messages_waiting, messages_running and total_jobs.

Example arguments:
    {"model": "acme/video-upscaler"}

Rendered from schemas/queue/get_queue_metrics.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, model: str):
    return run(call, auth, OPERATION, model=model)


OPERATION = {
    "method": "GET",
    "path": "/v1/queue/metrics",
    "retry": "read",
    "arguments": {
        "required": ["model"],
        "properties": {"model": {"type": "string", "x-in": "query"}},
    },
}
