# skip_result_postprocessing
"""Classify a text.

Sorts a text into one of your categories, or into all that fit, and says how sure the
model is.

Returns: the label, all labels, the confidence from 0 to 1 and a score of each category;
null where the model does not tell how sure it is. Also usage and cost_usd.

Example arguments:
    {"model": "openai/gpt-oss-120b", "text": "My parcel has not come.", "labels":
    [{"name": "delivery"}, {"name": "payment"}]}

Rendered from schemas/chat/classify_text.json; edit that, not this.
"""

from ..catalog.model_picker import choices
from ..client import run, togetherai
from ..structured.classify_steps import classify_text

DynSelect_model = str


def model(filterText: str = "", auth=None):
    return choices("chat", auth, filterText)


def main(
    auth: togetherai,
    text: str,
    labels: list[dict],
    model: DynSelect_model | None = None,
    other_model: str | None = None,
    multiple: bool = False,
    instructions: str | None = None,
    max_tokens: int = 1000,
    fallback_models: list[str] | None = None,
):
    return run(
        classify_text,
        auth,
        STEP,
        text=text,
        labels=labels,
        model=model,
        other_model=other_model,
        multiple=multiple,
        instructions=instructions,
        max_tokens=max_tokens,
        fallback_models=fallback_models,
    )


# fmt: off
STEP = {
  "arguments": {"required": ["text", "labels"], "properties": {
      "text": {"type": "string"},
      "labels": {"type": "array", "items": {"type": "object", "required": ["name"], "properties": {
            "name": {"type": "string"}, "description": {"type": "string"}}},
        "title": "Categories"},
      "model": {"type": "string", "minLength": 1},
      "other_model": {"type": "string", "x-id-of": "model", "title": "Model (id)"},
      "multiple": {"type": "boolean", "default": False, "title": "Several categories"},
      "instructions": {"type": "string"},
      "max_tokens": {"type": "integer", "minimum": 1, "default": 1000, "title": "Longest answer"},
      "fallback_models": {"type": "array", "items": {"type": "string", "minLength": 1}}}}}
