# skip_result_postprocessing
"""Create completion.

POST /v1/completions

Lets a language model continue a plain text. Use it for base models, few-shot prompts
and scoring of text; for questions and conversations take chat/create_chat_completion.

Returns: the completion; the text is in choices[0].text, why it ended in
choices[0].finish_reason, the tokens used in usage.

Example arguments:
    {"body": {"model": "meta-llama/Llama-3.3-70B-Instruct-Turbo", "prompt": "The three
    primary colours are"}}

API reference: https://docs.together.ai/reference/completions
Rendered from schemas/completions/create_completion.json; edit that, not this.
"""

from ..client import run, stream, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NotRequired, TypedDict

    class Body(TypedDict):
        model: str
        prompt: str
        max_tokens: NotRequired[int]
        temperature: NotRequired[float]
        stop: NotRequired[list[str]]
        stream: NotRequired[bool]
        top_p: NotRequired[float]
        top_k: NotRequired[int]
        min_p: NotRequired[float]
        seed: NotRequired[int]
        n: NotRequired[int]
        repetition_penalty: NotRequired[float]
        presence_penalty: NotRequired[float]
        frequency_penalty: NotRequired[float]
        logprobs: NotRequired[int]
        echo: NotRequired[bool]
        logit_bias: NotRequired[dict[str, float]]
        safety_model: NotRequired[str]


def main(auth: togetherai, body: "Body"):
    return run(stream, auth, OPERATION, body=body)


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/completions", "retry": "inference", "stream": "completion",
  "arguments": {"required": ["body"], "properties": {
      "body": {"type": "object", "required": ["model", "prompt"], "properties": {
          "model": {"type": "string"},
          "prompt": {"type": "string"},
          "max_tokens": {"type": "integer"},
          "temperature": {"type": "number"},
          "stop": {"type": "array", "items": {"type": "string"}, "x-row": "text"},
          "stream": {"type": "boolean"},
          "top_p": {"type": "number"},
          "top_k": {"type": "integer"},
          "min_p": {"type": "number"},
          "seed": {"type": "integer"},
          "n": {"type": "integer", "minimum": 1, "maximum": 128},
          "repetition_penalty": {"type": "number"},
          "presence_penalty": {"type": "number"},
          "frequency_penalty": {"type": "number"},
          "logprobs": {"type": "integer", "minimum": 0, "maximum": 20},
          "echo": {"type": "boolean"},
          "logit_bias": {"type": "object", "additionalProperties": {"type": "number"}},
          "safety_model": {"type": "string"}},
        "x-advanced": True}}}}
