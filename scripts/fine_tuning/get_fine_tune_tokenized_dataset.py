# skip_result_postprocessing
"""Get tokenized fine-tune dataset.

GET /v1/fine-tunes/{fine_tune_id}/download-tokenized-dataset

Gives a temporary download link to the training data of a job as the model saw it, cut
into tokens. Use it to check what was really learned; the job must have got as far as
preparing its data.

Returns: a signed url that works until expires_at, with filename and size in bytes. With
output storage also s3, the key of the object; with output result file, in base64.

Example arguments:
    {"fine_tune_id": "ft-2c1d7e40-8b5a-4f36-9d21-7a0e6c3b5f18"}

Rendered from schemas/fine_tuning/get_fine_tune_tokenized_dataset.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, fine_tune_id: str, output: str = "url"):
    return run(call, auth, OPERATION, fine_tune_id=fine_tune_id, output=output)


# fmt: off
OPERATION = {"method": "GET", "path": "/v1/fine-tunes/{fine_tune_id}/download-tokenized-dataset", "retry": "read",
  "brings": {"at": "", "kind": "file"}, "arguments": {"required": ["fine_tune_id"], "properties": {
      "fine_tune_id": {"type": "string", "x-in": "path"},
      "output": {"type": "string", "enum": ["url", "storage", "result"], "x-in": "result", "default": "url"}}}}
