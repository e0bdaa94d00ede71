# skip_result_postprocessing
"""List model resources (beta).

GET /v1/rl/model-resources

Lists the reserved GPUs of the project. Use it to find forgotten ones that still cost
money, or to see whether an unanswered creation was carried out.

Returns: data with the model resources (id, status, base_model, expires_at) and
meta.has_more; for the next page give the id of the last one as after.

Rendered from schemas/rl/list_model_resources.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(
    auth: togetherai,
    after: str | None = None,
    created_by: str | None = None,
    limit: int | None = None,
    status: list[str] | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        after=after,
        created_by=created_by,
        limit=limit,
        status=status,
    )


# fmt: off
OPERATION = {"method": "GET", "path": "/v1/rl/model-resources", "retry": "read", "arguments": {
    "properties": {
      "after": {"type": "string", "x-in": "query"},
      "created_by": {"type": "string", "x-in": "query"},
      "limit": {"type": "integer", "x-in": "query"},
      "status": {"type": "array", "x-in": "query", "items": {"type": "string"}}}}}
