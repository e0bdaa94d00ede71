# skip_result_postprocessing
"""Get queue job status.

GET /v1/queue/status

Shows how a queued job is doing and, once done, its result. Repeat it until status is
done, failed or canceled.

Returns: the job with status; outputs holds the result, warnings and retries tell what
went wrong on the way.

Example arguments:
    {"request_id": "b0e3c7d9-1a52-4f68-8d04-7c9e2f6a5b31", "model":
    "acme/video-upscaler"}

Rendered from schemas/queue/get_queue_job_status.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, request_id: str, model: str):
    return run(call, auth, OPERATION, request_id=request_id, model=model)


OPERATION = {
    "method": "GET",
    "path": "/v1/queue/status",
    "retry": "read",
    "arguments": {
        "required": ["request_id", "model"],
        "properties": {
            "request_id": {"type": "string", "x-in": "query"},
            "model": {"type": "string", "x-in": "query"},
        },
    },
}
