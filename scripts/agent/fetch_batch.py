# skip_result_postprocessing
"""Fetch a batch's answers.

Use it to see how far a batch of start_batch is, and for its answers once it is over.
Costs nothing. Gives up to 20,000 characters of answers; all of them go to the
workspace's storage where there are more.

Returns: text, the answers as JSON Lines, or how far the batch is; batch_id; status;
done and failed, numbers of rows; cost_usd; s3, where all answers are, if they were cut.

Example arguments:
    {"batch_id": "batch-1"}

Rendered from schemas/agent/fetch_batch.json; edit that, not this.
"""

from ..agent_tools.agent_steps import fetch_batch
from ..client import run, togetherai


def main(auth: togetherai, batch_id: str):
    return run(fetch_batch, auth, STEP, batch_id=batch_id)


STEP = {
    "arguments": {
        "required": ["batch_id"],
        "properties": {"batch_id": {"type": "string", "title": "Batch"}},
    },
}
