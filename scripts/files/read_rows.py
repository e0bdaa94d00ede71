# skip_result_postprocessing
"""Read rows.

Reads the rows of a table, JSON Lines, a JSON list, CSV or Excel, into the result, for a
flow to loop over.

Returns: rows, a list of objects, and count, and texts, one for each row (null where all
that the template names is blank), if there is a template; in short as markdown. With
output table, nothing but the rows.

Example arguments:
    {"rows": [{"subject": "a fox"}]}

Rendered from schemas/files/read_rows.json; edit that, not this.
"""

from ..client import run, togetherai
from ..file_steps.storage_steps import read_rows


def main(
    auth: togetherai,
    rows: "str | list | dict",
    most: int = 1000,
    answer_column: str | None = None,
    template: str | None = None,
    output: str = "result",
):
    return run(
        read_rows,
        auth,
        STEP,
        rows=rows,
        most=most,
        answer_column=answer_column,
        template=template,
        output=output,
    )


# fmt: off
STEP = {
  "arguments": {"required": ["rows"], "properties": {
      "rows": {"x-file": "content", "x-choice": True},
      "most": {"type": "integer", "minimum": 1, "default": 1000},
      "answer_column": {"type": "string"},
      "template": {"type": "string"},
      "output": {"type": "string", "enum": ["result", "table"], "default": "result"}}}}
