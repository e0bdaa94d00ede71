# skip_result_postprocessing
"""Rank passages.

Finds the passages nearest to a question, by the vectors that embed_rows made of them.

Returns: passages, nearest first, with similarity and without their vectors; usage,
cost_usd.

Example arguments:
    {"model": "my-project/embeddings", "question": "How long is the guarantee?", "rows":
    [{"text": "Two years.", "embedding": [0.11, -0.42, 0.35, 0.08, -0.27, 0.51, -0.13,
    0.58]}]}

Rendered from schemas/embeddings/rank_passages.json; edit that, not this.
"""

from ..catalog.model_picker import choices
from ..client import run, togetherai
from ..document_steps import rank_passages

DynSelect_model = str


def model(filterText: str = "", auth=None):
    return choices("embedding", auth, filterText)


def main(
    auth: togetherai,
    model: DynSelect_model,
    question: str,
    rows: "str | list | dict",
    other_model: str | None = None,
    top: int = 30,
):
    return run(
        rank_passages,
        auth,
        STEP,
        model=model,
        question=question,
        rows=rows,
        other_model=other_model,
        top=top,
    )


STEP = {
    "arguments": {
        "required": ["model", "question", "rows"],
        "properties": {
            "model": {"type": "string"},
            "question": {"type": "string"},
            "rows": {"x-file": "content", "x-choice": True},
            "other_model": {"type": "string", "x-id-of": "model"},
            "top": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 30},
        },
    },
}
