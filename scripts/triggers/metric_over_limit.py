# skip_result_postprocessing
"""Metric over limit.

Returns the numbers of dedicated inference that have gone beyond a limit since the last
run: run it on a schedule, as the first step of a flow. The first run returns nothing;
it records the current state.

Returns: a list with metric, name, labels, value and limit; empty when nothing is new.

Example arguments:
    {"names": ["queue_depth"], "limit": 20}

Rendered from schemas/triggers/metric_over_limit.json; edit that, not this.
"""

from ..client import run, togetherai
from ..trigger_steps.trigger_steps import metric_over_limit


def main(
    auth: togetherai,
    names: list[str],
    limit: float,
    direction: str = "above",
    labels: "dict | None" = None,
    organization_id: str | None = None,
    source: "str | list | dict | None" = None,
):
    return run(
        metric_over_limit,
        auth,
        STEP,
        names=names,
        limit=limit,
        direction=direction,
        labels=labels,
        organization_id=organization_id,
        source=source,
    )


# fmt: off
STEP = {
  "arguments": {"required": ["names", "limit"], "properties": {
      "names": {"type": "array", "items": {"type": "string", "minLength": 1}},
      "limit": {"type": "number"},
      "direction": {"type": "string", "enum": ["above", "below"], "default": "above"},
      "labels": {"type": "object"},
      "organization_id": {"type": "string"},
      "source": {"x-file": "content", "x-choice": True}}}}
