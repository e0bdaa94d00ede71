# skip_result_postprocessing
"""Update endpoint (ends with 2026).

PATCH /v1/endpoints/{endpoint_id}

Stops, resizes or relabels a version 1 dedicated endpoint. One that is stopped cannot be
started again: use endpoints/deploy_model. Stopping ends the cost; what is left empty
stays as it is.

Returns: the endpoint as changed; follow state with endpoints/get_endpoint until it is
STARTED or STOPPED.

Example arguments:
    {"endpoint_id": "endpoint-3e7b1c94-58d2-4f6a-9b03-c41d8a72e65f", "body": {"state":
    "STOPPED"}}

Rendered from schemas/endpoints/update_endpoint.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, NotRequired, TypedDict

    class Autoscaling(TypedDict):
        min_replicas: int
        max_replicas: int

    class Body(TypedDict):
        state: NotRequired[Literal["STARTED", "STOPPED"]]
        autoscaling: NotRequired[Autoscaling]
        inactive_timeout: NotRequired[int | None]
        display_name: NotRequired[str]


def main(auth: togetherai, endpoint_id: str, body: "Body" = None):
    return run(call, auth, OPERATION, endpoint_id=endpoint_id, body=body)


# fmt: off
OPERATION = {"method": "PATCH", "path": "/v1/endpoints/{endpoint_id}", "retry": "mutates",
  "find": "endpoints/get_endpoint", "arguments": {"required": ["endpoint_id"], "properties": {
      "endpoint_id": {"type": "string", "x-in": "path"},
      "body": {"type": "object", "properties": {
          "state": {"type": "string", "enum": ["STARTED", "STOPPED"]},
          "autoscaling": {"type": "object", "required": ["min_replicas", "max_replicas"], "x-choice": True,
            "properties": {"min_replicas": {"type": "integer"}, "max_replicas": {"type": "integer"}}},
          "inactive_timeout": {"type": ["integer", "null"], "x-choice": True},
          "display_name": {"type": "string"}}}}}}
