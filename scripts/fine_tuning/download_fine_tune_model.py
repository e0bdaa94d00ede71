# skip_result_postprocessing
"""Download fine-tuned model.

GET /v1/finetune/download

Fetches the weights of a trained model as an archive, often many gigabytes. The job must
be completed, or have saved the wanted checkpoint.

Returns: s3, the key of the stored archive, and filename: tar.zst, or tar.gz when the
content type contains x-tar. With output result file, in base64, in place of s3.

Example arguments:
    {"ft_id": "ft-2c1d7e40-8b5a-4f36-9d21-7a0e6c3b5f18"}

API reference: https://docs.together.ai/reference/get-finetune-download
Rendered from schemas/fine_tuning/download_fine_tune_model.json; edit that, not this.
"""

from ..client import download, run, togetherai


def main(
    auth: togetherai,
    ft_id: str,
    checkpoint_step: int | None = None,
    checkpoint: str | None = None,
    output: str = "storage",
):
    return run(
        download,
        auth,
        OPERATION,
        ft_id=ft_id,
        checkpoint_step=checkpoint_step,
        checkpoint=checkpoint,
        output=output,
    )


# fmt: off
OPERATION = {"method": "GET", "path": "/v1/finetune/download", "retry": "read", "accept": "application/octet-stream",
  "reply": "binary", "filename": "model.tar.zst", "arguments": {"required": ["ft_id"], "properties": {
      "ft_id": {"type": "string", "x-in": "query"},
      "checkpoint_step": {"type": "integer", "x-in": "query"},
      "checkpoint": {"type": "string", "enum": ["merged", "adapter", "model_output_path"], "x-in": "query"},
      "output": {"type": "string", "enum": ["storage", "result"], "x-in": "result", "default": "storage"}}}}
