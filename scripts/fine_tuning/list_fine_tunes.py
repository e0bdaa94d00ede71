# skip_result_postprocessing
"""List fine-tune jobs.

GET /v1/fine-tunes

Lists all fine-tune jobs of the account in one answer. Use it to find the ID of a job or
to see whether one was really created.

Returns: the jobs in data, each with id, status, model and model_output_name.

API reference: https://docs.together.ai/reference/get-fine-tunes
Rendered from schemas/fine_tuning/list_fine_tunes.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai):
    return run(call, auth, OPERATION)


OPERATION = {
    "method": "GET",
    "path": "/v1/fine-tunes",
    "retry": "read",
    "arguments": {"properties": {}},
}
