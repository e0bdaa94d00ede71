# skip_result_postprocessing
"""Update project model.

PATCH /v2/projects/{project_id}/models/{model_id}

Changes name, description or visibility of a model in a project. Only what you fill in
is changed; the weights stay as they are.

Returns: the model as it is now.

Example arguments:
    {"model_id": "ml_CbJNwS2v9Qx8", "body": {"name": "support-writer-v2"}}

Rendered from schemas/models/update_project_model.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, NotRequired, TypedDict

    class Body(TypedDict):
        description: NotRequired[str]
        name: NotRequired[str]
        visibility: NotRequired[Literal["VISIBILITY_PRIVATE", "VISIBILITY_INTERNAL"]]


def main(
    auth: togetherai,
    model_id: str,
    body: "Body" = None,
    project_id: str | None = None,
    updateMask: str | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        model_id=model_id,
        body=body,
        project_id=project_id,
        updateMask=updateMask,
    )


# fmt: off
OPERATION = {"method": "PATCH", "path": "/v2/projects/{project_id}/models/{model_id}", "retry": "mutates",
  "find": "models/get_project_model", "arguments": {"required": ["model_id"], "properties": {
      "model_id": {"type": "string", "x-in": "path"},
      "body": {"type": "object", "properties": {
          "description": {"type": "string"},
          "name": {"type": "string"},
          "visibility": {"type": "string", "enum": ["VISIBILITY_PRIVATE", "VISIBILITY_INTERNAL"]}}},
      "project_id": {"type": "string", "x-in": "path"},
      "updateMask": {"type": "string", "x-in": "query"}}}}
