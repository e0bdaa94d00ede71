# skip_result_postprocessing
"""Create embeddings.

POST /v1/embeddings

Turns texts into vectors: lists of numbers that lie close together when the texts mean
similar things. Use it for search by meaning, grouping and duplicates; compare only
vectors of the same model.

Returns: a list; the numbers are in data[].embedding, and data[].index tells which input
they belong to.

Example arguments:
    {"body": {"model": "my-project/embeddings", "input": "The invoice was paid twice."}}

API reference: https://docs.together.ai/reference/embeddings
Rendered from schemas/embeddings/create_embeddings.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypedDict

    class Body(TypedDict):
        model: str
        input: str | list[str]


def main(auth: togetherai, body: "Body"):
    return run(call, auth, OPERATION, body=body)


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/embeddings", "retry": "inference", "arguments": {"required": ["body"],
    "properties": {
      "body": {"type": "object", "required": ["model", "input"], "properties": {
          "model": {"type": "string"},
          "input": {"x-choice": True, "anyOf": [
              {"type": "string", "title": "Text"},
              {"type": "array", "title": "List of texts", "items": {"type": "string"}, "x-row": "text"}]}}}}}}
