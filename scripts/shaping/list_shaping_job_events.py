# skip_result_postprocessing
"""List shaping job events.

GET /v1/shaping/{job_id}/events

Shows the log of one model conversion, from the start to the upload of the result.

Returns: events in data with level, message and type; useful when a job ended with an
error.

Example arguments:
    {"job_id": "shp-quant-5e1c9a70-7b2f-4d38-96e4-0a8f3c6d1b25"}

Rendered from schemas/shaping/list_shaping_job_events.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, job_id: str):
    return run(call, auth, OPERATION, job_id=job_id)


OPERATION = {
    "method": "GET",
    "path": "/v1/shaping/{job_id}/events",
    "retry": "read",
    "arguments": {
        "required": ["job_id"],
        "properties": {"job_id": {"type": "string", "x-in": "path"}},
    },
}
