# skip_result_postprocessing
"""List trainings and deployments.

Use it to see which fine-tunes there are and what is served on hardware of one's own,
with states, and what is served and not used. Costs nothing.

Returns: text, a line for each; fine_tunes and deployments, how many there are.

Rendered from schemas/agent/list_work.json; edit that, not this.
"""

from ..agent_tools.agent_steps import list_work
from ..client import run, togetherai


def main(auth: togetherai, most: int = 20):
    return run(list_work, auth, STEP, most=most)


STEP = {
    "arguments": {
        "properties": {
            "most": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
        },
    },
}
