# skip_result_postprocessing
"""Cite answer.

Turns the numbers in an answer, such as [2], into the passages that they stand for, and
names those that stand for none. Costs nothing.

Returns: answer, citations with source and text, unknown numbers, answered (whether
anything is cited), all of it as markdown, note, and every member of details.

Example arguments:
    {"answer": "Two years [1].", "passages": [{"source": "terms.md", "text": "The
    guarantee lasts two years."}]}

Rendered from schemas/chat/cite_answer.json; edit that, not this.
"""

from ..client import run, togetherai
from ..documents.document_steps import cite_answer


def main(
    auth: togetherai,
    answer: str,
    passages: "str | list | dict",
    cited: list[int] | None = None,
    note: str | None = None,
    details: "dict | None" = None,
):
    return run(
        cite_answer,
        auth,
        STEP,
        answer=answer,
        passages=passages,
        cited=cited,
        note=note,
        details=details,
    )


STEP = {
    "arguments": {
        "required": ["answer", "passages"],
        "properties": {
            "answer": {"type": "string"},
            "passages": {"x-file": "content", "x-choice": True},
            "cited": {"type": "array", "items": {"type": "integer"}},
            "note": {"type": "string"},
            "details": {"type": "object"},
        },
    },
}
