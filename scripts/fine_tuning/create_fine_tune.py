# skip_result_postprocessing
"""Create fine-tune job (costs money).

POST /v1/fine-tunes

Starts training a model of your own on an uploaded file. Upload the file first with
purpose fine-tune, and ask Estimate fine-tune price and Get fine-tune model limits
before. Give either a base model or a checkpoint; the job runs for minutes to hours in
the background.

Returns: the job; its id goes to fine_tuning/get_fine_tune, and model_output_name is the
name of the new model.

Example arguments:
    {"body": {"training_file": "file-6f8a2c1d-3b47-4f0e-9a55-0c1d2e3f4a5b", "model":
    "Qwen/Qwen3.5-9B"}}

API reference: https://docs.together.ai/reference/post-fine-tunes
Rendered from schemas/fine_tuning/create_fine_tune.json; edit that, not this.
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

    class Linear(TypedDict):
        min_lr_ratio: NotRequired[float]

    class Cosine(TypedDict):
        min_lr_ratio: float
        num_cycles: float

    class LrScheduler(TypedDict):
        lr_scheduler_type: Literal["linear", "cosine"]
        lr_scheduler_args: NotRequired[Linear | Cosine]

    class MultimodalParams(TypedDict):
        train_vision: NotRequired[bool]

    class Body(TypedDict):
        training_file: str
        model: NotRequired[str]
        validation_file: NotRequired[str]
        suffix: NotRequired[str]
        n_epochs: NotRequired[int]
        learning_rate: NotRequired[float]
        training_type: NotRequired[Full | LoRA | None]
        batch_size: NotRequired[int | Literal["max"]]
        training_method: NotRequired[SupervisedSFT | PreferencePairsDPO]
        n_checkpoints: NotRequired[int]
        n_evals: NotRequired[int]
        from_checkpoint: NotRequired[str]
        max_seq_length: NotRequired[int]
        packing: NotRequired[bool]
        lr_scheduler: NotRequired[LrScheduler]
        warmup_ratio: NotRequired[float]
        weight_decay: NotRequired[float]
        max_grad_norm: NotRequired[float]
        gradient_accumulation_steps: NotRequired[int]
        random_seed: NotRequired[int | None]
        early_stopping_enabled: NotRequired[bool]
        early_stopping_patience: NotRequired[int]
        early_stopping_min_delta: NotRequired[float]
        early_stopping_warmup_evals: NotRequired[int]
        multimodal_params: NotRequired[MultimodalParams]
        wandb_key: NotRequired[str]
        wandb_project_name: NotRequired[str]
        wandb_name: NotRequired[str]
        wandb_entity: NotRequired[str]
        wandb_base_url: NotRequired[str]
        from_hf_model: NotRequired[str]
        hf_model_revision: NotRequired[str]
        hf_api_token: NotRequired[str]
        hf_output_repo_name: NotRequired[str]
        wandb_api_key: NotRequired[str]
        train_on_inputs: NotRequired[bool | Literal["auto"]]


def main(auth: togetherai, body: "Body"):
    return run(call, auth, OPERATION, body=body)


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/fine-tunes", "retry": "creates", "find": "fine_tuning/list_fine_tunes",
  "arguments": {"required": ["body"], "properties": {
      "body": {"type": "object", "required": ["training_file"], "properties": {
          "training_file": {"type": "string"},
          "model": {"type": "string"},
          "validation_file": {"type": "string"},
          "suffix": {"type": "string"},
          "n_epochs": {"type": "integer"},
          "learning_rate": {"type": "number"},
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
          "batch_size": {"x-choice": True, "anyOf": [
              {"type": "integer", "title": "Number"},
              {"type": "string", "enum": ["max"], "title": "Largest possible"}]},
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
          "n_checkpoints": {"type": "integer"},
          "n_evals": {"type": "integer"},
          "from_checkpoint": {"type": "string"},
          "max_seq_length": {"type": "integer"},
          "packing": {"type": "boolean"},
          "lr_scheduler": {"type": "object", "required": ["lr_scheduler_type"], "x-choice": True,
            "properties": {
              "lr_scheduler_type": {"type": "string", "enum": ["linear", "cosine"]},
              "lr_scheduler_args": {"x-choice": True, "anyOf": [
                  {"type": "object", "title": "Linear", "properties": {"min_lr_ratio": {"type": "number"}}},
                  {"type": "object", "required": ["min_lr_ratio", "num_cycles"], "title": "Cosine",
                    "properties": {"min_lr_ratio": {"type": "number"}, "num_cycles": {"type": "number"}}}]}}},
          "warmup_ratio": {"type": "number"},
          "weight_decay": {"type": "number"},
          "max_grad_norm": {"type": "number"},
          "gradient_accumulation_steps": {"type": "integer"},
          "random_seed": {"type": ["integer", "null"], "x-choice": True},
          "early_stopping_enabled": {"type": "boolean"},
          "early_stopping_patience": {"type": "integer"},
          "early_stopping_min_delta": {"type": "number"},
          "early_stopping_warmup_evals": {"type": "integer"},
          "multimodal_params": {"type": "object", "x-choice": True, "properties": {
              "train_vision": {"type": "boolean"}}},
          "wandb_key": {"type": "string"},
          "wandb_project_name": {"type": "string"},
          "wandb_name": {"type": "string"},
          "wandb_entity": {"type": "string"},
          "wandb_base_url": {"type": "string"},
          "from_hf_model": {"type": "string"},
          "hf_model_revision": {"type": "string"},
          "hf_api_token": {"type": "string"},
          "hf_output_repo_name": {"type": "string"},
          "wandb_api_key": {"type": "string"},
          "train_on_inputs": {"anyOf": [
              {"type": "boolean", "title": "Yes or no"}, {"type": "string", "enum": ["auto"], "title": "Automatic"}]}},
        "x-advanced": True}}}}
