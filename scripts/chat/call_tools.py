# skip_result_postprocessing
"""Let a model use tools.

Gives a model scripts and flows of this workspace as tools and lets it call them until
it can answer. They run as jobs with the rights of whoever runs this step.

Returns: the final text, every call with its tool, arguments, result or error and
seconds, the messages, usage and cost_usd.

Example arguments:
    {"model": "openai/gpt-oss-120b", "prompt": "Where is order 12?", "tools": [{"path":
    "f/shop/find_order"}]}

Rendered from schemas/chat/call_tools.json; edit that, not this.
"""

from ..catalog.model_picker import choices
from ..client import run, togetherai
from ..tool_calling.tool_steps import call_tools

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
    max_rounds: int = 6,
    max_tokens: int | None = None,
    stop_after_seconds: float | None = None,
    budget_usd: float | None = None,
):
    return run(
        call_tools,
        auth,
        STEP,
        prompt=prompt,
        tools=tools,
        model=model,
        other_model=other_model,
        system=system,
        max_rounds=max_rounds,
        max_tokens=max_tokens,
        stop_after_seconds=stop_after_seconds,
        budget_usd=budget_usd,
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
            "arguments": {"type": "object"}}}},
      "model": {"type": "string", "minLength": 1},
      "other_model": {"type": "string", "x-id-of": "model", "title": "Model (id)"},
      "system": {"type": "string", "title": "Instructions"},
      "max_rounds": {"type": "integer", "minimum": 1, "maximum": 50, "default": 6, "title": "Rounds"},
      "max_tokens": {"type": "integer", "minimum": 1, "title": "Longest message"},
      "stop_after_seconds": {"type": "number", "minimum": 1, "title": "Time limit of the step"},
      "budget_usd": {"type": "number", "minimum": 0, "title": "Budget in USD"}}}}
