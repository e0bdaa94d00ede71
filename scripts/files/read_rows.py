# skip_result_postprocessing
"""Read rows.

Reads the rows of a table, JSON Lines, a JSON list or CSV, into the result, for a flow
to loop over.

Returns: rows, a list of objects, and count.

Example arguments:
    {"rows": [{"subject": "a fox"}]}

Rendered from schemas/files/read_rows.json; edit that, not this.
"""

from ..client import run, togetherai
from ..reading import read_rows

STEP = {
    "arguments": {
        "required": ["rows"],
        "properties": {
            "rows": {"x-file": "content"},
            "most": {"type": "integer", "minimum": 1, "default": 1000},
        },
    },
}


def main(auth: togetherai, rows: "str | list | dict", most: int = 1000):
    return run(read_rows, auth, STEP, rows=rows, most=most)
