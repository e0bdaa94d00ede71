# skip_result_postprocessing
"""Join a table.

Joins what jobs answered to the parts of a table, in the order of its rows: the last
step of flows/map_rows_across_workers. A part without answers is told, and its rows are
in the table with the reason. Costs nothing.

Returns: rows, each with its columns, the answer and <answer_column>_error (why there is
none); done, failed and cut count them, or dimensions; lost, which rows no job answered;
models, of several how many rows each answered; usage, cost_usd; all that in short as
markdown, whose first line says whether it is partly done. With output storage, s3 leads
to the file instead; with output table, nothing but the rows.

Example arguments:
    {"parts": "[{\\"rows\\": {\\"s3\\": \\"windmill_uploads/0a1b_part_1.jsonl\\",
    \\"part\\": {\\"number\\": 1, \\"of\\": 1, \\"start\\": 0, \\"end\\": 36,
    \\"head\\": 0, \\"line\\": 1, \\"rows\\": 2, \\"csv\\": null, \\"tag\\": null,
    \\"size\\": 36, \\"kept\\": \\"storage\\"}}}]", "answered": "[{\\"error\\":
    {\\"name\\": \\"TogetherError\\", \\"message\\": \\"401 Unauthorized\\"}}]"}

Rendered from schemas/files/join_table.json; edit that, not this.
"""

from ..client import run, togetherai
from ..file_steps.storage_steps import join_table


def main(
    auth: togetherai,
    parts: str,
    answered: str,
    kind: str = "map_rows",
    slices: str | None = None,
    lease: str | None = None,
    answer_column: str = "answer",
    output: str = "result",
    fail_when_failed_share: float | None = None,
):
    return run(
        join_table,
        auth,
        STEP,
        parts=parts,
        answered=answered,
        kind=kind,
        slices=slices,
        lease=lease,
        answer_column=answer_column,
        output=output,
        fail_when_failed_share=fail_when_failed_share,
    )


# fmt: off
STEP = {
  "arguments": {"required": ["parts", "answered"], "properties": {
      "parts": {"type": "string"},
      "answered": {"type": "string"},
      "kind": {"type": "string", "enum": ["map_rows", "embed_rows", "map_files"], "default": "map_rows"},
      "slices": {"type": "string"},
      "lease": {"type": "string"},
      "answer_column": {"type": "string", "minLength": 1, "default": "answer"},
      "output": {"type": "string", "enum": ["result", "table", "storage", "gzip"], "default": "result"},
      "fail_when_failed_share": {"type": "number", "minimum": 0, "maximum": 1, "title": "Fail when more fail than"}}}}
