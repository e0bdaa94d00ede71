# skip_result_postprocessing
"""List model remote upload events.

GET /v2/projects/{project_id}/models/uploads/{upload_id}/events

Shows the log of one import of model files. Use it to find out why an import failed.

Returns: events in data with level, message and createdAt, and next_cursor when there
are more.

Example arguments:
    {"upload_id": "c7e1a5d3-0f48-4e92-b6a7-5d3c2b1a0f9e"}

Rendered from schemas/models/list_model_remote_upload_events.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(
    auth: togetherai,
    upload_id: str,
    project_id: str | None = None,
    after: str | None = None,
    limit: int | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        upload_id=upload_id,
        project_id=project_id,
        after=after,
        limit=limit,
    )


# fmt: off
OPERATION = {"method": "GET", "path": "/v2/projects/{project_id}/models/uploads/{upload_id}/events", "retry": "read",
  "arguments": {"required": ["upload_id"], "properties": {
      "upload_id": {"type": "string", "x-in": "path"},
      "project_id": {"type": "string", "x-in": "path"},
      "after": {"type": "string", "x-in": "query"},
      "limit": {"type": "integer", "x-in": "query"}}}}
