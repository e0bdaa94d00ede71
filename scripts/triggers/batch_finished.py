# skip_result_postprocessing
"""Batch finished.

Returns the batches that ended since the last run: run it on a schedule, as the first
step of a flow. The first run returns nothing; it records the current state.

Returns: a list of batches with batch_id, state and the ids of their files, oldest
first; empty when nothing is new.

Rendered from schemas/triggers/batch_finished.json; edit that, not this.
"""

from ..client import run, togetherai
from ..trigger_steps.trigger_steps import batch_finished


def main(auth: togetherai, states: list[str] | None = None):
    return run(batch_finished, auth, STEP, states=states)


# fmt: off
STEP = {
  "arguments": {
    "properties": {
      "states": {"type": "array", "items": {"type": "string", "enum": ["COMPLETED", "FAILED", "EXPIRED", "CANCELLED"]}}}}}
