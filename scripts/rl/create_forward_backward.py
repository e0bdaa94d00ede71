# skip_result_postprocessing
"""Create forward-backward pass (beta).

POST /v1/rl/training-sessions/{session_id}/operations/forward-backward

Computes the loss of a batch of samples and collects the gradients in a training
session. Afterwards apply them with rl/create_optim_step. The session must be running;
samples usually come from rl/get_sample with advantages that you computed from rewards.

Returns: the operation; its id goes to rl/get_forward_backward, which shows status and,
once completed, output.loss and output.metrics.

Example arguments:
    {"session_id": "0b9d4e71-6c25-4a8f-b1d3-7e5f2a90c846", "body": {"samples":
    [{"model_input": {"chunks": [{"encoded_text": {"tokens": [9906, 11, 1917]}}]},
    "loss_fn_inputs": {"target_tokens": {"data": [11, 1917, 0], "dtype": "int64"},
    "weights": {"data": [0, 1, 1], "dtype": "float32"}}}], "loss": {"type":
    "LOSS_TYPE_CROSS_ENTROPY"}}}

Rendered from schemas/rl/create_forward_backward.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, NotRequired, TypedDict

    class EncodedText(TypedDict):
        tokens: list[str | int]

    class Chunks(TypedDict):
        encoded_text: EncodedText

    class ModelInput(TypedDict):
        chunks: list[Chunks]

    class LossFnInputs(TypedDict):
        data: list[float]
        dtype: Literal["int64", "float32"]
        shape: NotRequired[list[int]]
        sparse_col_indices: NotRequired[list[int]]
        sparse_crow_indices: NotRequired[list[int]]

    class Samples(TypedDict):
        model_input: ModelInput
        loss_fn_inputs: dict[str, LossFnInputs]
        routed_experts_key: NotRequired[str]

    class GrpoParams(TypedDict):
        beta: NotRequired[float]
        agg_type: NotRequired[str]
        clip_high_threshold: NotRequired[float]
        clip_low_threshold: NotRequired[float]
        ratio_type: NotRequired[str]

    class CispoParams(TypedDict):
        clip_high_threshold: NotRequired[float]
        clip_low_threshold: NotRequired[float]

    class DppoParams(TypedDict):
        delta_high: NotRequired[float]
        delta_low: NotRequired[float]

    class DroParams(TypedDict):
        beta: float

    class Loss(TypedDict):
        type: str
        cross_entropy_params: NotRequired[dict]
        grpo_params: NotRequired[GrpoParams]
        cispo_params: NotRequired[CispoParams]
        dppo_params: NotRequired[DppoParams]
        dro_params: NotRequired[DroParams]
        ppo_params: NotRequired[CispoParams]

    class Body(TypedDict):
        samples: list[Samples]
        loss: Loss
        forward_only: NotRequired[bool]
        return_loss_fn_outputs: NotRequired[bool]
        payload_id: NotRequired[str]


def main(
    auth: togetherai,
    session_id: str,
    body: "Body",
    idempotency_key: str | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        session_id=session_id,
        body=body,
        idempotency_key=idempotency_key,
    )


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/rl/training-sessions/{session_id}/operations/forward-backward",
  "retry": "creates", "arguments": {"required": ["session_id", "body"], "properties": {
      "session_id": {"type": "string", "x-in": "path"},
      "body": {"type": "object", "required": ["samples", "loss"], "properties": {
          "samples": {"type": "array", "items": {"type": "object", "required": ["model_input", "loss_fn_inputs"],
              "properties": {
                "model_input": {"type": "object", "required": ["chunks"], "properties": {
                    "chunks": {"type": "array", "items": {"type": "object", "required": ["encoded_text"],
                        "properties": {
                          "encoded_text": {"type": "object", "required": ["tokens"], "properties": {
                              "tokens": {"type": "array", "minItems": 0, "items": {"anyOf": [
                                    {"type": "string", "title": "Text"}, {"type": "integer", "title": "Number"}]}}}}}}}}},
                "loss_fn_inputs": {"type": "object", "additionalProperties": {"type": "object",
                    "required": ["data", "dtype"], "properties": {
                      "data": {"type": "array", "minItems": 0, "items": {"type": "number"}},
                      "dtype": {"type": "string", "enum": ["int64", "float32"]},
                      "shape": {"type": "array", "items": {"type": "integer"}},
                      "sparse_col_indices": {"type": "array", "items": {"type": "integer"}},
                      "sparse_crow_indices": {"type": "array", "items": {"type": "integer"}}}}},
                "routed_experts_key": {"type": "string"}}}},
          "loss": {"type": "object", "required": ["type"], "properties": {
              "type": {"type": "string"},
              "cross_entropy_params": {"type": "object", "x-choice": True, "properties": {}},
              "grpo_params": {"type": "object", "x-choice": True, "properties": {
                  "beta": {"type": "number"},
                  "agg_type": {"type": "string", "enum": ["GRPO_LOSS_AGGREGATION_TYPE_UNSPECIFIED",
                      "GRPO_LOSS_AGGREGATION_TYPE_FIXED_HORIZON", "GRPO_LOSS_AGGREGATION_TYPE_TOKEN_MEAN",
                      "GRPO_LOSS_AGGREGATION_TYPE_SEQUENCE_MEAN"]},
                  "clip_high_threshold": {"type": "number"},
                  "clip_low_threshold": {"type": "number"},
                  "ratio_type": {"type": "string", "enum": ["GRPO_LOSS_RATIO_TYPE_TOKEN",
                      "GRPO_LOSS_RATIO_TYPE_SEQUENCE"]}}},
              "cispo_params": {"type": "object", "x-choice": True, "properties": {
                  "clip_high_threshold": {"type": "number"}, "clip_low_threshold": {"type": "number"}}},
              "dppo_params": {"type": "object", "x-choice": True, "properties": {
                  "delta_high": {"type": "number"}, "delta_low": {"type": "number"}}},
              "dro_params": {"type": "object", "required": ["beta"], "x-choice": True, "properties": {
                  "beta": {"type": "number"}}},
              "ppo_params": {"type": "object", "x-choice": True, "properties": {
                  "clip_high_threshold": {"type": "number"}, "clip_low_threshold": {"type": "number"}}}}},
          "forward_only": {"type": "boolean"},
          "return_loss_fn_outputs": {"type": "boolean"},
          "payload_id": {"type": "string"}}},
      "idempotency_key": {"type": "string", "x-in": "header", "x-wire": "Idempotency-Key"}}}}
