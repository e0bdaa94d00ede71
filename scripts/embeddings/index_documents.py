# skip_result_postprocessing
"""Index documents.

Keeps documents in an index in the workspace's storage, in passages that rank_passages
finds by their words. Run again, it takes in what is new or changed and leaves the rest
as it is. Reads text, Markdown, HTML, JSON, CSV and Word files. Costs nothing.

Returns: s3, the index, to be given to rank_passages as it is; documents, each with its
passages and change (added, changed or kept); removed; count, all passages of the index.

Example arguments:
    {"documents": [{"text": "The guarantee lasts two years.", "filename": "terms.md"}],
    "index": "handbook/words.index"}

Rendered from schemas/embeddings/index_documents.json; edit that, not this.
"""

from ..client import run, togetherai
from ..documents.index_steps import index_documents


def main(
    auth: togetherai,
    documents: list[dict],
    index: str,
    storage: str | None = None,
    remove_others: bool = False,
    size: int = 1200,
    overlap: int = 150,
):
    return run(
        index_documents,
        auth,
        STEP,
        documents=documents,
        index=index,
        storage=storage,
        remove_others=remove_others,
        size=size,
        overlap=overlap,
    )


# fmt: off
STEP = {
  "arguments": {"required": ["documents", "index"], "properties": {
      "documents": {"type": "array", "items": {"x-file": "content", "x-choice": True}, "x-row": "source"},
      "index": {"type": "string"},
      "storage": {"type": "string"},
      "remove_others": {"type": "boolean", "default": False},
      "size": {"type": "integer", "minimum": 100, "default": 1200, "title": "Passage length"},
      "overlap": {"type": "integer", "minimum": 0, "default": 150}}}}
