# skip_result_postprocessing
"""Cancel shaping job.

POST /v1/shaping/{job_id}/cancel

Asks for a running model conversion to be stopped. Stopping takes a while; look at the
state with Get shaping job.

Returns: the job; status is cancel_requested first and cancelled later.

Example arguments:
    {"job_id": "shp-quant-5e1c9a70-7b2f-4d38-96e4-0a8f3c6d1b25"}

Rendered from schemas/shaping/cancel_shaping_job.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, job_id: str):
    return run(call, auth, OPERATION, job_id=job_id)


OPERATION = {
    "method": "POST",
    "path": "/v1/shaping/{job_id}/cancel",
    "retry": "mutates",
    "find": "shaping/get_shaping_job",
    "arguments": {
        "required": ["job_id"],
        "properties": {"job_id": {"type": "string", "x-in": "path"}},
    },
}
