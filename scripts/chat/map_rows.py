# skip_result_postprocessing
"""Ask about every row.

Asks a chat model the same question about every row of a table and returns the table
with the answers. Runs many calls at once, slows down when the service says so, and
reports every row with its answer or its error. For a batch within a day, which some
models answer at half the price, use batches/submit_rows.

Returns: rows, each with its columns, the answer and <answer_column>_error (why there is
none); done, failed and cut count them; stopped, why rows were left out; usage,
cost_usd; all that in short as markdown. With output storage, s3 leads to the file
instead; with output table, nothing but the rows. Fails when no row was answered.

Example arguments:
    {"model": "openai/gpt-oss-120b", "template": "Is this a complaint? Answer yes or no:
    {{comment}}", "rows": [{"comment": "The parcel came twice."}, {"comment": "Thank
    you!"}]}

Rendered from schemas/chat/map_rows.json; edit that, not this.
"""

from ..catalog.model_picker import choices
from ..client import run, togetherai
from ..rows.row_steps import map_rows

DynSelect_model = str


def model(filterText: str = "", auth=None):
    return choices("chat", auth, filterText)


def main(
    auth: togetherai,
    template: str,
    rows: "str | list | dict",
    model: DynSelect_model | None = None,
    other_model: str | None = None,
    system: str | None = None,
    temperature: float | None = None,
    max_tokens: int | None = None,
    concurrency: int = 8,
    output: str = "result",
    budget_usd: float | None = None,
    answer_column: str = "answer",
    timeout_seconds: float = 120,
    patience_seconds: float = 900,
    stop_after_seconds: float | None = None,
    fail_when_failed_share: float | None = None,
    keep: bool = True,
    fallback_models: list[str] | None = None,
):
    return run(
        map_rows,
        auth,
        STEP,
        template=template,
        rows=rows,
        model=model,
        other_model=other_model,
        system=system,
        temperature=temperature,
        max_tokens=max_tokens,
        concurrency=concurrency,
        output=output,
        budget_usd=budget_usd,
        answer_column=answer_column,
        timeout_seconds=timeout_seconds,
        patience_seconds=patience_seconds,
        stop_after_seconds=stop_after_seconds,
        fail_when_failed_share=fail_when_failed_share,
        keep=keep,
        fallback_models=fallback_models,
    )


# fmt: off
STEP = {
  "arguments": {"required": ["template", "rows"], "properties": {
      "template": {"type": "string", "title": "Question"},
      "rows": {"x-file": "content", "x-choice": True},
      "model": {"type": "string", "minLength": 1},
      "other_model": {"type": "string", "x-id-of": "model", "title": "Model (id)"},
      "system": {"type": "string", "title": "Instructions"},
      "temperature": {"type": "number", "minimum": 0},
      "max_tokens": {"type": "integer", "minimum": 1, "title": "Longest answer"},
      "concurrency": {"type": "integer", "minimum": 1, "maximum": 256, "default": 8, "title": "Concurrent calls"},
      "output": {"type": "string", "enum": ["result", "table", "storage", "gzip"], "default": "result"},
      "budget_usd": {"type": "number", "minimum": 0, "title": "Budget in USD"},
      "answer_column": {"type": "string", "minLength": 1, "default": "answer"},
      "timeout_seconds": {"type": "number", "minimum": 1, "default": 120, "title": "Time limit of a call"},
      "patience_seconds": {"type": "number", "minimum": 1, "default": 900, "title": "Patience at the rate limit"},
      "stop_after_seconds": {"type": "number", "minimum": 1, "title": "Time limit of the step"},
      "fail_when_failed_share": {"type": "number", "minimum": 0, "maximum": 1, "title": "Fail when more fail than"},
      "keep": {"type": "boolean", "default": True, "title": "Keep for a rerun"},
      "fallback_models": {"type": "array", "items": {"type": "string", "minLength": 1}}}}}
