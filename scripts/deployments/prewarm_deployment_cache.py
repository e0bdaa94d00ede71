# skip_result_postprocessing
"""Prewarm deployment cache.

POST /v1/deployments/prewarm

Asks the platform to fetch images and a volume in advance, so that replicas start
sooner. It is only a help: when it fails, deployments still work.

Returns: an answer without stated members; nothing in it is needed later.

Example arguments:
    {"body": {}}

Rendered from schemas/deployments/prewarm_deployment_cache.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NotRequired, TypedDict

    class Body(TypedDict):
        volume: NotRequired[str]
        images: NotRequired[list[str]]


def main(auth: togetherai, body: "Body" = None):
    return run(call, auth, OPERATION, body=body)


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/deployments/prewarm", "retry": "mutates", "reply": "none",
  "arguments": {
    "properties": {
      "body": {"type": "object", "properties": {
          "volume": {"type": "string"}, "images": {"type": "array", "items": {"type": "string"}}}}}}}
