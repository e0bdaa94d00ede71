# skip_result_postprocessing
"""List evaluation models.

GET /v1/evaluation/model-list

Lists the models that can judge or be judged in an evaluation. Use it to fill in the
model names for Create evaluation.

Returns: the names in model_list; they go to evaluations/create_evaluation.

API reference: https://docs.together.ai/reference/list-evaluation-models
Rendered from schemas/evaluations/list_evaluation_models.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, model_source: str | None = None):
    return run(call, auth, OPERATION, model_source=model_source)


OPERATION = {
    "method": "GET",
    "path": "/v1/evaluation/model-list",
    "retry": "read",
    "arguments": {"properties": {"model_source": {"type": "string", "x-in": "query"}}},
}
