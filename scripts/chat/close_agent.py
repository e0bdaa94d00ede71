# skip_result_postprocessing
"""Close an agent's work.

Carries out what an agent proposed and a person allowed, that and nothing else, once
however often it runs; and makes the flow's result. Fails when all of it failed. Costs
what the proposals cost.

Returns: text, the answer with what became of the proposals; cost_usd; proposals, each
with its outcome; calls; citations.

Example arguments:
    {"review": "{\\"text\\": \\"Rome\\", \\"cost_usd\\": 0.0000036, \\"proposals\\": [],
    \\"calls\\": [], \\"citations\\": []}"}

Rendered from schemas/chat/close_agent.json; edit that, not this.
"""

from ..ai_agents.ai_agent_steps import close_agent
from ..client import run, togetherai


def main(auth: togetherai, review: str, approved: bool = False):
    return run(close_agent, auth, STEP, review=review, approved=approved)


STEP = {
    "arguments": {
        "required": ["review"],
        "properties": {
            "review": {"type": "string"},
            "approved": {"type": "boolean", "default": False},
        },
    },
}
