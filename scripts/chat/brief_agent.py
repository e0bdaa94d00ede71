# skip_result_postprocessing
"""Brief an agent.

Puts together what Windmill's step for AI agents needs: a model, the instructions, the
addresses of files. Costs nothing.

Returns: model; system, all instructions; addresses of the files, as agents' tools take
them.

Example arguments:
    {"instructions": "You answer questions about orders."}

Rendered from schemas/chat/brief_agent.json; edit that, not this.
"""

from ..ai_agents.ai_agent_steps import brief_agent
from ..catalog.model_picker import choices
from ..client import run, togetherai

DynSelect_model = str


def model(filterText: str = "", auth=None):
    return choices("tools", auth, filterText)


def main(
    auth: togetherai,
    instructions: str,
    model: DynSelect_model | None = None,
    other_model: str | None = None,
    own: str | None = None,
    files: list[dict] | None = None,
):
    return run(
        brief_agent,
        auth,
        STEP,
        instructions=instructions,
        model=model,
        other_model=other_model,
        own=own,
        files=files,
    )


# fmt: off
STEP = {
  "arguments": {"required": ["instructions"], "properties": {
      "instructions": {"type": "string"},
      "model": {"type": "string", "minLength": 1},
      "other_model": {"type": "string", "x-id-of": "model", "title": "Model (id)"},
      "own": {"type": "string", "title": "Own instructions"},
      "files": {"type": "array", "items": {"x-file": "content", "x-choice": True}, "x-row": "source"}}}}
