# skip_result_postprocessing
"""Watch an agent's calls.

Looks once at the jobs of an agent's calls. When all are over, the model is told what
they gave.

Returns: whether all are done, and after how many seconds to look again.

Example arguments:
    {"conversation": "storage-0b6f7c1e-2a44-4d0c-9f57-1c2f3d4e5a6b"}

Rendered from schemas/chat/watch_calls.json; edit that, not this.
"""

from ..client import run, togetherai
from ..tool_calling.agent_loop_steps import watch_calls


def main(auth: togetherai, conversation: str, attempt: int = 0):
    return run(watch_calls, auth, STEP, conversation=conversation, attempt=attempt)


STEP = {
    "arguments": {
        "required": ["conversation"],
        "properties": {
            "conversation": {"type": "string"},
            "attempt": {"type": "integer", "minimum": 0, "default": 0},
        },
    },
}
