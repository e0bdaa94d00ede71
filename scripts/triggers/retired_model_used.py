# skip_result_postprocessing
"""Retired model used.

Returns where the workspace's scripts, flows, schedules and resources name a model that
the catalogue deprecates or lists no more, each place once: run it on a schedule, as the
first step of a flow. The first run tells all that there are.

Returns: a list with kind, path, where, id, why and replacement, as
models/find_retired_models gives them; empty when nothing is new.

Rendered from schemas/triggers/retired_model_used.json; edit that, not this.
"""

from ..client import run, togetherai
from ..trigger_steps.trigger_steps import retired_model_used


def main(
    auth: togetherai,
    path_start: str | None = None,
    kinds: list[str] | None = None,
    models: list[str] | None = None,
    seconds: int = 300,
):
    return run(
        retired_model_used,
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
