# skip_result_postprocessing
"""Say what was spent.

Use it to learn what the account spent on Together AI, by day and by product. Costs
nothing.

Returns: text; total_usd; products; days.

Rendered from schemas/agent/report_spending.json; edit that, not this.
"""

from ..agent_tools.agent_steps import report_spending
from ..client import run, togetherai


def main(auth: togetherai, since: str | None = None, until: str | None = None):
    return run(report_spending, auth, STEP, since=since, until=until)


STEP = {
    "arguments": {
        "properties": {
            "since": {"type": "string", "minLength": 1},
            "until": {"type": "string", "minLength": 1},
        },
    },
}
