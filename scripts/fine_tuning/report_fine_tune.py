# skip_result_postprocessing
"""Report fine-tune.

Tells where a fine-tune stands, what it cost and why it failed, and draws its loss.
Costs nothing.

Returns: state, progress from 0 to 1, cost_usd, metrics by step, the newest events, the
reason of a failure, and the loss as a chart.

Example arguments:
    {"fine_tune_id": "ft-2c1d7e40-8b5a-4f36-9d21-7a0e6c3b5f18"}

Rendered from schemas/fine_tuning/report_fine_tune.json; edit that, not this.
"""

from ..client import run, togetherai
from ..tuning.fine_tune_steps import report_fine_tune


def main(auth: togetherai, fine_tune_id: str):
    return run(report_fine_tune, auth, STEP, fine_tune_id=fine_tune_id)


STEP = {
    "arguments": {
        "required": ["fine_tune_id"],
        "properties": {"fine_tune_id": {"type": "string", "title": "Fine-tune ID"}},
    },
}
