# skip_result_postprocessing
"""Get supported model.

GET /v2/supported-models/{model_id}

Shows one model of the catalog: abilities, context length, prices and the hardware it
can be deployed on.

Returns: the model; deploymentProfiles name the config and GPUs needed for
endpoints/create_endpoint_deployment.

Example arguments:
    {"model_id": "ml_BqW4tY7u3Zk1"}

Rendered from schemas/models/get_supported_model.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, model_id: str):
    return run(call, auth, OPERATION, model_id=model_id)


OPERATION = {
    "method": "GET",
    "path": "/v2/supported-models/{model_id}",
    "retry": "read",
    "arguments": {
        "required": ["model_id"],
        "properties": {"model_id": {"type": "string", "x-in": "path"}},
    },
}
