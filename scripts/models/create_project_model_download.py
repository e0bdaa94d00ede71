# skip_result_postprocessing
"""Create project model download.

POST /v2/projects/{project_id}/models/download

Gets signed addresses from which the files of a model can be fetched, in parts. Needs a
model and one of its versions.

Returns: one entry per file with its parts; fetch each url with GET and its headers, and
join the parts in order. With output storage each entry also has s3, the key of the
whole file.

Example arguments:
    {"body": {"objectId": "ml_CbJNwS2v9Qx8", "paths": ["config.json"], "revisionId":
    "9f2c7a41-6d3e-4b08-8a5f-1c7e0d9b2a64"}}

Rendered from schemas/models/create_project_model_download.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypedDict

    class Body(TypedDict):
        objectId: str
        paths: list[str]
        revisionId: str


def main(
    auth: togetherai,
    body: "Body",
    project_id: str | None = None,
    output: str = "url",
):
    return run(call, auth, OPERATION, body=body, project_id=project_id, output=output)


# fmt: off
OPERATION = {"method": "POST", "path": "/v2/projects/{project_id}/models/download", "retry": "read",
  "brings": {"at": "files/*", "kind": "file"}, "arguments": {"required": ["body"], "properties": {
      "body": {"type": "object", "required": ["objectId", "paths", "revisionId"], "properties": {
          "objectId": {"type": "string"},
          "paths": {"type": "array", "minItems": 0, "items": {"type": "string"}},
          "revisionId": {"type": "string"}}},
      "project_id": {"type": "string", "x-in": "path"},
      "output": {"type": "string", "enum": ["url", "storage"], "x-in": "result", "default": "url"}}}}
