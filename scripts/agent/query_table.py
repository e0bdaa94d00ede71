# skip_result_postprocessing
"""Query a table.

Use it to learn what a table holds and to count, sum and compare in it: far surer than
reading rows. Without where, group_by, measures and sort it describes the columns. Costs
nothing.

Returns: text, the answer as CSV, with how many rows match; rows, how many the table
has; matched.

Example arguments:
    {"table": "s3:///shop/orders.csv"}

Rendered from schemas/agent/query_table.json; edit that, not this.
"""

from ..agent_tools.agent_steps import query_table
from ..client import run, togetherai


def main(
    auth: togetherai,
    table: str,
    where: list[str] | None = None,
    group_by: list[str] | None = None,
    measures: list[str] | None = None,
    sort: str | None = None,
    columns: list[str] | None = None,
    most: int = 50,
    among: list[str] | None = None,
):
    return run(
        query_table,
        auth,
        STEP,
        table=table,
        where=where,
        group_by=group_by,
        measures=measures,
        sort=sort,
        columns=columns,
        most=most,
        among=among,
    )


# fmt: off
STEP = {
  "arguments": {"required": ["table"], "properties": {
      "table": {"type": "string"},
      "where": {"type": "array", "minItems": 1, "maxItems": 10, "items": {"type": "string"}},
      "group_by": {"type": "array", "minItems": 1, "maxItems": 4, "items": {"type": "string"}, "title": "Groups"},
      "measures": {"type": "array", "minItems": 1, "maxItems": 10, "items": {"type": "string"}},
      "sort": {"type": "string", "minLength": 1},
      "columns": {"type": "array", "minItems": 1, "maxItems": 50, "items": {"type": "string"}},
      "most": {"type": "integer", "minimum": 1, "maximum": 200, "default": 50},
      "among": {"type": "array", "minItems": 1, "items": {"type": "string"}}}}}
