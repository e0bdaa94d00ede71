# skip_result_postprocessing
"""Look at a training.

Use it to see how a fine-tune goes or went: state, progress, losses, the newest events,
why it failed. Costs nothing.

Returns: text; state; progress, 0 to 1.

Example arguments:
    {"fine_tune_id": "ft-2c1d7e40"}

Rendered from schemas/agent/look_at_training.json; edit that, not this.
"""

from ..agent_tools.agent_steps import look_at_training
from ..client import run, togetherai


def main(auth: togetherai, fine_tune_id: str):
    return run(look_at_training, auth, STEP, fine_tune_id=fine_tune_id)


STEP = {
    "arguments": {
        "required": ["fine_tune_id"],
        "properties": {"fine_tune_id": {"type": "string", "title": "Fine-tune"}},
    },
}
