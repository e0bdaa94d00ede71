# skip_result_postprocessing
"""Update deployment volume.

PATCH /v1/deployments/storage/volumes/{volume_id}

Gives a volume new files as a further version, or a new name; only what is filled in
changes. Upload the files under a new path prefix first, or name an S3 bucket. Then
choose the new version in the deployments with Update deployment.

Returns: the volume; current_version is the number to mount with
deployments/update_deployment.

Example arguments:
    {"volume_id": "speech-weights", "body": {}}

Rendered from schemas/deployments/update_deployment_volume.json; edit that, not this.
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
        content: NotRequired[Content]
        name: NotRequired[str]
        type: NotRequired[Literal["readOnly"]]


def main(auth: togetherai, volume_id: str, body: "Body" = None):
    return run(call, auth, OPERATION, volume_id=volume_id, body=body)


# fmt: off
OPERATION = {"method": "PATCH", "path": "/v1/deployments/storage/volumes/{volume_id}", "retry": "mutates",
  "find": "deployments/get_deployment_volume", "arguments": {"required": ["volume_id"],
    "properties": {
      "volume_id": {"type": "string", "x-in": "path"},
      "body": {"type": "object", "properties": {
          "content": {"type": "object", "x-choice": True, "properties": {
              "source_prefix": {"type": "string"},
              "type": {"type": "string", "enum": ["files"]},
              "origin": {"type": "object", "required": ["s3"], "x-choice": True, "properties": {
                  "s3": {"type": "object", "required": ["role_arn", "uri"], "properties": {
                      "role_arn": {"type": "string"}, "uri": {"type": "string"}}}}}}},
          "name": {"type": "string"},
          "type": {"type": "string", "enum": ["readOnly"]}}}}}}
