# skip_result_postprocessing
"""Ask an agent.

Asks the model of a conversation once: it answers, or wants tools to be called.

Returns: whether it is done, the calls that it wants, and which of them a person is to
be asked about.

Example arguments:
    {"conversation": "storage-0b6f7c1e-2a44-4d0c-9f57-1c2f3d4e5a6b", "tools": [{"path":
    "f/shop/find_order"}]}

Rendered from schemas/chat/ask_agent.json; edit that, not this.
"""

from ..client import run, togetherai
from ..tool_calling.agent_loop_steps import ask_agent


def main(
    auth: togetherai,
    conversation: str,
    tools: list[dict],
    max_rounds: int = 6,
    max_tokens: int | None = None,
    budget_usd: float | None = None,
):
    return run(
        ask_agent,
        auth,
        STEP,
        conversation=conversation,
        tools=tools,
        max_rounds=max_rounds,
        max_tokens=max_tokens,
        budget_usd=budget_usd,
    )


# fmt: off
STEP = {
  "arguments": {"required": ["conversation", "tools"], "properties": {
      "conversation": {"type": "string"},
      "tools": {"type": "array", "items": {"type": "object", "properties": {
            "path": {"type": "string"},
            "kind": {"type": "string", "enum": ["script", "flow"]},
            "mcp": {"type": "string"},
            "token": {"type": "string"},
            "name": {"type": "string"},
            "description": {"type": "string"},
            "parameters": {"type": "object", "format": "json-schema", "x-choice": True},
            "arguments": {"type": "object"},
            "approval": {"type": "boolean"}}}},
      "max_rounds": {"type": "integer", "minimum": 1, "maximum": 50, "default": 6, "title": "Rounds"},
      "max_tokens": {"type": "integer", "minimum": 1, "title": "Longest message"},
      "budget_usd": {"type": "number", "minimum": 0, "title": "Budget in USD"}}}}
