# skip_result_postprocessing
"""Delete fine-tune job (cannot be undone).

DELETE /v1/fine-tunes/{fine_tune_id}

Removes a fine-tune job for good. Download what you still need beforehand with Download
fine-tuned model.

Returns: a message that confirms the deletion.

Example arguments:
    {"fine_tune_id": "ft-2c1d7e40-8b5a-4f36-9d21-7a0e6c3b5f18"}

Rendered from schemas/fine_tuning/delete_fine_tune.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, fine_tune_id: str, force: bool | None = None):
    return run(call, auth, OPERATION, fine_tune_id=fine_tune_id, force=force)


# fmt: off
OPERATION = {"method": "DELETE", "path": "/v1/fine-tunes/{fine_tune_id}", "retry": "mutates",
  "find": "fine_tuning/get_fine_tune", "arguments": {"required": ["fine_tune_id"], "properties": {
      "fine_tune_id": {"type": "string", "x-in": "path"}, "force": {"type": "boolean", "x-in": "query"}}}}
