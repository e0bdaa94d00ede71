# skip_result_postprocessing
"""List fine-tune models.

GET /v1/fine-tunes/models/supported

Lists the names of all models that can be fine-tuned. Pick one as the base model for
Create fine-tune job.

Returns: the names in models; one of them goes to fine_tuning/create_fine_tune as model.

Rendered from schemas/fine_tuning/list_fine_tune_models.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai):
    return run(call, auth, OPERATION)


OPERATION = {
    "method": "GET",
    "path": "/v1/fine-tunes/models/supported",
    "retry": "read",
    "arguments": {"properties": {}},
}
