# skip_result_postprocessing
"""Rank passages.

Finds the passages that suit a question best: by its words, without a model and at no
cost, or by the vectors that embed_rows made of them. Words of any language are compared
as they stand, in any form of letters; Chinese, Japanese and Thai by their signs.

Returns: passages, best first, with score (0: none of the words) or similarity, and
without their vectors; note, usage, cost_usd.

Example arguments:
    {"question": "How long is the guarantee?", "rows": [{"text": "The guarantee lasts
    two years."}]}

Rendered from schemas/embeddings/rank_passages.json; edit that, not this.
"""

from ..catalog.model_picker import choices
from ..client import run, togetherai
from ..documents.document_steps import rank_passages

DynSelect_model = str


def model(filterText: str = "", auth=None):
    return choices("embedding", auth, filterText)


def main(
    auth: togetherai,
    question: str,
    rows: "str | list | dict",
    model: DynSelect_model | None = None,
    other_model: str | None = None,
    top: int = 30,
):
    return run(
        rank_passages,
        auth,
        STEP,
        question=question,
        rows=rows,
        model=model,
        other_model=other_model,
        top=top,
    )


# fmt: off
STEP = {
  "arguments": {"required": ["question", "rows"], "properties": {
      "question": {"type": "string"},
      "rows": {"x-file": "content", "x-choice": True, "title": "Passages"},
      "model": {"type": "string", "minLength": 1},
      "other_model": {"type": "string", "x-id-of": "model", "title": "Model (id)"},
      "top": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 30, "title": "How many"}}}}
