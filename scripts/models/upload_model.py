# skip_result_postprocessing
"""Upload model.

POST /v1/models

Imports a model or LoRA adapter from Hugging Face or a signed archive address in one
step. The import runs in the background. For uploads into a project use Create project
model instead.

Returns: in data the job_id, which goes to models/get_model_upload_job, with the
model_name for later requests and the model_id.

Example arguments:
    {"body": {"model_name": "support-writer", "model_source": "acme/support-writer"}}

Rendered from schemas/models/upload_model.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, NotRequired, TypedDict

    class Body(TypedDict):
        model_name: str
        model_source: str
        model_type: NotRequired[Literal["model", "adapter"]]
        base_model: NotRequired[str]
        lora_model: NotRequired[str]
        hf_token: NotRequired[str]
        description: NotRequired[str]


def main(auth: togetherai, body: "Body"):
    return run(call, auth, OPERATION, body=body)


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/models", "retry": "creates", "find": "models/list_model_upload_jobs",
  "arguments": {"required": ["body"], "properties": {
      "body": {"type": "object", "required": ["model_name", "model_source"], "properties": {
          "model_name": {"type": "string"},
          "model_source": {"type": "string"},
          "model_type": {"type": "string", "enum": ["model", "adapter"]},
          "base_model": {"type": "string"},
          "lora_model": {"type": "string"},
          "hf_token": {"type": "string"},
          "description": {"type": "string"}}}}}}
