# skip_result_postprocessing
"""Finish flow.

The last step of a flow: returns the flow's result, or fails it with the error of an
earlier step that was allowed to fail. Costs nothing.

Returns: message, and every member of details.

Example arguments:
    {"message": "The meeting is written up."}

Rendered from schemas/waits/finish_flow.json; edit that, not this.
"""

from ..client import run, togetherai
from ..service_jobs.flow_steps import finish_flow


def main(
    auth: togetherai,
    message: str,
    details: "dict | None" = None,
    error: "dict | None" = None,
):
    return run(finish_flow, auth, STEP, message=message, details=details, error=error)


STEP = {
    "arguments": {
        "required": ["message"],
        "properties": {
            "message": {"type": "string"},
            "details": {"type": "object"},
            "error": {"type": "object"},
        },
    },
}
