# skip_result_postprocessing
"""Write Parquet.

Writes a table, such as the JSON Lines that a step over rows left in storage, to a
Parquet file in the workspace's storage. Costs nothing.

Returns: s3, the file; count, how many rows it has; columns, the type of each: bool,
int, float, text, or lists of numbers (ints, floats). What is mixed or nested deeper is
text, as JSON.

Example arguments:
    {"rows": [{"city": "Oslo", "sold": 12}]}

Rendered from schemas/files/write_parquet.json; edit that, not this.
"""

from ..client import run, togetherai
from ..parquet_steps import write_parquet


def main(auth: togetherai, rows: "str | list | dict"):
    return run(write_parquet, auth, STEP, rows=rows)


STEP = {
    "arguments": {
        "required": ["rows"],
        "properties": {"rows": {"x-file": "content", "x-choice": True}},
    },
}
