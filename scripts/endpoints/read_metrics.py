# skip_result_postprocessing
"""Read metrics.

Reads numbers in the text format of Prometheus into rows: those of your organization's
dedicated inference at Together (a beta), or of any file or address that you give. Costs
nothing.

Returns: rows, each with name, labels, value and kind (counter, gauge, histogram);
count, unread (lines that are none) and note.

Example arguments:
    {"source": {"text": "# TYPE requests_total counter\\nrequests_total{model=\\"a\\"}
    7"}}

Rendered from schemas/endpoints/read_metrics.json; edit that, not this.
"""

from ..client import run, togetherai
from ..metrics.metric_steps import read_metrics


def main(
    auth: togetherai,
    names: list[str] | None = None,
    labels: "dict | None" = None,
    organization_id: str | None = None,
    source: "str | list | dict | None" = None,
    most: int = 1000,
):
    return run(
        read_metrics,
        auth,
        STEP,
        names=names,
        labels=labels,
        organization_id=organization_id,
        source=source,
        most=most,
    )


# fmt: off
STEP = {
  "arguments": {
    "properties": {
      "names": {"type": "array", "items": {"type": "string", "minLength": 1}},
      "labels": {"type": "object"},
      "organization_id": {"type": "string"},
      "source": {"x-file": "content", "x-choice": True},
      "most": {"type": "integer", "minimum": 1, "default": 1000, "title": "At most"}}}}
