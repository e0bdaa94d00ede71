# skip_result_postprocessing
"""Split files.

Lists a folder in the workspace's storage, or takes a table of addresses, and cuts the
list into parts, each for a job of its own: the first step of
flows/map_files_across_workers. Costs nothing.

Returns: parts, of which each has rows for files/map_files, and budget_usd, its share;
count, how many files there are; model, the one that was chosen; slices and lease, which
files/join_table takes.

Example arguments:
    {"folder": "letters"}

Rendered from schemas/files/split_files.json; edit that, not this.
"""

from ..client import run, togetherai
from ..file_steps.file_steps import split_files


def main(
    auth: togetherai,
    folder: str | None = None,
    endings: list[str] | None = None,
    storage: str | None = None,
    files: "str | list | dict | None" = None,
    column: str = "file",
    answer_column: str = "answer",
    job_files: int = 1,
    most: int = 10000,
    budget_usd: float | None = None,
    asked: "dict | None" = None,
    task: str | None = None,
):
    return run(
        split_files,
        auth,
        STEP,
        folder=folder,
        endings=endings,
        storage=storage,
        files=files,
        column=column,
        answer_column=answer_column,
        job_files=job_files,
        most=most,
        budget_usd=budget_usd,
        asked=asked,
        task=task,
    )


# fmt: off
STEP = {
  "arguments": {
    "properties": {
      "folder": {"type": "string", "minLength": 1},
      "endings": {"type": "array", "items": {"type": "string", "minLength": 1}},
      "storage": {"type": "string"},
      "files": {"x-file": "content", "x-choice": True},
      "column": {"type": "string", "minLength": 1, "default": "file"},
      "answer_column": {"type": "string", "minLength": 1, "default": "answer"},
      "job_files": {"type": "integer", "minimum": 1, "default": 1, "title": "Files of a job"},
      "most": {"type": "integer", "minimum": 1, "default": 10000, "title": "Most files"},
      "budget_usd": {"type": "number", "minimum": 0, "title": "Budget in USD"},
      "asked": {"type": "object"},
      "task": {"type": "string", "enum": ["chat", "vision", "transcription"], "title": "Choose a model for"}}}}
