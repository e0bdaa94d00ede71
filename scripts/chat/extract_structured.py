# skip_result_postprocessing
"""Extract data.

Reads data out of text or pictures into the fields that you name, or into a JSON Schema,
and checks it. An answer that does not fit is corrected once by the model.

Returns: the data, checked against the schema; repaired when a second answer was needed;
the text as the model wrote it, usage and cost_usd.

Example arguments:
    {"model": "openai/gpt-oss-120b", "text": "Invoice 12 of Acme over 30 EUR, due on 1
    December 2026.", "fields": [{"name": "total"}]}

Rendered from schemas/chat/extract_structured.json; edit that, not this.
"""

from ..catalog.model_picker import choices
from ..client import run, togetherai
from ..structured.extract_steps import extract_structured

DynSelect_model = str


def model(filterText: str = "", auth=None):
    return choices("structured", auth, filterText)


def main(
    auth: togetherai,
    model: DynSelect_model | None = None,
    other_model: str | None = None,
    text: str | None = None,
    pictures: list[dict] | None = None,
    fields: list[dict] | None = None,
    schema: "dict | None" = None,
    instructions: str | None = None,
    max_tokens: int | None = None,
    fallback_models: list[str] | None = None,
):
    return run(
        extract_structured,
        auth,
        STEP,
        model=model,
        other_model=other_model,
        text=text,
        pictures=pictures,
        fields=fields,
        schema=schema,
        instructions=instructions,
        max_tokens=max_tokens,
        fallback_models=fallback_models,
    )


# fmt: off
STEP = {
  "arguments": {
    "properties": {
      "model": {"type": "string", "minLength": 1},
      "other_model": {"type": "string", "x-id-of": "model", "title": "Model (id)"},
      "text": {"type": "string"},
      "pictures": {"type": "array", "items": {"type": "string", "minLength": 1, "x-file": "uri", "x-choice": True},
        "x-row": "source"},
      "fields": {"type": "array", "items": {"type": "object", "required": ["name"], "properties": {
            "name": {"type": "string"},
            "type": {"type": "string", "enum": ["string", "number", "integer", "boolean", "date", "list"]},
            "description": {"type": "string"},
            "required": {"type": "boolean"}}}},
      "schema": {"type": "object", "format": "json-schema", "x-choice": True, "title": "JSON Schema"},
      "instructions": {"type": "string"},
      "max_tokens": {"type": "integer", "minimum": 1, "title": "Longest answer"},
      "fallback_models": {"type": "array", "items": {"type": "string", "minLength": 1}}}}}
