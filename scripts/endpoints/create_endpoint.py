# skip_result_postprocessing
"""Create endpoint (costs money) (closed: use Deploy model).

POST /v1/endpoints

Starts a model on hardware of your own and bills it for as long as it runs. Take the
hardware id from List hardware. Together creates no endpoints of version 1 any more and
refuses this with 403: use endpoints/deploy_model, or Create project endpoint.

Returns: the endpoint; its id goes to endpoints/get_endpoint, and its name is the model
in inference requests once state is STARTED.

Example arguments:
    {"body": {"model": "meta-llama/Llama-3.3-70B-Instruct-Turbo", "hardware":
    "4x_nvidia_h100_80gb_sxm", "autoscaling": {"min_replicas": 1, "max_replicas": 1}}}

API reference: https://docs.together.ai/reference/createendpoint
Rendered from schemas/endpoints/create_endpoint.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, NotRequired, TypedDict

    class Autoscaling(TypedDict):
        min_replicas: int
        max_replicas: int

    class Body(TypedDict):
        model: str
        hardware: str
        autoscaling: Autoscaling
        display_name: NotRequired[str]
        inactive_timeout: NotRequired[int | None]
        state: NotRequired[Literal["STARTED", "STOPPED"]]
        availability_zone: NotRequired[str]
        disable_speculative_decoding: NotRequired[bool]
        disable_prompt_cache: NotRequired[bool]


def main(auth: togetherai, body: "Body"):
    return run(call, auth, OPERATION, body=body)


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/endpoints", "retry": "creates", "find": "endpoints/list_endpoints",
  "arguments": {"required": ["body"], "properties": {
      "body": {"type": "object", "required": ["model", "hardware", "autoscaling"], "properties": {
          "model": {"type": "string"},
          "hardware": {"type": "string"},
          "autoscaling": {"type": "object", "required": ["min_replicas", "max_replicas"],
            "properties": {"min_replicas": {"type": "integer"}, "max_replicas": {"type": "integer"}}},
          "display_name": {"type": "string"},
          "inactive_timeout": {"type": ["integer", "null"], "x-choice": True},
          "state": {"type": "string", "enum": ["STARTED", "STOPPED"]},
          "availability_zone": {"type": "string"},
          "disable_speculative_decoding": {"type": "boolean"},
          "disable_prompt_cache": {"type": "boolean"}},
        "x-advanced": True}}}}
