# skip_result_postprocessing
"""Create model resources (beta) (costs money).

POST /v1/rl/model-resources

Reserves GPUs and loads a base model on them, the first step of reinforcement learning.
They cost money until rl/stop_model_resources or the inactivity timeout; see the price
first with rl/estimate_model_resources_cost. Wait for the state READY with
rl/get_model_resources.

Returns: the model resources; their id goes to rl/get_model_resources and
rl/create_training_session, status tells the state.

Example arguments:
    {"body": {"base_model": "openai/gpt-oss-120b"}}

Rendered from schemas/rl/create_model_resources.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NotRequired, TypedDict

    class ComputeConfig(TypedDict):
        gpu_type: NotRequired[str]
        num_generator_replicas: NotRequired[int]

    class Muon(TypedDict):
        scaling_strategy: NotRequired[str]

    class OptimizerConfig(TypedDict):
        adam: NotRequired[dict]
        muon: NotRequired[Muon]

    class Body(TypedDict):
        base_model: str
        lora_enabled: NotRequired[bool]
        compute_config: NotRequired[ComputeConfig]
        inactive_timeout: NotRequired[int]
        optimizer_config: NotRequired[OptimizerConfig]
        base_weights_ref: NotRequired[str]


def main(auth: togetherai, body: "Body"):
    return run(call, auth, OPERATION, body=body)


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/rl/model-resources", "retry": "creates",
  "find": "rl/list_model_resources", "arguments": {"required": ["body"], "properties": {
      "body": {"type": "object", "required": ["base_model"], "properties": {
          "base_model": {"type": "string"},
          "lora_enabled": {"type": "boolean"},
          "compute_config": {"type": "object", "x-choice": True, "properties": {
              "gpu_type": {"type": "string"}, "num_generator_replicas": {"type": "integer"}}},
          "inactive_timeout": {"type": "integer"},
          "optimizer_config": {"type": "object", "x-choice": True, "properties": {
              "adam": {"type": "object", "properties": {}},
              "muon": {"type": "object", "properties": {
                  "scaling_strategy": {"type": "string", "enum": ["MUON_SCALING_STRATEGY_UNSPECIFIED",
                      "MUON_SCALING_STRATEGY_MATCH_ADAM", "MUON_SCALING_STRATEGY_ORIGINAL"]}}}},
            "x-groups": {"optimizer": {"Adam": "adam", "Muon": "muon"}}},
          "base_weights_ref": {"type": "string"}}}}}}
