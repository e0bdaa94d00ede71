# skip_result_postprocessing
"""List billing usage.

GET /v1/billing/usage

Shows what the organization of the API key used and paid in a month, per day or hour and
product.

Returns: time windows in data, each with line_items (product_name, quantity, unit_price,
cost), and next_cursor when there are more.

Rendered from schemas/organization/list_billing_usage.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(
    auth: togetherai,
    after: str | None = None,
    granularity: str | None = None,
    limit: int | None = None,
    month: str | None = None,
    organization_id: str | None = None,
    max_pages: int | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        after=after,
        granularity=granularity,
        limit=limit,
        month=month,
        organization_id=organization_id,
        max_pages=max_pages,
    )


# fmt: off
OPERATION = {"method": "GET", "path": "/v1/billing/usage", "retry": "read", "pages": "cursor",
  "arguments": {
    "properties": {
      "after": {"type": "string", "x-in": "query"},
      "granularity": {"type": "string", "enum": ["day", "hour"], "x-in": "query"},
      "limit": {"type": "integer", "x-in": "query"},
      "month": {"type": "string", "x-in": "query"},
      "organization_id": {"type": "string", "x-in": "query"},
      "max_pages": {"type": "integer", "minimum": 1, "x-in": "pages"}}}}
