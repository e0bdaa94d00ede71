# skip_result_postprocessing
"""Fine-tune changed.

Returns the fine-tuning jobs that are new or in another state since the last run: run it
on a schedule, as the first step of a flow. The first run returns nothing; it records
the current state.

Returns: a list of jobs with fine_tune_id, state, previous state and model_output_name;
empty when nothing is new.

Rendered from schemas/triggers/fine_tune_changed.json; edit that, not this.
"""

from ..client import run, togetherai
from ..trigger_steps.trigger_steps import fine_tune_changed


def main(auth: togetherai, only_ended: bool = False):
    return run(fine_tune_changed, auth, STEP, only_ended=only_ended)


STEP = {
    "arguments": {"properties": {"only_ended": {"type": "boolean", "default": False}}},
}
