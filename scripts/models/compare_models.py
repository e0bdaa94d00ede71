# skip_result_postprocessing
"""Compare models.

Puts the same prompts to several models and shows the answers side by side, with time,
tokens and cost.

Returns: a table: the names of its columns, a row of answers for each prompt, then rows
of seconds, tokens and cost_usd. A model that fails says so in its cells.

Example arguments:
    {"models": ["openai/gpt-oss-120b"], "prompts": ["Why is the sky blue?"]}

Rendered from schemas/models/compare_models.json; edit that, not this.
"""

from ..catalog.model_picker import choices
from ..chat_steps import compare_models
from ..client import run, togetherai

DynMultiselect_models = list


def models(filterText: str = "", auth=None):
    return choices("chat", auth, filterText, other=False)


def main(
    auth: togetherai,
    models: DynMultiselect_models,
    prompts: list[dict],
    other_models: list[str] | None = None,
    system: str | None = None,
    temperature: float | None = None,
    max_tokens: int | None = None,
    stop_after_seconds: float | None = None,
    budget_usd: float | None = None,
):
    return run(
        compare_models,
        auth,
        STEP,
        models=models,
        prompts=prompts,
        other_models=other_models,
        system=system,
        temperature=temperature,
        max_tokens=max_tokens,
        stop_after_seconds=stop_after_seconds,
        budget_usd=budget_usd,
    )


# fmt: off
STEP = {
  "arguments": {"required": ["models", "prompts"], "properties": {
      "models": {"type": "array", "items": {"type": "string", "minLength": 1}},
      "prompts": {"type": "array", "items": {"type": "string", "minLength": 1}, "x-row": "text"},
      "other_models": {"type": "array", "items": {"type": "string", "minLength": 1}},
      "system": {"type": "string", "title": "Instructions"},
      "temperature": {"type": "number", "minimum": 0},
      "max_tokens": {"type": "integer", "minimum": 1, "title": "Longest answer"},
      "stop_after_seconds": {"type": "number", "minimum": 1, "title": "Time limit of the step"},
      "budget_usd": {"type": "number", "minimum": 0, "title": "Budget in USD"}}}}
