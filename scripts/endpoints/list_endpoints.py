# skip_result_postprocessing
"""List endpoints (ends with 2026).

GET /v1/endpoints

Lists version 1 endpoints: your dedicated ones and, unless filtered, the public
serverless ones. Use it to find ids and what is running. Those of version 2 are listed
by endpoints/list_project_endpoints.

Returns: the list in data; each id goes to endpoints/get_endpoint, and state tells
whether it runs.

API reference: https://docs.together.ai/reference/listendpoints
Rendered from schemas/endpoints/list_endpoints.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(
    auth: togetherai,
    type: str | None = None,
    usage_type: str | None = None,
    mine: "bool | None" = None,
):
    return run(call, auth, OPERATION, type=type, usage_type=usage_type, mine=mine)


# fmt: off
OPERATION = {"method": "GET", "path": "/v1/endpoints", "retry": "read", "arguments": {
    "properties": {
      "type": {"type": "string", "enum": ["dedicated", "serverless"], "x-in": "query"},
      "usage_type": {"type": "string", "enum": ["on-demand", "reserved"], "x-in": "query"},
      "mine": {"type": "boolean", "x-in": "query"}}}}
