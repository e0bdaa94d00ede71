# skip_result_postprocessing
"""Look at a picture.

Use it to learn what is on a picture, a screenshot or a scanned page: ask for a
description, for the text on it, or a question. Costs a fraction of a cent.

Returns: text, the answer; model; cost_usd.

Example arguments:
    {"picture": "https://example.com/cat.png"}

Rendered from schemas/agent/look_at_picture.json; edit that, not this.
"""

from ..agent_tools.agent_steps import look_at_picture
from ..client import run, togetherai


def main(
    auth: togetherai,
    picture: str,
    question: str = "Describe the picture, and write down any text on it.",
    model: str | None = None,
):
    return run(
        look_at_picture,
        auth,
        STEP,
        picture=picture,
        question=question,
        model=model,
    )


# fmt: off
STEP = {
  "arguments": {"required": ["picture"], "properties": {
      "picture": {"type": "string"},
      "question": {"type": "string", "minLength": 1,
        "default": "Describe the picture, and write down any text on it."},
      "model": {"type": "string", "minLength": 1}}}}
