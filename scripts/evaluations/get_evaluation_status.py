# skip_result_postprocessing
"""Get evaluation status.

GET /v1/evaluation/{evaluation_id}/status

Reads only the status and the results of an evaluation. Handy for asking again and again
until it is completed, error or user_error.

Returns: status, and results once finished; result_file_id in results goes to
files/download_file.

Example arguments:
    {"evaluation_id": "eval-7df2-1764000000"}

Rendered from schemas/evaluations/get_evaluation_status.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, evaluation_id: str):
    return run(call, auth, OPERATION, evaluation_id=evaluation_id)


OPERATION = {
    "method": "GET",
    "path": "/v1/evaluation/{evaluation_id}/status",
    "retry": "read",
    "arguments": {
        "required": ["evaluation_id"],
        "properties": {"evaluation_id": {"type": "string", "x-in": "path"}},
    },
}
