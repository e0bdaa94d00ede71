# skip_result_postprocessing
"""Collect pictures.

Joins the pictures that a flow had drawn for the rows of a table, one by one, to these
rows. Costs nothing.

Returns: rows, each with its columns, picture (the stored object or address, and the
seed) and picture_error (why there is none); message, done, failed, cost_usd; in short
as markdown. With output table, nothing but the rows.

Example arguments:
    {"rows": [{"animal": "a fox"}], "drawn": [{"pictures": [{"s3":
    "windmill_uploads/1f2e_picture-1.png", "filename": "picture-1.png"}], "seed": 7,
    "cost_usd": 0.003}]}

Rendered from schemas/images/collect_pictures.json; edit that, not this.
"""

from ..client import run, togetherai
from ..media.image_steps import collect_pictures


def main(
    auth: togetherai,
    rows: "str | list | dict",
    drawn: "str | list | dict",
    answer_column: str = "picture",
    output: str = "result",
    fail_when_failed_share: float | None = None,
    note: str | None = None,
):
    return run(
        collect_pictures,
        auth,
        STEP,
        rows=rows,
        drawn=drawn,
        answer_column=answer_column,
        output=output,
        fail_when_failed_share=fail_when_failed_share,
        note=note,
    )


# fmt: off
STEP = {
  "arguments": {"required": ["rows", "drawn"], "properties": {
      "rows": {"x-file": "content", "x-choice": True},
      "drawn": {"x-file": "content", "x-choice": True},
      "answer_column": {"type": "string", "minLength": 1, "default": "picture"},
      "output": {"type": "string", "enum": ["result", "table", "storage", "gzip"], "default": "result"},
      "fail_when_failed_share": {"type": "number", "minimum": 0, "maximum": 1, "title": "Fail when more fail than"},
      "note": {"type": "string"}}}}
