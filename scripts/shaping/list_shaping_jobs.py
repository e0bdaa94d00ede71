# skip_result_postprocessing
"""List shaping jobs.

GET /v1/shaping

Shows all model conversions of the project. Use it to find a job ID.

Returns: jobs in data; the id of one goes to shaping/get_shaping_job.

Rendered from schemas/shaping/list_shaping_jobs.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai):
    return run(call, auth, OPERATION)


OPERATION = {
    "method": "GET",
    "path": "/v1/shaping",
    "retry": "read",
    "arguments": {"properties": {}},
}
