# skip_result_postprocessing
"""Ask another language model.

Use it for a second opinion, a translation, a summary or other writing that another
model should do. It knows nothing of this conversation: say all that it needs. Costs a
fraction of a cent for a page.

Returns: text, the answer; model; cost_usd. A text of more than 20,000 characters is
cut, and cut says how much is left out.

Example arguments:
    {"prompt": "Translate into French: good morning"}

Rendered from schemas/agent/consult_model.json; edit that, not this.
"""

from ..agent_tools.agent_steps import consult_model
from ..client import run, togetherai


def main(
    auth: togetherai,
    prompt: str,
    model: str | None = None,
    system: str | None = None,
    max_tokens: int | None = None,
):
    return run(
        consult_model,
        auth,
        STEP,
        prompt=prompt,
        model=model,
        system=system,
        max_tokens=max_tokens,
    )


STEP = {
    "arguments": {
        "required": ["prompt"],
        "properties": {
            "prompt": {"type": "string"},
            "model": {"type": "string", "minLength": 1},
            "system": {"type": "string", "minLength": 1, "title": "Instructions"},
            "max_tokens": {"type": "integer", "minimum": 1, "title": "Longest answer"},
        },
    },
}
