# skip_result_postprocessing
"""Submit queue job.

POST /v1/queue/submit

Puts work into the queue of a container deployment and returns at once; a worker picks
it up later. The deployment must exist first.

Returns: requestId of the new job; together with the model it goes to
queue/get_queue_job_status.

Example arguments:
    {"body": {"model": "acme/video-upscaler", "payload": {"video_url":
    "https://example.com/clip.mp4"}}}

Rendered from schemas/queue/submit_queue_job.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NotRequired, TypedDict

    class Body(TypedDict):
        model: str
        payload: dict
        priority: NotRequired[int]
        info: NotRequired[dict]


def main(auth: togetherai, body: "Body"):
    return run(call, auth, OPERATION, body=body)


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/queue/submit", "retry": "creates", "arguments": {"required": ["body"],
    "properties": {
      "body": {"type": "object", "required": ["model", "payload"], "properties": {
          "model": {"type": "string"},
          "payload": {"type": "object"},
          "priority": {"type": "integer"},
          "info": {"type": "object"}}}}}}
