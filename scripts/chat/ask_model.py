# skip_result_postprocessing
"""Ask a model.

Puts a question, with pictures if you like, to a chat model and shows the answer while
it is written. Give the messages of one answer as the history of the next question to go
on talking.

Returns: the answer as text, the reasoning where the model shows it, usage, cost_usd,
finish_reason, note (where the answer was cut), and messages: the conversation with the
answer, to be the next history.

Example arguments:
    {"prompt": "Why is the sky blue?"}

Rendered from schemas/chat/ask_model.json; edit that, not this.
"""

from ..catalog.model_picker import choices
from ..chat_steps import ask_model
from ..client import run, togetherai

DynSelect_model = str


def model(filterText: str = "", auth=None):
    return choices("chat", auth, filterText)


def main(
    auth: togetherai,
    prompt: str,
    model: DynSelect_model | None = None,
    other_model: str | None = None,
    system: str | None = None,
    pictures: list[dict] | None = None,
    history: list[dict] | None = None,
    temperature: float | None = None,
    max_tokens: int | None = None,
    reasoning_effort: str | None = None,
    fallback_models: list[str] | None = None,
):
    return run(
        ask_model,
        auth,
        STEP,
        prompt=prompt,
        model=model,
        other_model=other_model,
        system=system,
        pictures=pictures,
        history=history,
        temperature=temperature,
        max_tokens=max_tokens,
        reasoning_effort=reasoning_effort,
        fallback_models=fallback_models,
    )


# fmt: off
STEP = {
  "arguments": {"required": ["prompt"], "properties": {
      "prompt": {"type": "string"},
      "model": {"type": "string", "minLength": 1},
      "other_model": {"type": "string", "x-id-of": "model", "title": "Model (id)"},
      "system": {"type": "string", "title": "Instructions"},
      "pictures": {"type": "array", "items": {"type": "string", "minLength": 1, "x-file": "uri", "x-choice": True},
        "x-row": "source"},
      "history": {"type": "array", "items": {"type": "object", "properties": {
            "role": {"type": "string"}, "content": {"type": "string"}}}},
      "temperature": {"type": "number", "minimum": 0},
      "max_tokens": {"type": "integer", "minimum": 1, "title": "Longest answer"},
      "reasoning_effort": {"type": "string"},
      "fallback_models": {"type": "array", "items": {"type": "string", "minLength": 1}}}}}
