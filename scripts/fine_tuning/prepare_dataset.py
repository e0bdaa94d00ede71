# skip_result_postprocessing
"""Prepare dataset.

Checks rows, turns them into a shape that a fine-tune takes, holds some back for
validation, counts tokens and uploads both files.

Returns: training_file and validation_file for Submit fine-tune (or training and
validation, the stored objects; or the rows), the shape, statistics with
estimated_tokens, and the rows left out; in short as markdown. With output table,
nothing but the rows.

Example arguments:
    {"dataset": [{"question": "What is the capital of France?", "answer": "Paris."}],
    "validation_share": 0}

Rendered from schemas/fine_tuning/prepare_dataset.json; edit that, not this.
"""

from ..client import run, togetherai
from ..tuning.dataset_steps import prepare_dataset


def main(
    auth: togetherai,
    dataset: "str | list | dict",
    system: str | None = None,
    validation_share: float = 0.1,
    seed: int = 0,
    skip_bad: bool = False,
    name: str | None = None,
    output: str = "upload",
):
    return run(
        prepare_dataset,
        auth,
        STEP,
        dataset=dataset,
        system=system,
        validation_share=validation_share,
        seed=seed,
        skip_bad=skip_bad,
        name=name,
        output=output,
    )


# fmt: off
STEP = {
  "arguments": {"required": ["dataset"], "properties": {
      "dataset": {"x-file": "content", "x-choice": True},
      "system": {"type": "string", "title": "Instructions"},
      "validation_share": {"type": "number", "minimum": 0, "maximum": 0.9, "default": 0.1},
      "seed": {"type": "integer", "minimum": 0, "default": 0},
      "skip_bad": {"type": "boolean", "default": False, "title": "Leave out bad rows"},
      "name": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$",
        "description": "What the files are called, before -training.jsonl and -validation.jsonl: letters, digits, dots, hyphens and underscores. Left empty: dataset."},
      "output": {"type": "string", "enum": ["upload", "storage", "result", "table"], "default": "upload"}}}}
