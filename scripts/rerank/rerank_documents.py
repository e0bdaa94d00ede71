# skip_result_postprocessing
"""Rerank documents.

POST /v1/rerank

Sorts documents by how well they answer a question. Use it after a search, to put the
best hits first before a chat model reads them; rerank models need a dedicated endpoint
that runs one (endpoints/create_project_endpoint).

Returns: the results, best first: results[].index is the place in your list (counted
from 0), results[].relevance_score the score, results[].document the text if you asked
for it.

Example arguments:
    {"body": {"model": "my-project/rerank", "query": "How long may I return goods?",
    "documents": ["Goods can be returned within 30 days.", "Our shop in Graz opens at
    nine.", "Refunds arrive within a week."]}}

API reference: https://docs.together.ai/reference/rerank
Rendered from schemas/rerank/rerank_documents.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NotRequired, TypedDict

    class Body(TypedDict):
        model: str
        query: str
        documents: list[str] | list[dict]
        top_n: NotRequired[int]
        return_documents: NotRequired[bool]
        rank_fields: NotRequired[list[str]]


def main(auth: togetherai, body: "Body"):
    return run(call, auth, OPERATION, body=body)


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/rerank", "retry": "inference", "arguments": {"required": ["body"],
    "properties": {
      "body": {"type": "object", "required": ["model", "query", "documents"], "properties": {
          "model": {"type": "string"},
          "query": {"type": "string"},
          "documents": {"x-choice": True, "anyOf": [
              {"type": "array", "title": "Texts", "items": {"type": "string"}, "x-row": "text"},
              {"type": "array", "title": "Objects", "items": {"type": "object"}}]},
          "top_n": {"type": "integer"},
          "return_documents": {"type": "boolean"},
          "rank_fields": {"type": "array", "items": {"type": "string"}}}}}}}
