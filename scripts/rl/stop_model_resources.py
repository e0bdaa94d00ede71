# skip_result_postprocessing
"""Stop model resources (beta) (cannot be undone).

POST /v1/rl/model-resources/{model_resources_id}/stop

Releases reserved GPUs, so that they stop costing money. Stop their sessions first
(rl/stop_training_session), or use force; save checkpoints before.

Returns: the model resources; status tells the state, expires_at when they end without
further use, error what went wrong.

Example arguments:
    {"model_resources_id": "5f2e8a60-1d47-4b93-a7c8-3e9d0b6f1a24"}

Rendered from schemas/rl/stop_model_resources.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, model_resources_id: str, force: bool | None = None):
    return run(
        call,
        auth,
        OPERATION,
        model_resources_id=model_resources_id,
        force=force,
    )


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/rl/model-resources/{model_resources_id}/stop", "retry": "mutates",
  "find": "rl/get_model_resources", "arguments": {"required": ["model_resources_id"], "properties": {
      "model_resources_id": {"type": "string", "x-in": "path"}, "force": {"type": "boolean", "x-in": "query"}}}}
