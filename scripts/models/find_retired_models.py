# skip_result_postprocessing
"""Find retired models.

Looks through the workspace's scripts, flows, schedules and resources for models that
the catalogue deprecates or lists no more, and names one to take instead. Changes
nothing; the pack's own scripts and flows are left out.

Returns: rows with kind, path, where, id, why and replacement, a served model that does
the same as far as the catalogue tells: see whether it suits. looked_at counts what was
read; unread says what could not be.

Rendered from schemas/models/find_retired_models.json; edit that, not this.
"""

from ..client import run, togetherai
from ..trigger_steps.retired_model_steps import find_retired_models


def main(
    auth: togetherai,
    path_start: str | None = None,
    kinds: list[str] | None = None,
    models: list[str] | None = None,
    seconds: int = 300,
):
    return run(
        find_retired_models,
        auth,
        STEP,
        path_start=path_start,
        kinds=kinds,
        models=models,
        seconds=seconds,
    )


# fmt: off
STEP = {
  "arguments": {
    "properties": {
      "path_start": {"type": "string", "title": "Below"},
      "kinds": {"type": "array", "items": {"type": "string", "enum": ["script", "flow", "schedule", "resource"]}},
      "models": {"type": "array", "items": {"type": "string", "minLength": 1}, "title": "Further models"},
      "seconds": {"type": "integer", "minimum": 1, "default": 300, "title": "Time limit"}}}}
