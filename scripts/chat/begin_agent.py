# skip_result_postprocessing
"""Begin an agent's work.

Keeps a conversation with the next question of a person, for the steps that follow. The
flow run_agent has all of them.

Returns: the name of the conversation and the model.

Example arguments:
    {"model": "openai/gpt-oss-120b", "prompt": "Where is order 12?", "tools": [{"path":
    "f/shop/find_order"}]}

Rendered from schemas/chat/begin_agent.json; edit that, not this.
"""

from ..catalog.model_picker import choices
from ..client import run, togetherai
from ..tool_calling.agent_loop_steps import begin_agent

DynSelect_model = str


def model(filterText: str = "", auth=None):
    return choices("tools", auth, filterText)


def main(
    auth: togetherai,
    prompt: str,
    tools: list[dict],
    model: DynSelect_model | None = None,
    other_model: str | None = None,
    system: str | None = None,
    conversation: str | None = None,
):
    return run(
        begin_agent,
        auth,
        STEP,
        prompt=prompt,
        tools=tools,
        model=model,
        other_model=other_model,
        system=system,
        conversation=conversation,
    )


# fmt: off
STEP = {
  "arguments": {"required": ["prompt", "tools"], "properties": {
      "prompt": {"type": "string"},
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
      "model": {"type": "string", "minLength": 1},
      "other_model": {"type": "string", "x-id-of": "model", "title": "Model (id)"},
      "system": {"type": "string", "title": "Instructions"},
      "conversation": {"type": "string", "minLength": 1}}}}
