# skip_result_postprocessing
"""Split documents.

Cuts documents into overlapping passages, each with its source, for embed_rows. Reads
text, Markdown, HTML, JSON, CSV and Word files; of a PDF, give the text, which a Python
step of yours can make with pypdf. Costs nothing.

Returns: passages with id, source, start and text, or s3 in their place; documents, with
how many passages each has.

Example arguments:
    {"documents": [{"text": "The guarantee lasts two years.", "filename": "terms.md"}]}

Rendered from schemas/embeddings/split_documents.json; edit that, not this.
"""

from ..client import run, togetherai
from ..documents.document_steps import split_documents


def main(
    auth: togetherai,
    documents: list[dict],
    size: int = 1200,
    overlap: int = 150,
    output: str = "result",
):
    return run(
        split_documents,
        auth,
        STEP,
        documents=documents,
        size=size,
        overlap=overlap,
        output=output,
    )


# fmt: off
STEP = {
  "arguments": {"required": ["documents"], "properties": {
      "documents": {"type": "array", "items": {"x-file": "content", "x-choice": True}, "x-row": "source"},
      "size": {"type": "integer", "minimum": 100, "default": 1200, "title": "Passage length"},
      "overlap": {"type": "integer", "minimum": 0, "default": 150},
      "output": {"type": "string", "enum": ["result", "storage"], "default": "result"}}}}
