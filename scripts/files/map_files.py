# skip_result_postprocessing
"""Do every file of a part.

Reads the text out of each file of a part, asks a model about it, or writes down what is
said in it, one file after the other: what the jobs of flows/map_files_across_workers
do. Keeps each answer until files/join_table has joined them; a file that an earlier run
did is not done again.

Returns: answers, where they are kept for files/join_table; done and failed count the
files; errors says why by the number of the row; unknown, how many of these may have
been paid for all the same; usage, cost_usd; in short as markdown.

Example arguments:
    {"action": "read", "part": "{\\"text\\": \\"{\\\\\\"file\\\\\\":
    \\\\\\"https://www.example.com/1.html\\\\\\"}\\\\n\\", \\"part\\": {\\"number\\": 1,
    \\"of\\": 1, \\"start\\": 0, \\"end\\": 43, \\"head\\": 0, \\"line\\": 1,
    \\"rows\\": 1, \\"csv\\": null, \\"tag\\": null, \\"size\\": 43, \\"kept\\":
    \\"state\\"}}"}

Rendered from schemas/files/map_files.json; edit that, not this.
"""

from ..client import run, togetherai
from ..file_steps.file_steps import map_files


def main(
    auth: togetherai,
    action: str,
    part: str,
    question: str | None = None,
    model: str | None = None,
    system: str | None = None,
    max_tokens: int | None = None,
    language: str | None = None,
    speakers: bool = False,
    column: str = "file",
    budget_usd: float | None = None,
):
    return run(
        map_files,
        auth,
        STEP,
        action=action,
        part=part,
        question=question,
        model=model,
        system=system,
        max_tokens=max_tokens,
        language=language,
        speakers=speakers,
        column=column,
        budget_usd=budget_usd,
    )


# fmt: off
STEP = {
  "arguments": {"required": ["action", "part"], "properties": {
      "action": {"type": "string", "enum": ["read", "ask", "look", "transcribe"],
        "title": "What to do with each file"},
      "part": {"type": "string"},
      "question": {"type": "string", "minLength": 1},
      "model": {"type": "string", "minLength": 1},
      "system": {"type": "string", "title": "Instructions"},
      "max_tokens": {"type": "integer", "minimum": 1, "title": "Longest answer"},
      "language": {"type": "string"},
      "speakers": {"type": "boolean", "default": False, "title": "Tell speakers apart"},
      "column": {"type": "string", "minLength": 1, "default": "file"},
      "budget_usd": {"type": "number", "minimum": 0, "title": "Budget in USD"}}}}
