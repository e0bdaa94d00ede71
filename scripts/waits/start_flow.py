# skip_result_postprocessing
"""Start flow.

Starts a flow of the workspace as a job of its own and goes on at once; watch_flow tells
when it is done.

Returns: flow_job_id, the Windmill job that was started.

Example arguments:
    {"path": "f/sales/weekly"}

Rendered from schemas/waits/start_flow.json; edit that, not this.
"""

from ..client import run, togetherai
from ..service_jobs.flow_steps import start_flow


def main(
    auth: togetherai,
    path: str,
    arguments: "dict | None" = None,
    resource: str | None = None,
):
    return run(
        start_flow,
        auth,
        STEP,
        path=path,
        arguments=arguments,
        resource=resource,
    )


# fmt: off
STEP = {
  "arguments": {"required": ["path"], "properties": {
      "path": {"type": "string", "pattern": "^[ufg]/", "description": "Path of the flow, such as f/sales/weekly.",
        "title": "Flow"},
      "arguments": {"type": "object"},
      "resource": {"type": "string"}}}}
