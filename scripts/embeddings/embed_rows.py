# skip_result_postprocessing
"""Embed every row.

Turns the text in one column of a table into vectors, any number of rows, many at once.
Use them for search by meaning, grouping and finding duplicates; compare only vectors of
the same model.

Returns: rows, each with its columns, embedding (a list of numbers) and embedding_error
(why there is none); dimensions, done, failed, stopped (why rows were left out), usage,
cost_usd; all that in short as markdown. With output storage, s3 leads to the file
instead; with output table, nothing but the rows. Fails when no row was embedded.

Example arguments:
    {"model": "my-project/embeddings", "rows": [{"text": "The invoice was paid
    twice."}]}

Rendered from schemas/embeddings/embed_rows.json; edit that, not this.
"""

from ..catalog.model_picker import choices
from ..client import run, togetherai
from ..rows.row_steps import embed_rows

DynSelect_model = str


def model(filterText: str = "", auth=None):
    return choices("embedding", auth, filterText)


def main(
    auth: togetherai,
    model: DynSelect_model,
    rows: "str | list | dict",
    other_model: str | None = None,
    column: str = "text",
    output: str = "result",
    concurrency: int = 4,
    budget_usd: float | None = None,
    timeout_seconds: float = 120,
    patience_seconds: float = 900,
    stop_after_seconds: float | None = None,
    answer_column: str = "embedding",
    fail_when_failed_share: float | None = None,
):
    return run(
        embed_rows,
        auth,
        STEP,
        model=model,
        rows=rows,
        other_model=other_model,
        column=column,
        output=output,
        concurrency=concurrency,
        budget_usd=budget_usd,
        timeout_seconds=timeout_seconds,
        patience_seconds=patience_seconds,
        stop_after_seconds=stop_after_seconds,
        answer_column=answer_column,
        fail_when_failed_share=fail_when_failed_share,
    )


# fmt: off
STEP = {
  "arguments": {"required": ["model", "rows"], "properties": {
      "model": {"type": "string"},
      "rows": {"x-file": "content", "x-choice": True},
      "other_model": {"type": "string", "x-id-of": "model", "title": "Model (id)"},
      "column": {"type": "string", "minLength": 1, "default": "text"},
      "output": {"type": "string", "enum": ["result", "table", "storage", "gzip"], "default": "result"},
      "concurrency": {"type": "integer", "minimum": 1, "maximum": 256, "default": 4, "title": "Concurrent calls"},
      "budget_usd": {"type": "number", "minimum": 0, "title": "Budget in USD"},
      "timeout_seconds": {"type": "number", "minimum": 1, "default": 120, "title": "Time limit of a call"},
      "patience_seconds": {"type": "number", "minimum": 1, "default": 900, "title": "Patience at the rate limit"},
      "stop_after_seconds": {"type": "number", "minimum": 1, "title": "Time limit of the step"},
      "answer_column": {"type": "string", "minLength": 1, "default": "embedding"},
      "fail_when_failed_share": {"type": "number", "minimum": 0, "maximum": 1, "title": "Fail when more fail than"}}}}
