# skip_result_postprocessing
"""Evaluation changed.

Returns the evaluations that are new or in another state since the last run: run it on a
schedule, as the first step of a flow. The first run returns nothing; it records the
current state.

Returns: a list of evaluations with evaluation_id, state, previous state and results;
empty when nothing is new.

Rendered from schemas/triggers/evaluation_changed.json; edit that, not this.
"""

from ..client import run, togetherai
from ..trigger_steps.trigger_steps import evaluation_changed


def main(auth: togetherai, only_ended: bool = False):
    return run(evaluation_changed, auth, STEP, only_ended=only_ended)


STEP = {
    "arguments": {"properties": {"only_ended": {"type": "boolean", "default": False}}},
}
