# skip_result_postprocessing
"""List model configs.

GET /v2/projects/{project_id}/configs

Shows the ready-made settings (engine and hardware) with which a model can be deployed.
Pick one for Create endpoint deployment.

Returns: configs in data and next_cursor when there are more; the id of one goes to a
deployment or to models/get_model_config.

Rendered from schemas/models/list_model_configs.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(
    auth: togetherai,
    project_id: str | None = None,
    after: str | None = None,
    limit: int | None = None,
    referenceModel: str | None = None,
    referenceModelId: str | None = None,
    max_pages: int | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        project_id=project_id,
        after=after,
        limit=limit,
        referenceModel=referenceModel,
        referenceModelId=referenceModelId,
        max_pages=max_pages,
    )


# fmt: off
OPERATION = {"method": "GET", "path": "/v2/projects/{project_id}/configs", "retry": "read", "pages": "cursor",
  "arguments": {
    "properties": {
      "project_id": {"type": "string", "x-in": "path"},
      "after": {"type": "string", "x-in": "query"},
      "limit": {"type": "integer", "x-in": "query"},
      "referenceModel": {"type": "string", "x-in": "query"},
      "referenceModelId": {"type": "string", "x-in": "query"},
      "max_pages": {"type": "integer", "minimum": 1, "x-in": "pages"}}}}
