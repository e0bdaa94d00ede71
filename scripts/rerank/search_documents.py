# skip_result_postprocessing
"""Search documents.

Finds the documents, or rows of a table, that answer a question best, with a score for
each. Takes more documents than fit into one request. Rerank models may need a dedicated
endpoint that runs one.

Returns: results, best first: index (the place in your list, from 0), score and
document; usage, cost_usd.

Example arguments:
    {"model": "my-project/rerank", "query": "How long may I return goods?", "documents":
    ["Goods can be returned within 30 days.", "Our shop in Graz opens at nine."]}

Rendered from schemas/rerank/search_documents.json; edit that, not this.
"""

from ..catalog.model_picker import choices
from ..client import run, togetherai
from ..rows.rerank_steps import search_documents

DynSelect_model = str


def model(filterText: str = "", auth=None):
    return choices("rerank", auth, filterText)


def main(
    auth: togetherai,
    model: DynSelect_model,
    query: str,
    documents: "str | list | dict",
    other_model: str | None = None,
    column: str | None = None,
    top_n: int | None = None,
    concurrency: int = 4,
    budget_usd: float | None = None,
    timeout_seconds: float = 120,
    patience_seconds: float = 900,
):
    return run(
        search_documents,
        auth,
        STEP,
        model=model,
        query=query,
        documents=documents,
        other_model=other_model,
        column=column,
        top_n=top_n,
        concurrency=concurrency,
        budget_usd=budget_usd,
        timeout_seconds=timeout_seconds,
        patience_seconds=patience_seconds,
    )


# fmt: off
STEP = {
  "arguments": {"required": ["model", "query", "documents"], "properties": {
      "model": {"type": "string"},
      "query": {"type": "string"},
      "documents": {"x-file": "content", "x-choice": True},
      "other_model": {"type": "string", "x-id-of": "model", "title": "Model (id)"},
      "column": {"type": "string"},
      "top_n": {"type": "integer", "minimum": 1, "title": "How many"},
      "concurrency": {"type": "integer", "minimum": 1, "maximum": 256, "default": 4, "title": "Concurrent calls"},
      "budget_usd": {"type": "number", "minimum": 0, "title": "Budget in USD"},
      "timeout_seconds": {"type": "number", "minimum": 1, "default": 120, "title": "Time limit of a call"},
      "patience_seconds": {"type": "number", "minimum": 1, "default": 900, "title": "Patience at the rate limit"}}}}
