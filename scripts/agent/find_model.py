# skip_result_postprocessing
"""Find a model.

Use it to learn which models there are for a task, their ids, context lengths and
prices. Costs nothing.

Returns: text, a line for each model, the best first; models, their ids.

Rendered from schemas/agent/find_model.json; edit that, not this.
"""

from ..agent_tools.agent_steps import find_model
from ..client import run, togetherai


def main(auth: togetherai, task: str = "chat", words: str | None = None, most: int = 8):
    return run(find_model, auth, STEP, task=task, words=words, most=most)


# fmt: off
STEP = {
  "arguments": {
    "properties": {
      "task": {"type": "string", "enum": ["chat", "vision", "tools", "structured", "embedding", "rerank", "image",
          "speech", "transcription", "video", "fine_tuning"],
        "default": "chat"},
      "words": {"type": "string", "minLength": 1},
      "most": {"type": "integer", "minimum": 1, "maximum": 50, "default": 8}}}}
