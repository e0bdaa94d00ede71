# skip_result_postprocessing
"""Find passages in documents.

Use it to find the passages of documents that tell most about a question, by its words,
when they are too long to read whole. Costs nothing.

Returns: text, the passages with their sources, best first; passages, where each is and
its score.

Example arguments:
    {"question": "When is it due?", "documents": ["https://example.com/bill.md"]}

Rendered from schemas/agent/find_passages.json; edit that, not this.
"""

from ..agent_tools.agent_steps import find_passages
from ..client import run, togetherai


def main(
    auth: togetherai,
    question: str,
    documents: list[str] | None = None,
    index: str | None = None,
    most: int = 5,
):
    return run(
        find_passages,
        auth,
        STEP,
        question=question,
        documents=documents,
        index=index,
        most=most,
    )


# fmt: off
STEP = {
  "arguments": {"required": ["question"], "properties": {
      "question": {"type": "string"},
      "documents": {"type": "array", "minItems": 1, "maxItems": 50, "items": {"type": "string"}},
      "index": {"type": "string", "minLength": 1},
      "most": {"type": "integer", "minimum": 1, "maximum": 20, "default": 5}}}}
