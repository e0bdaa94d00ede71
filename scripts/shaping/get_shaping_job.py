# skip_result_postprocessing
"""Get shaping job.

GET /v1/shaping/{job_id}

Shows how far a model conversion is. Repeat it until status is completed, cancelled,
error or user_error.

Returns: the job with status and events; when completed, results.model_object_id is the
new model.

Example arguments:
    {"job_id": "shp-quant-5e1c9a70-7b2f-4d38-96e4-0a8f3c6d1b25"}

Rendered from schemas/shaping/get_shaping_job.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, job_id: str):
    return run(call, auth, OPERATION, job_id=job_id)


OPERATION = {
    "method": "GET",
    "path": "/v1/shaping/{job_id}",
    "retry": "read",
    "arguments": {
        "required": ["job_id"],
        "properties": {"job_id": {"type": "string", "x-in": "path"}},
    },
}
