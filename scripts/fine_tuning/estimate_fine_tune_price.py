# skip_result_postprocessing
"""Estimate fine-tune price.

POST /v1/fine-tunes/estimate-price

Tells what a fine-tune job with these settings would cost, without starting or charging
anything. The files must be uploaded and checked already; give a base model or a
checkpoint.

Returns: estimated_total_price and allowed_to_proceed; or estimation_available false
with unavailable_reason, for example while a file is still being checked.

Example arguments:
    {"body": {"training_file": "file-6f8a2c1d-3b47-4f0e-9a55-0c1d2e3f4a5b", "model":
    "Qwen/Qwen3.5-9B"}}

API reference: https://docs.together.ai/reference/post-fine-tunes-estimate-price
Rendered from schemas/fine_tuning/estimate_fine_tune_price.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, NotRequired, TypedDict

    class Full(TypedDict):
        type: Literal["Full"]

    class LoRA(TypedDict):
        type: Literal["Lora"]
        lora_r: int
        lora_alpha: int
        lora_dropout: NotRequired[float]
        lora_trainable_modules: NotRequired[str]

    class SupervisedSFT(TypedDict):
        method: Literal["sft"]
        train_on_inputs: bool | Literal["auto"]

    class PreferencePairsDPO(TypedDict):
        method: Literal["dpo"]
        dpo_beta: NotRequired[float]
        rpo_alpha: NotRequired[float]
        dpo_normalize_logratios_by_length: NotRequired[bool]
        dpo_reference_free: NotRequired[bool]
        simpo_gamma: NotRequired[float]

    class Body(TypedDict):
        training_file: str
        model: NotRequired[str]
        validation_file: NotRequired[str]
        n_epochs: NotRequired[int]
        n_evals: NotRequired[int]
        training_type: NotRequired[Full | LoRA | None]
        training_method: NotRequired[SupervisedSFT | PreferencePairsDPO]
        from_checkpoint: NotRequired[str]


def main(auth: togetherai, body: "Body"):
    return run(call, auth, OPERATION, body=body)


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/fine-tunes/estimate-price", "retry": "read",
  "arguments": {"required": ["body"], "properties": {
      "body": {"type": "object", "required": ["training_file"], "properties": {
          "training_file": {"type": "string"},
          "model": {"type": "string"},
          "validation_file": {"type": "string"},
          "n_epochs": {"type": "integer"},
          "n_evals": {"type": "integer"},
          "training_type": {"x-choice": True, "anyOf": [
              {"type": "object", "required": ["type"], "title": "Full", "properties": {
                  "type": {"type": "string", "enum": ["Full"]}}},
              {"type": "object", "required": ["type", "lora_r", "lora_alpha"], "title": "LoRA",
                "properties": {
                  "type": {"type": "string", "enum": ["Lora"]},
                  "lora_r": {"type": "integer"},
                  "lora_alpha": {"type": "integer"},
                  "lora_dropout": {"type": "number"},
                  "lora_trainable_modules": {"type": "string"}}},
              {"type": "null"}]},
          "training_method": {"x-choice": True, "anyOf": [
              {"type": "object", "required": ["method", "train_on_inputs"], "title": "Supervised (SFT)",
                "properties": {
                  "method": {"type": "string", "enum": ["sft"]},
                  "train_on_inputs": {"anyOf": [
                      {"type": "boolean", "title": "Yes or no"},
                      {"type": "string", "enum": ["auto"], "title": "Automatic"}]}}},
              {"type": "object", "required": ["method"], "title": "Preference pairs (DPO)",
                "properties": {
                  "method": {"type": "string", "enum": ["dpo"]},
                  "dpo_beta": {"type": "number"},
                  "rpo_alpha": {"type": "number"},
                  "dpo_normalize_logratios_by_length": {"type": "boolean"},
                  "dpo_reference_free": {"type": "boolean"},
                  "simpo_gamma": {"type": "number"}}}]},
          "from_checkpoint": {"type": "string"}}}}}}
