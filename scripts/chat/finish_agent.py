# skip_result_postprocessing
"""Finish an agent's work.

Returns what an agent answered, its calls and what they cost.

Returns: the final text, every call with its tool, arguments, result or error and
seconds, the conversation's name, usage and cost_usd.

Example arguments:
    {"conversation": "storage-0b6f7c1e-2a44-4d0c-9f57-1c2f3d4e5a6b"}

Rendered from schemas/chat/finish_agent.json; edit that, not this.
"""

from ..client import run, togetherai
from ..tool_calling.agent_loop_steps import finish_agent


def main(auth: togetherai, conversation: str):
    return run(finish_agent, auth, STEP, conversation=conversation)


STEP = {
    "arguments": {
        "required": ["conversation"],
        "properties": {"conversation": {"type": "string"}},
    },
}
