# skip_result_postprocessing
"""List RL supported models (beta).

GET /v1/rl/supported-models

Lists the models that reinforcement learning can train, with their GPU layouts and
limits. Use it before rl/create_model_resources.

Returns: data with base_model (for rl/create_model_resources), default_gpu_type and
compute_configs per model.

Rendered from schemas/rl/list_rl_supported_models.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai):
    return run(call, auth, OPERATION)


OPERATION = {
    "method": "GET",
    "path": "/v1/rl/supported-models",
    "retry": "read",
    "arguments": {"properties": {}},
}
