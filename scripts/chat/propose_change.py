# skip_result_postprocessing
"""Propose a change.

Proposes to a person to start, cancel or delete a fine-tune, to serve a model on
hardware of one's own or to stop that, with what it costs. Carries nothing out.

Returns: text, and proposal: step, arguments, usd, usd_per_hour of what is served, and
what, in words.

Example arguments:
    {"action": "cancel_fine_tune", "id": "ft-2c1d7e40-8b5a-4f36-9d21-7a0e6c3b5f18"}

Rendered from schemas/chat/propose_change.json; edit that, not this.
"""

from ..ai_agents.proposal_steps import propose_change
from ..client import run, togetherai


def main(
    auth: togetherai,
    action: str,
    id: str | None = None,
    model: str | None = None,
    training_file: str | None = None,
    epochs: int = 1,
    name: str | None = None,
    replicas: int = 1,
):
    return run(
        propose_change,
        auth,
        STEP,
        action=action,
        id=id,
        model=model,
        training_file=training_file,
        epochs=epochs,
        name=name,
        replicas=replicas,
    )


# fmt: off
STEP = {
  "arguments": {"required": ["action"], "properties": {
      "action": {"type": "string", "enum": ["start_fine_tune", "cancel_fine_tune", "delete_fine_tune", "serve_model",
          "stop_deployment"]},
      "id": {"type": "string"},
      "model": {"type": "string"},
      "training_file": {"type": "string"},
      "epochs": {"type": "integer", "minimum": 1, "default": 1},
      "name": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$",
        "description": "Under which the model is asked: letters, digits, dots, hyphens and underscores."},
      "replicas": {"type": "integer", "minimum": 1, "default": 1}}}}
