# skip_result_postprocessing
"""Model changed.

Returns the models that Together added, removed or deprecated since the last run: run it
on a schedule, as the first step of a flow. The first run returns nothing; it records
the current state.

Returns: a list of models with their change, tasks and prices; empty when nothing is
new.

Rendered from schemas/triggers/model_changed.json; edit that, not this.
"""

from ..client import run, togetherai
from ..trigger_steps.trigger_steps import model_changed


def main(auth: togetherai, changes: list[str] | None = None):
    return run(model_changed, auth, STEP, changes=changes)


STEP = {
    "arguments": {
        "properties": {
            "changes": {
                "type": "array",
                "items": {"type": "string", "enum": ["added", "removed", "deprecated"]},
            },
        },
    },
}
