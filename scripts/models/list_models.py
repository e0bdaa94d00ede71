# skip_result_postprocessing
"""List models.

GET /v1/models

Shows the public catalog of models with prices, all at once. Use it to find the model
name that chat, image and other requests ask for.

Returns: a plain list of models, not wrapped; the id of one is the model name for
requests, type tells what it is for.

Rendered from schemas/models/list_models.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, dedicated: "bool | None" = None):
    return run(call, auth, OPERATION, dedicated=dedicated)


OPERATION = {
    "method": "GET",
    "path": "/v1/models",
    "retry": "read",
    "arguments": {"properties": {"dedicated": {"type": "boolean", "x-in": "query"}}},
}
