# skip_result_postprocessing
"""Propose a batch.

Asks a model about every row of a table, hundreds or thousands, when answers may take
hours. Up to a limit it starts at once; what may cost more is proposed to a person.
fetch_batch gets the answers.

Returns: text; batch_id, rows and estimated_cost_usd of a batch that is started, or
proposal: step, arguments and usd of one that waits for a person.

Example arguments:
    {"model": "openai/gpt-oss-120b", "template": "Which language is this: {{text}}",
    "rows": "[{\\"text\\": \\"Bonjour\\"}]", "max_tokens": 20, "ask_above_usd": 1}

Rendered from schemas/chat/propose_batch.json; edit that, not this.
"""

from ..ai_agents.proposal_steps import propose_batch
from ..client import run, togetherai


def main(
    auth: togetherai,
    model: str,
    template: str,
    rows: str,
    max_tokens: int,
    ask_above_usd: float,
):
    return run(
        propose_batch,
        auth,
        STEP,
        model=model,
        template=template,
        rows=rows,
        max_tokens=max_tokens,
        ask_above_usd=ask_above_usd,
    )


STEP = {
    "arguments": {
        "required": ["model", "template", "rows", "max_tokens", "ask_above_usd"],
        "properties": {
            "model": {"type": "string"},
            "template": {"type": "string"},
            "rows": {"type": "string"},
            "max_tokens": {"type": "integer", "minimum": 1, "title": "Longest answer"},
            "ask_above_usd": {"type": "number", "minimum": 0},
        },
    },
}
