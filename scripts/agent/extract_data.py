# skip_result_postprocessing
"""Extract data from a text.

Use it to get named facts out of a text or document as data: numbers, names, dates,
lists. What the text does not say is null. Costs a fraction of a cent for a page.

Returns: text, the data as JSON; data; model; cost_usd.

Example arguments:
    {"fields": ["customer", "total (number)"], "text": "Ann owes 12 USD."}

Rendered from schemas/agent/extract_data.json; edit that, not this.
"""

from ..agent_tools.agent_steps import extract_data
from ..client import run, togetherai


def main(
    auth: togetherai,
    fields: list[str],
    text: str | None = None,
    document: str | None = None,
    model: str | None = None,
):
    return run(
        extract_data,
        auth,
        STEP,
        fields=fields,
        text=text,
        document=document,
        model=model,
    )


STEP = {
    "arguments": {
        "required": ["fields"],
        "properties": {
            "fields": {"type": "array", "items": {"type": "string"}},
            "text": {"type": "string", "minLength": 1},
            "document": {"type": "string", "minLength": 1},
            "model": {"type": "string", "minLength": 1},
        },
    },
}
