# skip_result_postprocessing
"""Submit rows as a batch.

Asks a chat model the same question about every row of a table in a batch, done within a
day and with some models at half the price; a table of more than 50,000 rows or 100 MB
makes several. Run again with the same input it finds what it made before, and makes
anew only what failed. Wait for the batch, then use batches/collect_rows.

Returns: batch_id (of several batches all ids, with commas between) for
batches/collect_rows and for waiting; input_file_id, rows (how many), fingerprint,
reattached (an earlier run had made it), blank (rows that are not asked since all that
the template names is blank), estimated_cost_usd (the most it may cost). Of several,
batches says which rows are in which.

Example arguments:
    {"model": "openai/gpt-oss-120b", "template": "Is this a complaint? Answer yes or no:
    {{comment}}", "rows": [{"comment": "The parcel came twice."}, {"comment": "Thank
    you!"}]}

Rendered from schemas/batches/submit_rows.json; edit that, not this.
"""

from ..batch_files.batch_steps import submit_rows
from ..catalog.model_picker import choices
from ..client import run, togetherai

DynSelect_model = str


def model(filterText: str = "", auth=None):
    return choices("chat", auth, filterText)


def main(
    auth: togetherai,
    model: DynSelect_model,
    template: str,
    rows: "str | list | dict",
    other_model: str | None = None,
    system: str | None = None,
    temperature: float | None = None,
    max_tokens: int | None = None,
    budget_usd: float | None = None,
    again: str | None = None,
    answer_column: str | None = None,
):
    return run(
        submit_rows,
        auth,
        STEP,
        model=model,
        template=template,
        rows=rows,
        other_model=other_model,
        system=system,
        temperature=temperature,
        max_tokens=max_tokens,
        budget_usd=budget_usd,
        again=again,
        answer_column=answer_column,
    )


# fmt: off
STEP = {
  "arguments": {"required": ["model", "template", "rows"], "properties": {
      "model": {"type": "string"},
      "template": {"type": "string", "title": "Question"},
      "rows": {"x-file": "content", "x-choice": True},
      "other_model": {"type": "string", "x-id-of": "model", "title": "Model (id)"},
      "system": {"type": "string", "title": "Instructions"},
      "temperature": {"type": "number", "minimum": 0},
      "max_tokens": {"type": "integer", "minimum": 1, "title": "Longest answer"},
      "budget_usd": {"type": "number", "minimum": 0, "title": "Budget in USD"},
      "again": {"type": "string", "title": "Run again"},
      "answer_column": {"type": "string"}}}}
