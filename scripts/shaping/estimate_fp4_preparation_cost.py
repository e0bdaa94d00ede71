# skip_result_postprocessing
"""Estimate FP4 preparation cost.

POST /v1/shaping/prepare-for-fp4-inference/estimate

Tells price and duration of a conversion to FP4 without starting it. Takes the same
inputs as Create FP4 preparation.

Returns: price_usd, time_hours, credit_limit, and allowed_to_proceed, which says whether
the project can pay for it.

Example arguments:
    {"body": {"inputs": {"model_object_id": "ml_CbJNwS2v9Qx8"}}}

Rendered from schemas/shaping/estimate_fp4_preparation_cost.json; edit that, not this.
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
OPERATION = {"method": "POST", "path": "/v1/shaping/prepare-for-fp4-inference/estimate", "retry": "read",
  "arguments": {"required": ["body"], "properties": {
      "body": {"type": "object", "required": ["inputs"], "properties": {
          "inputs": {"type": "object", "required": ["model_object_id"], "properties": {
              "calibration_file_id": {"type": "string"},
              "model_object_id": {"type": "string"},
              "model_revision_id": {"type": "string"}}}}}}}}
