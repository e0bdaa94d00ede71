# skip_result_postprocessing
"""Clear queue (cannot be undone).

POST /v1/queue/clear

Cancels every waiting job of a deployed model at once. Jobs that are already running go
on.

Returns: canceled_count, the number of jobs that were taken out.

Example arguments:
    {"body": {"model": "acme/video-upscaler"}}

Rendered from schemas/queue/clear_queue.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypedDict

    class Body(TypedDict):
        model: str


def main(auth: togetherai, body: "Body"):
    return run(call, auth, OPERATION, body=body)


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/queue/clear", "retry": "mutates", "find": "queue/get_queue_metrics",
  "arguments": {"required": ["body"], "properties": {
      "body": {"type": "object", "required": ["model"], "properties": {"model": {"type": "string"}}}}}}
