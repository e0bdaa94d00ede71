# skip_result_postprocessing
"""Start an agent's calls.

Starts a job for each call that a model wants, or tells the model why not.

Returns: how many jobs were started, and how many calls were refused.

Example arguments:
    {"conversation": "storage-0b6f7c1e-2a44-4d0c-9f57-1c2f3d4e5a6b", "tools": [{"path":
    "f/shop/find_order"}]}

Rendered from schemas/chat/start_calls.json; edit that, not this.
"""

from ..client import run, togetherai
from ..tool_calling.agent_loop_steps import start_calls


def main(
    auth: togetherai,
    conversation: str,
    tools: list[dict],
    approved: bool = False,
):
    return run(
        start_calls,
        auth,
        STEP,
        conversation=conversation,
        tools=tools,
        approved=approved,
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
      "approved": {"type": "boolean", "default": False}}}}
