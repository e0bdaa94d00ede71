# skip_result_postprocessing
"""Create deployment volume (costs money).

POST /v1/deployments/storage/volumes

Makes a read-only folder of files, such as model weights, that container deployments can
mount. The files come from an S3 bucket or from names uploaded with Request storage
upload or Initiate multipart storage upload.

Returns: the volume; its name goes into volumes of deployments/create_deployment, and
status of deployments/get_deployment_volume tells when a copy from S3 is ready.

Example arguments:
    {"body": {"name": "speech-weights", "type": "readOnly", "content": {"type": "files",
    "source_prefix": "speech-weights/0"}}}

Rendered from schemas/deployments/create_deployment_volume.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, NotRequired, TypedDict

    class S3(TypedDict):
        role_arn: str
        uri: str

    class Origin(TypedDict):
        s3: S3

    class Content(TypedDict):
        source_prefix: NotRequired[str]
        type: NotRequired[Literal["files"]]
        origin: NotRequired[Origin]

    class Body(TypedDict):
        content: Content
        name: str
        type: Literal["readOnly"]


def main(auth: togetherai, body: "Body"):
    return run(call, auth, OPERATION, body=body)


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/deployments/storage/volumes", "retry": "creates",
  "find": "deployments/list_deployment_volumes", "arguments": {"required": ["body"], "properties": {
      "body": {"type": "object", "required": ["content", "name", "type"], "properties": {
          "content": {"type": "object", "properties": {
              "source_prefix": {"type": "string"},
              "type": {"type": "string", "enum": ["files"]},
              "origin": {"type": "object", "required": ["s3"], "x-choice": True, "properties": {
                  "s3": {"type": "object", "required": ["role_arn", "uri"], "properties": {
                      "role_arn": {"type": "string"}, "uri": {"type": "string"}}}}}}},
          "name": {"type": "string"},
          "type": {"type": "string", "enum": ["readOnly"]}}}}}}
