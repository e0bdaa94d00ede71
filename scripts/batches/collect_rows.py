# skip_result_postprocessing
"""Collect rows of a batch.

Brings the answers of a batch that is over, in the order of the rows it was made of,
each with its answer or the reason why there is none. A batch that failed, expired or
was cancelled gives what it has.

Returns: rows, each with custom_id, its columns, the answer and <answer_column>_error
(why there is none); done, failed and cut count them; status of the batch, or of the
first that was lost, usage, cost_usd at the price of batches; all that in short as
markdown. With output storage, s3 leads to the file instead; with output table, nothing
but the rows. Of several, batches says what each answered, and lost what is missing.
Fails when no row was answered.

Example arguments:
    {"batch_id": "2d6f0b1e-8c4a-4f7d-9b35-6a1e0c9d8f72"}

Rendered from schemas/batches/collect_rows.json; edit that, not this.
"""

from ..batch_files.batch_steps import collect_rows
from ..client import run, togetherai


def main(
    auth: togetherai,
    batch_id: str,
    rows: "str | list | dict | None" = None,
    output: str = "result",
    answer_column: str = "answer",
    fail_when_failed_share: float | None = None,
):
    return run(
        collect_rows,
        auth,
        STEP,
        batch_id=batch_id,
        rows=rows,
        output=output,
        answer_column=answer_column,
        fail_when_failed_share=fail_when_failed_share,
    )


# fmt: off
STEP = {
  "arguments": {"required": ["batch_id"], "properties": {
      "batch_id": {"type": "string"},
      "rows": {"x-file": "content", "x-choice": True},
      "output": {"type": "string", "enum": ["result", "table", "storage", "gzip"], "default": "result"},
      "answer_column": {"type": "string", "minLength": 1, "default": "answer"},
      "fail_when_failed_share": {"type": "number", "minimum": 0, "maximum": 1, "title": "Fail when more fail than"}}}}
