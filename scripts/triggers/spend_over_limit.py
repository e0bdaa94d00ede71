# skip_result_postprocessing
"""Spend over limit.

Returns each period in which more was spent than a limit, once: run it on a schedule, as
the first step of a flow. A period that has ended since the last run is looked at once
more. The first run returns nothing; it records the current state.

Returns: a list of the periods that are to be told, with total_usd and the dearest
products; mostly empty, or of one.

Example arguments:
    {"limit_usd": 100}

Rendered from schemas/triggers/spend_over_limit.json; edit that, not this.
"""

from ..client import run, togetherai
from ..trigger_steps.trigger_steps import spend_over_limit


def main(auth: togetherai, limit_usd: float, period: str = "month"):
    return run(spend_over_limit, auth, STEP, limit_usd=limit_usd, period=period)


STEP = {
    "arguments": {
        "required": ["limit_usd"],
        "properties": {
            "limit_usd": {"type": "number", "minimum": 0, "title": "Limit in USD"},
            "period": {"type": "string", "enum": ["month", "day"], "default": "month"},
        },
    },
}
