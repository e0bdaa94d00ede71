# skip_result_postprocessing
"""Read Parquet.

Turns a Parquet file into JSON Lines in the workspace's storage, which every step over
rows takes. Costs nothing.

Returns: s3, the JSON Lines in storage, or rows; count, how many there are; columns,
their names. Dates and times are texts, and so are NaN, infinite and longer numbers than
JSON holds; bytes are hexadecimal.

Example arguments:
    {"file": {"s3": "shop/orders.parquet"}}

Rendered from schemas/files/read_parquet.json; edit that, not this.
"""

from ..client import run, togetherai
from ..parquet_steps import read_parquet


def main(auth: togetherai, file: "str | list | dict", output: str = "storage"):
    return run(read_parquet, auth, STEP, file=file, output=output)


# fmt: off
STEP = {
  "arguments": {"required": ["file"], "properties": {
      "file": {"x-file": "content", "x-choice": True},
      "output": {"type": "string", "enum": ["storage", "gzip", "result"], "default": "storage"}}}}
