# skip_result_postprocessing
"""Download RL checkpoint (beta).

GET /v1/rl/checkpoints/{checkpoint_id}/download

Gives download addresses for the files of an inference checkpoint. Training checkpoints
cannot be downloaded. The checkpoint comes from rl/create_inference_checkpoint.

Returns: data with one entry per file: filename, size in bytes and url, from which the
file can be fetched for a limited time. With output storage each entry also has s3, the
key of its object.

Example arguments:
    {"checkpoint_id": "e81b6d3f-24a9-4c70-95be-a0f7c2d41863", "variant":
    "CHECKPOINT_VARIANT_MERGED"}

Rendered from schemas/rl/download_rl_checkpoint.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, checkpoint_id: str, variant: str, output: str = "url"):
    return run(
        call,
        auth,
        OPERATION,
        checkpoint_id=checkpoint_id,
        variant=variant,
        output=output,
    )


# fmt: off
OPERATION = {"method": "GET", "path": "/v1/rl/checkpoints/{checkpoint_id}/download", "retry": "read",
  "brings": {"at": "data/*", "kind": "file"}, "arguments": {"required": ["checkpoint_id", "variant"],
    "properties": {
      "checkpoint_id": {"type": "string", "x-in": "path"},
      "variant": {"type": "string", "enum": ["CHECKPOINT_VARIANT_UNSPECIFIED", "CHECKPOINT_VARIANT_MERGED",
          "CHECKPOINT_VARIANT_ADAPTER"],
        "x-in": "query"},
      "output": {"type": "string", "enum": ["url", "storage"], "x-in": "result", "default": "url"}}}}
