# skip_result_postprocessing
"""Cancel queue job.

POST /v1/queue/cancel

Takes back a queued job that no worker has picked up yet. Running and finished jobs
cannot be stopped and give an error.

Returns: the status of the job: canceled on success.

Example arguments:
    {"body": {"model": "acme/video-upscaler", "request_id":
    "b0e3c7d9-1a52-4f68-8d04-7c9e2f6a5b31"}}

Rendered from schemas/queue/cancel_queue_job.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypedDict

    class Body(TypedDict):
        model: str
        request_id: str


def main(auth: togetherai, body: "Body"):
    return run(call, auth, OPERATION, body=body)


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/queue/cancel", "retry": "mutates", "find": "queue/get_queue_job_status",
  "arguments": {"required": ["body"], "properties": {
      "body": {"type": "object", "required": ["model", "request_id"], "properties": {
          "model": {"type": "string"}, "request_id": {"type": "string"}}}}}}
