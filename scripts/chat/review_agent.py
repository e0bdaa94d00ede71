# skip_result_postprocessing
"""Review an agent's work.

Reads from the result of Windmill's step for AI agents what it answered, what that cost,
which passages it cites, and what its tools propose to a person. Costs nothing.

Returns: text, the answer; cost_usd; proposals, each with step, arguments, usd and what;
question and details, for waits/ask_approval; calls; citations.

Example arguments:
    {"agent": "{\\"output\\": \\"Rome\\", \\"messages\\": [], \\"usage\\":
    {\\"input_tokens\\": 12, \\"output_tokens\\": 3}}", "model": "openai/gpt-oss-120b"}

Rendered from schemas/chat/review_agent.json; edit that, not this.
"""

from ..ai_agents.ai_agent_steps import review_agent
from ..client import run, togetherai


def main(
    auth: togetherai,
    agent: str,
    model: str,
    proposing: list[str] | None = None,
    citing: str | None = None,
):
    return run(
        review_agent,
        auth,
        STEP,
        agent=agent,
        model=model,
        proposing=proposing,
        citing=citing,
    )


# fmt: off
STEP = {
  "arguments": {"required": ["agent", "model"], "properties": {
      "agent": {"type": "string", "title": "Agent's result"},
      "model": {"type": "string"},
      "proposing": {"type": "array", "items": {"type": "string"}, "title": "Proposing tools"},
      "citing": {"type": "string", "title": "Citing tool"}}}}
