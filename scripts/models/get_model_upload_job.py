# skip_result_postprocessing
"""Get model upload job.

GET /v1/jobs/{job_id}

Shows how far an import started with Upload model is. Repeat it until status is Complete
or Failed.

Returns: the job with status and, in status_updates, what has happened so far.

Example arguments:
    {"job_id": "job-3a7c5e91-d204-4b8f-a6e3-f19c0d7b2854"}

Rendered from schemas/models/get_model_upload_job.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, job_id: str):
    return run(call, auth, OPERATION, job_id=job_id)


OPERATION = {
    "method": "GET",
    "path": "/v1/jobs/{job_id}",
    "retry": "read",
    "arguments": {
        "required": ["job_id"],
        "properties": {"job_id": {"type": "string", "x-in": "path"}},
    },
}
