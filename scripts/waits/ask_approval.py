# skip_result_postprocessing
"""Ask approval.

Makes the links by which a person lets a flow go on, with what there is to decide on.
The step needs Suspend in its settings.

Returns: resume, cancel and approvalPage, which Windmill shows as buttons, and the
page's text in description.

Example arguments:
    {"question": "Train for about 5.42 USD?"}

Rendered from schemas/waits/ask_approval.json; edit that, not this.
"""

from ..client import run, togetherai
from ..service_jobs.flow_steps import ask_approval


def main(
    auth: togetherai,
    question: str,
    details: "dict | None" = None,
    approver: str | None = None,
):
    return run(
        ask_approval,
        auth,
        STEP,
        question=question,
        details=details,
        approver=approver,
    )


STEP = {
    "arguments": {
        "required": ["question"],
        "properties": {
            "question": {"type": "string"},
            "details": {"type": "object"},
            "approver": {"type": "string"},
        },
    },
}
