# skip_result_postprocessing
"""Create FP4 preparation (costs money).

POST /v1/shaping/prepare-for-fp4-inference

Converts a fine-tuned model to 4-bit numbers (FP4) so that it runs faster and on less
memory; an adapter is merged into its base model first. See the price with Estimate FP4
preparation cost.

Returns: the job; its id goes to shaping/get_shaping_job, and results will name the new
model.

Example arguments:
    {"body": {"inputs": {"model_object_id": "ml_CbJNwS2v9Qx8"}}}

Rendered from schemas/shaping/create_fp4_preparation.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NotRequired, TypedDict

    class Inputs(TypedDict):
        calibration_file_id: NotRequired[str]
        model_object_id: str
        model_revision_id: NotRequired[str]

    class Body(TypedDict):
        inputs: Inputs


def main(auth: togetherai, body: "Body"):
    return run(call, auth, OPERATION, body=body)


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/shaping/prepare-for-fp4-inference", "retry": "creates",
  "find": "shaping/list_shaping_jobs", "arguments": {"required": ["body"], "properties": {
      "body": {"type": "object", "required": ["inputs"], "properties": {
          "inputs": {"type": "object", "required": ["model_object_id"], "properties": {
              "calibration_file_id": {"type": "string"},
              "model_object_id": {"type": "string"},
              "model_revision_id": {"type": "string"}}}}}}}}
