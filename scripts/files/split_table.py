# skip_result_postprocessing
"""Split a table.

Cuts a table in storage or at a URL into parts, each for a job of its own: the first
step of flows/map_rows_across_workers. JSON Lines and CSV at a URL are cut by ranges of
bytes; everything else is written to the workspace's storage, part by part. Costs
nothing.

Returns: parts, of which each has rows for chat/map_rows or embeddings/embed_rows, and
budget_usd, its share; count, how many rows there are; model, the one that was chosen;
slices and lease, which files/join_table takes. No row is in it.

Example arguments:
    {"rows": {"url": "https://www.example.com/comments.csv"}}

Rendered from schemas/files/split_table.json; edit that, not this.
"""

from ..client import run, togetherai
from ..file_steps.storage_steps import split_table


def main(
    auth: togetherai,
    rows: "str | list | dict",
    part_rows: int = 1000,
    template: str | None = None,
    column: str | None = None,
    answer_column: str | None = None,
    budget_usd: float | None = None,
    asked: "dict | None" = None,
    task: str | None = None,
):
    return run(
        split_table,
        auth,
        STEP,
        rows=rows,
        part_rows=part_rows,
        template=template,
        column=column,
        answer_column=answer_column,
        budget_usd=budget_usd,
        asked=asked,
        task=task,
    )


# fmt: off
STEP = {
  "arguments": {"required": ["rows"], "properties": {
      "rows": {"x-file": "content", "x-choice": True},
      "part_rows": {"type": "integer", "minimum": 1, "default": 1000, "title": "Rows of a part"},
      "template": {"type": "string"},
      "column": {"type": "string"},
      "answer_column": {"type": "string"},
      "budget_usd": {"type": "number", "minimum": 0, "title": "Budget in USD"},
      "asked": {"type": "object"},
      "task": {"type": "string", "enum": ["chat", "vision", "transcription"], "title": "Choose a model for"}}}}
