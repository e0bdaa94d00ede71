# skip_result_postprocessing
"""Create sample (beta).

POST /v1/rl/training-sessions/{session_id}/operations/sample

Lets the model of a training session write completions for given prompts, with
log-probabilities, as material for training. The session must be running on model
resources with at least one generator replica; new weights are used only after
rl/create_weights_sync.

Returns: the operation; its id goes to rl/get_sample, which shows status and, once
completed, output.results.

Example arguments:
    {"session_id": "0b9d4e71-6c25-4a8f-b1d3-7e5f2a90c846", "body": {"model_inputs":
    [{"chunks": [{"encoded_text": {"tokens": [3923, 374, 220, 17, 10, 17, 30]}}]}]}}

Rendered from schemas/rl/create_sample.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NotRequired, TypedDict

    class EncodedText(TypedDict):
        tokens: list[str | int]

    class Chunks(TypedDict):
        encoded_text: EncodedText

    class ModelInputs(TypedDict):
        chunks: list[Chunks]

    class SamplingParams(TypedDict):
        max_tokens: NotRequired[int]
        temperature: NotRequired[float]
        top_p: NotRequired[float]
        top_k: NotRequired[int]
        stop: NotRequired[list[str]]
        seed: NotRequired[str | int]

    class Body(TypedDict):
        model_inputs: list[ModelInputs]
        sampling_params: NotRequired[SamplingParams]
        num_samples: NotRequired[int]
        prompt_logprobs: NotRequired[bool]
        topk_prompt_logprobs: NotRequired[int]
        return_routed_experts: NotRequired[bool]
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
OPERATION = {"method": "POST", "path": "/v1/rl/training-sessions/{session_id}/operations/sample", "retry": "creates",
  "arguments": {"required": ["session_id", "body"], "properties": {
      "session_id": {"type": "string", "x-in": "path"},
      "body": {"type": "object", "required": ["model_inputs"], "properties": {
          "model_inputs": {"type": "array", "items": {"type": "object", "required": ["chunks"],
              "properties": {
                "chunks": {"type": "array", "items": {"type": "object", "required": ["encoded_text"],
                    "properties": {
                      "encoded_text": {"type": "object", "required": ["tokens"], "properties": {
                          "tokens": {"type": "array", "minItems": 0, "items": {"anyOf": [
                                {"type": "string", "title": "Text"}, {"type": "integer", "title": "Number"}]}}}}}}}}}},
          "sampling_params": {"type": "object", "x-choice": True, "properties": {
              "max_tokens": {"type": "integer"},
              "temperature": {"type": "number"},
              "top_p": {"type": "number"},
              "top_k": {"type": "integer"},
              "stop": {"type": "array", "items": {"type": "string"}, "x-row": "text"},
              "seed": {"anyOf": [{"type": "string", "title": "Text"}, {"type": "integer", "title": "Number"}]}}},
          "num_samples": {"type": "integer"},
          "prompt_logprobs": {"type": "boolean"},
          "topk_prompt_logprobs": {"type": "integer"},
          "return_routed_experts": {"type": "boolean"},
          "payload_id": {"type": "string"}}},
      "idempotency_key": {"type": "string", "x-in": "header", "x-wire": "Idempotency-Key"}}}}
