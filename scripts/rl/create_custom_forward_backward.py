# skip_result_postprocessing
"""Create custom forward-backward pass (beta).

POST /v1/rl/training-sessions/{session_id}/operations/custom-forward-backward

Collects gradients in a training session from a loss that you compute yourself, when
none of the losses of rl/create_forward_backward fits. The session must be running;
apply the gradients with rl/create_optim_step.

Returns: the operation; its id goes to rl/get_custom_forward_backward, which shows
status.

Example arguments:
    {"session_id": "0b9d4e71-6c25-4a8f-b1d3-7e5f2a90c846", "body": {"samples":
    [{"model_input": {"chunks": [{"encoded_text": {"tokens": [9906, 11, 1917]}}]},
    "loss_fn_inputs": {"target_tokens": {"data": [11, 1917, 0], "dtype": "int64"}}}],
    "gradients": [{"data": [-0.1, 0.05, -0.08]}]}}

Rendered from schemas/rl/create_custom_forward_backward.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, NotRequired, TypedDict

    class LossFnInputs(TypedDict):
        data: list[float]
        dtype: Literal["int64", "float32"]
        shape: NotRequired[list[int]]
        sparse_col_indices: NotRequired[list[int]]
        sparse_crow_indices: NotRequired[list[int]]

    class EncodedText(TypedDict):
        tokens: list[str | int]

    class Chunks(TypedDict):
        encoded_text: EncodedText

    class ModelInput(TypedDict):
        chunks: list[Chunks]

    class Samples(TypedDict):
        loss_fn_inputs: dict[str, LossFnInputs]
        model_input: ModelInput
        routed_experts_key: NotRequired[str]

    class Gradients(TypedDict):
        data: list[float]
        dtype: NotRequired[str]

    class Body(TypedDict):
        samples: list[Samples]
        gradients: list[Gradients]
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
OPERATION = {"method": "POST", "path": "/v1/rl/training-sessions/{session_id}/operations/custom-forward-backward",
  "retry": "creates", "arguments": {"required": ["session_id", "body"], "properties": {
      "session_id": {"type": "string", "x-in": "path"},
      "body": {"type": "object", "required": ["samples", "gradients"], "properties": {
          "samples": {"type": "array", "items": {"type": "object", "required": ["loss_fn_inputs", "model_input"],
              "properties": {
                "loss_fn_inputs": {"type": "object", "additionalProperties": {"type": "object",
                    "required": ["data", "dtype"], "properties": {
                      "data": {"type": "array", "minItems": 0, "items": {"type": "number"}},
                      "dtype": {"type": "string", "enum": ["int64", "float32"]},
                      "shape": {"type": "array", "items": {"type": "integer"}},
                      "sparse_col_indices": {"type": "array", "items": {"type": "integer"}},
                      "sparse_crow_indices": {"type": "array", "items": {"type": "integer"}}}}},
                "model_input": {"type": "object", "required": ["chunks"], "properties": {
                    "chunks": {"type": "array", "items": {"type": "object", "required": ["encoded_text"],
                        "properties": {
                          "encoded_text": {"type": "object", "required": ["tokens"], "properties": {
                              "tokens": {"type": "array", "minItems": 0, "items": {"anyOf": [
                                    {"type": "string", "title": "Text"}, {"type": "integer", "title": "Number"}]}}}}}}}}},
                "routed_experts_key": {"type": "string"}}}},
          "gradients": {"type": "array", "items": {"type": "object", "required": ["data"],
              "properties": {
                "data": {"type": "array", "minItems": 0, "items": {"type": "number"}},
                "dtype": {"type": "string", "enum": ["D_TYPE_UNSPECIFIED", "D_TYPE_INT64", "D_TYPE_FLOAT32",
                    "D_TYPE_BFLOAT16"]}}}},
          "payload_id": {"type": "string"}}},
      "idempotency_key": {"type": "string", "x-in": "header", "x-wire": "Idempotency-Key"}}}}
