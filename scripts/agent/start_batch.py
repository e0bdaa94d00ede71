# skip_result_postprocessing
"""Start a batch.

Use it to ask a model about hundreds of rows at once, when answers may take hours. Costs
money for every row: price it with price_call first. fetch_batch gets the answers. The
same call never starts a second batch.

Returns: text; batch_id, for fetch_batch; rows, their number; estimated_cost_usd.

Example arguments:
    {"model": "openai/gpt-oss-120b", "template": "Which language is this: {{text}}",
    "rows": "[{\\"text\\": \\"Bonjour\\"}]", "max_tokens": 20, "budget_usd": 1}

Rendered from schemas/agent/start_batch.json; edit that, not this.
"""

from ..agent_tools.agent_steps import start_batch
from ..client import run, togetherai


def main(
    auth: togetherai,
    model: str,
    template: str,
    rows: str,
    max_tokens: int,
    budget_usd: float,
):
    return run(
        start_batch,
        auth,
        STEP,
        model=model,
        template=template,
        rows=rows,
        max_tokens=max_tokens,
        budget_usd=budget_usd,
    )


STEP = {
    "arguments": {
        "required": ["model", "template", "rows", "max_tokens", "budget_usd"],
        "properties": {
            "model": {"type": "string"},
            "template": {"type": "string"},
            "rows": {"type": "string"},
            "max_tokens": {"type": "integer", "minimum": 1, "title": "Longest answer"},
            "budget_usd": {"type": "number", "minimum": 0, "title": "Budget in USD"},
        },
    },
}
