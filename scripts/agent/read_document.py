# skip_result_postprocessing
"""Read a document.

Use it to read a web page, text, Markdown, HTML, JSON, CSV or Word file. Gives up to
20,000 characters at a time; call it again with start to read on. Costs nothing. Reads
no PDF and no scans.

Returns: text; source, its name; characters, how many it has in all; next_start where
there is more to read.

Example arguments:
    {"document": "https://example.com/notes.md"}

Rendered from schemas/agent/read_document.json; edit that, not this.
"""

from ..agent_tools.agent_steps import read_document
from ..client import run, togetherai


def main(auth: togetherai, document: str, start: int = 0):
    return run(read_document, auth, STEP, document=document, start=start)


STEP = {
    "arguments": {
        "required": ["document"],
        "properties": {
            "document": {"type": "string"},
            "start": {"type": "integer", "minimum": 0, "default": 0},
        },
    },
}
