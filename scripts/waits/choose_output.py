# skip_result_postprocessing
"""Choose output.

Decides where a later step's bytes go, before anything is paid for: into the workspace's
storage where it has one. A storage that is asked for and missing is an error. Costs
nothing.

Returns: output, and note: why it is not storage, or null.

Rendered from schemas/waits/choose_output.json; edit that, not this.
"""

from ..client import run, togetherai
from ..service_jobs.flow_steps import choose_output


def main(
    auth: togetherai,
    output: str | None = None,
    instead: str = "result",
    field: str = "Output (output)",
):
    return run(choose_output, auth, STEP, output=output, instead=instead, field=field)


# fmt: off
STEP = {
  "arguments": {
    "properties": {
      "output": {"type": "string", "enum": ["storage", "result", "url"]},
      "instead": {"type": "string", "enum": ["result", "url"], "default": "result", "title": "Without storage"},
      "field": {"type": "string", "minLength": 1, "default": "Output (output)"}}}}
