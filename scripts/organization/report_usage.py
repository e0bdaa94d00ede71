# skip_result_postprocessing
"""Report usage.

Adds up what the organization spent, by day and by product, and draws it. Costs nothing.

Returns: total_usd, days with their cost, products with cost and share, dearest first,
and a chart.

Rendered from schemas/organization/report_usage.json; edit that, not this.
"""

from ..account_steps import report_usage
from ..client import run, togetherai


def main(auth: togetherai, since: str | None = None, until: str | None = None):
    return run(report_usage, auth, STEP, since=since, until=until)


# fmt: off
STEP = {
  "arguments": {
    "properties": {
      "since": {"type": "string", "pattern": "^\\d{4}-\\d{2}-\\d{2}",
        "description": "First day, such as 2026-11-01. Left empty: the first of the last day's month; with no last day either, of yesterday's month."},
      "until": {"type": "string", "pattern": "^\\d{4}-\\d{2}-\\d{2}",
        "description": "Last day, such as 2026-11-24. Left empty: today."}}}}
