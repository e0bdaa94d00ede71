# skip_result_postprocessing
"""Get evaluation.

GET /v1/evaluation/{evaluation_id}

Reads one evaluation with its settings, progress and results. Ask repeatedly until its
status is completed, error or user_error.

Returns: the evaluation with status and results; result_file_id in results goes to
files/download_file for the verdict on each row.

Example arguments:
    {"evaluation_id": "eval-7df2-1764000000"}

Rendered from schemas/evaluations/get_evaluation.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, evaluation_id: str):
    return run(call, auth, OPERATION, evaluation_id=evaluation_id)


OPERATION = {
    "method": "GET",
    "path": "/v1/evaluation/{evaluation_id}",
    "retry": "read",
    "arguments": {
        "required": ["evaluation_id"],
        "properties": {"evaluation_id": {"type": "string", "x-in": "path"}},
    },
}
