# skip_result_postprocessing
"""Create batch.

POST /v1/batches

Runs many requests in the background from one uploaded JSONL file, each line with
custom_id and body. Upload the file first with purpose batch-api; at most 50000 lines
and 100 MB.

Returns: the new batch in job, with an optional warning; its id goes to
batches/get_batch.

Example arguments:
    {"body": {"endpoint": "/v1/chat/completions", "input_file_id":
    "file-6f8a2c1d-3b47-4f0e-9a55-0c1d2e3f4a5b"}}

API reference: https://docs.together.ai/reference/batch-create
Rendered from schemas/batches/create_batch.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NotRequired, TypedDict

    class Body(TypedDict):
        input_file_id: str
        endpoint: str
        model_id: NotRequired[str]
        completion_window: NotRequired[str]
        priority: NotRequired[int]


def main(auth: togetherai, body: "Body"):
    return run(call, auth, OPERATION, body=body)


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/batches", "retry": "creates", "find": "batches/list_batches",
  "arguments": {"required": ["body"], "properties": {
      "body": {"type": "object", "required": ["input_file_id", "endpoint"], "properties": {
          "input_file_id": {"type": "string"},
          "endpoint": {"type": "string"},
          "model_id": {"type": "string"},
          "completion_window": {"type": "string"},
          "priority": {"type": "integer"}}}}}}
