# skip_result_postprocessing
"""List evaluations.

GET /v1/evaluation

Lists the evaluations of the account. Use it to find an ID or to see whether an
evaluation was really created; without a limit it gives 10, at most 100.

Returns: a plain list of evaluations, each with workflow_id, type, status and results.

API reference: https://docs.together.ai/reference/list-evaluations
Rendered from schemas/evaluations/list_evaluations.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, status: str | None = None, limit: int | None = None):
    return run(call, auth, OPERATION, status=status, limit=limit)


OPERATION = {
    "method": "GET",
    "path": "/v1/evaluation",
    "retry": "read",
    "arguments": {
        "properties": {
            "status": {"type": "string", "x-in": "query"},
            "limit": {"type": "integer", "x-in": "query"},
        },
    },
}
