# skip_result_postprocessing
"""List training sessions (beta).

GET /v1/rl/training-sessions

Lists the training sessions of the project, running and ended ones. Use it to find the
ID of a session, or to see whether an unanswered creation was carried out.

Returns: data with the sessions (id, status, base_model, step) and meta.has_more; for
the next page give the id of the last one as after.

Rendered from schemas/rl/list_training_sessions.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(
    auth: togetherai,
    status: list[str] | None = None,
    limit: int | None = None,
    after: str | None = None,
    created_by: str | None = None,
    model_resources_id: str | None = None,
    max_pages: int | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        status=status,
        limit=limit,
        after=after,
        created_by=created_by,
        model_resources_id=model_resources_id,
        max_pages=max_pages,
    )


# fmt: off
OPERATION = {"method": "GET", "path": "/v1/rl/training-sessions", "retry": "read", "pages": "last_id",
  "arguments": {
    "properties": {
      "status": {"type": "array", "x-in": "query", "items": {"type": "string"}},
      "limit": {"type": "integer", "x-in": "query"},
      "after": {"type": "string", "x-in": "query"},
      "created_by": {"type": "string", "x-in": "query"},
      "model_resources_id": {"type": "string", "x-in": "query"},
      "max_pages": {"type": "integer", "minimum": 1, "x-in": "pages"}}}}
