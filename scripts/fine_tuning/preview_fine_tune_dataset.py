# skip_result_postprocessing
"""Preview fine-tune dataset.

POST /v1/fine-tunes/preview

Shows how the first rows of a training file are cut into tokens and which of them the
model would learn. Use it before Create fine-tune job to check the file; it starts no
training.

Returns: dataset_format and rows, each with its tokens, num_trained_tokens,
trained_spans and whether it was truncated.

Example arguments:
    {"body": {"model": "Qwen/Qwen3.5-9B", "training_file":
    "file-6f8a2c1d-3b47-4f0e-9a55-0c1d2e3f4a5b"}}

Rendered from schemas/fine_tuning/preview_fine_tune_dataset.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, NotRequired, TypedDict

    class Body(TypedDict):
        training_file: str
        model: str
        top_k: NotRequired[int]
        train_on_inputs: NotRequired[bool]
        training_method: NotRequired[Literal["sft"]]


def main(auth: togetherai, body: "Body"):
    return run(call, auth, OPERATION, body=body)


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/fine-tunes/preview", "retry": "read", "arguments": {"required": ["body"],
    "properties": {
      "body": {"type": "object", "required": ["training_file", "model"], "properties": {
          "training_file": {"type": "string"},
          "model": {"type": "string"},
          "top_k": {"type": "integer"},
          "train_on_inputs": {"type": "boolean"},
          "training_method": {"type": "string", "enum": ["sft"]}}}}}}
