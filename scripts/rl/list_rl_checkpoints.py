# skip_result_postprocessing
"""List RL checkpoints (beta).

GET /v1/rl/checkpoints

Lists the saved checkpoints, newest first. Use it to find the one to resume from or to
download.

Returns: data with the checkpoints (id, type, session_id, step) and meta.has_more; for
the next page give the id of the last one as after.

Rendered from schemas/rl/list_rl_checkpoints.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(
    auth: togetherai,
    after: str | None = None,
    base_model: str | None = None,
    limit: int | None = None,
    session_id: str | None = None,
    type: str | None = None,
    max_pages: int | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        after=after,
        base_model=base_model,
        limit=limit,
        session_id=session_id,
        type=type,
        max_pages=max_pages,
    )


# fmt: off
OPERATION = {"method": "GET", "path": "/v1/rl/checkpoints", "retry": "read", "pages": "last_id",
  "arguments": {
    "properties": {
      "after": {"type": "string", "x-in": "query"},
      "base_model": {"type": "string", "x-in": "query"},
      "limit": {"type": "integer", "x-in": "query"},
      "session_id": {"type": "string", "x-in": "query"},
      "type": {"type": "string", "enum": ["CHECKPOINT_TYPE_TRAINING", "CHECKPOINT_TYPE_INFERENCE"], "x-in": "query"},
      "max_pages": {"type": "integer", "minimum": 1, "x-in": "pages"}}}}
