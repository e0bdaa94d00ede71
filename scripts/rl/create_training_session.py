# skip_result_postprocessing
"""Create training session (beta) (costs money).

POST /v1/rl/training-sessions

Starts a reinforcement-learning session on reserved GPUs, new or from a saved
checkpoint. Needs model resources in the state READY (rl/create_model_resources), which
cost money until stopped. Wait for the state RUNNING with rl/get_training_session before
using it.

Returns: the session; its id goes to rl/get_training_session and all operations such as
rl/create_sample, status tells its state.

Example arguments:
    {"body": {"model_resources_id": "5f2e8a60-1d47-4b93-a7c8-3e9d0b6f1a24"}}

Rendered from schemas/rl/create_training_session.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NotRequired, TypedDict

    class LoraConfig(TypedDict):
        rank: NotRequired[int]
        alpha: NotRequired[int]
        dropout: NotRequired[float]
        seed: NotRequired[str | int]
        train_unembed: NotRequired[bool]

    class Wandb(TypedDict):
        entity: NotRequired[str]
        group: NotRequired[str]
        project: NotRequired[str]
        run_id: NotRequired[str]
        run_name: NotRequired[str]
        url: NotRequired[str]

    class Metadata(TypedDict):
        wandb: NotRequired[Wandb]

    class Body(TypedDict):
        model_resources_id: str
        display_name: NotRequired[str]
        lora_config: NotRequired[LoraConfig]
        resume_from_checkpoint_id: NotRequired[str]
        load_optimizer: NotRequired[bool]
        metadata: NotRequired[Metadata]


def main(auth: togetherai, body: "Body"):
    return run(call, auth, OPERATION, body=body)


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/rl/training-sessions", "retry": "creates",
  "find": "rl/list_training_sessions", "arguments": {"required": ["body"], "properties": {
      "body": {"type": "object", "required": ["model_resources_id"], "properties": {
          "model_resources_id": {"type": "string"},
          "display_name": {"type": "string"},
          "lora_config": {"type": "object", "x-choice": True, "properties": {
              "rank": {"type": "integer"},
              "alpha": {"type": "integer"},
              "dropout": {"type": "number"},
              "seed": {"anyOf": [{"type": "string", "title": "Text"}, {"type": "integer", "title": "Number"}]},
              "train_unembed": {"type": "boolean"}}},
          "resume_from_checkpoint_id": {"type": "string"},
          "load_optimizer": {"type": "boolean"},
          "metadata": {"type": "object", "x-choice": True, "properties": {
              "wandb": {"type": "object", "x-choice": True, "properties": {
                  "entity": {"type": "string"},
                  "group": {"type": "string"},
                  "project": {"type": "string"},
                  "run_id": {"type": "string"},
                  "run_name": {"type": "string"},
                  "url": {"type": "string"}}}}}}}}}}
