# skip_result_postprocessing
"""List model upload jobs.

GET /v1/jobs

Shows all imports started with Upload model. For imports into a project use List model
remote uploads.

Returns: jobs in data; the job_id of one goes to models/get_model_upload_job.

Rendered from schemas/models/list_model_upload_jobs.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai):
    return run(call, auth, OPERATION)


OPERATION = {
    "method": "GET",
    "path": "/v1/jobs",
    "retry": "read",
    "arguments": {"properties": {}},
}
