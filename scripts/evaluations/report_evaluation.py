# skip_result_postprocessing
"""Report evaluation.

Adds up what a judge decided, in one shape for all types of evaluation.

Returns: pass_percentage, mean_score, label_counts, a_wins, b_wins, ties as the type has
them; failed counts rows without a verdict, null where that is not told; result_file_id
holds the verdict on each row; cost_usd is null, cost_note says why.

Example arguments:
    {"evaluation_id": "eval-7df2-1764000000"}

Rendered from schemas/evaluations/report_evaluation.json; edit that, not this.
"""

from ..client import run, togetherai
from ..evaluation_steps import report_evaluation


def main(auth: togetherai, evaluation_id: str):
    return run(report_evaluation, auth, STEP, evaluation_id=evaluation_id)


STEP = {
    "arguments": {
        "required": ["evaluation_id"],
        "properties": {"evaluation_id": {"type": "string"}},
    },
}
