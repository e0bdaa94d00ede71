# skip_result_postprocessing
"""Find passages in documents.

Use it to find the passages of documents that answer a question best, when they are too
long to read whole. Costs as many tokens as the documents have.

Returns: text, the passages with their sources, best first; passages; cost_usd.

Example arguments:
    {"question": "When is it due?", "documents": ["https://example.com/bill.md"],
    "model": "my-project/rerank"}

Rendered from schemas/agent/find_passages.json; edit that, not this.
"""

from ..agent_steps import find_passages
from ..client import run, togetherai


def main(
    auth: togetherai,
    question: str,
    documents: list[str],
    model: str,
    most: int = 5,
):
    return run(
        find_passages,
        auth,
        STEP,
        question=question,
        documents=documents,
        model=model,
        most=most,
    )


STEP = {
    "arguments": {
        "required": ["question", "documents", "model"],
        "properties": {
            "question": {"type": "string"},
            "documents": {"type": "array", "maxItems": 50, "items": {"type": "string"}},
            "model": {"type": "string"},
            "most": {"type": "integer", "minimum": 1, "maximum": 20, "default": 5},
        },
    },
}
