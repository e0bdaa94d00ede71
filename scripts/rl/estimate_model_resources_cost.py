# skip_result_postprocessing
"""Estimate model resources cost (beta).

POST /v1/rl/model-resources/estimate-cost

Tells the price per hour of model resources without reserving anything. Give the same
settings as for rl/create_model_resources.

Returns: price_per_hour and currency.

Example arguments:
    {"body": {"base_model": "openai/gpt-oss-120b"}}

Rendered from schemas/rl/estimate_model_resources_cost.json; edit that, not this.
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
OPERATION = {"method": "POST", "path": "/v1/rl/model-resources/estimate-cost", "retry": "read",
  "arguments": {"required": ["body"], "properties": {
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
