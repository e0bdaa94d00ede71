# skip_result_postprocessing
"""Plan deployment.

Says which configuration deploy_model would use for a model and what an hour of it
costs. Creates nothing, costs nothing.

Returns: model and config as resource names, gpu_type, gpu_count, usd_per_hour of the
replicas, and the alternatives.

Example arguments:
    {"model": "openai/gpt-oss-120b"}

Rendered from schemas/endpoints/plan_deployment.json; edit that, not this.
"""

from ..client import run, togetherai
from ..deployment_steps import plan_deployment


def main(auth: togetherai, model: str, config: str | None = None, replicas: int = 1):
    return run(
        plan_deployment,
        auth,
        STEP,
        model=model,
        config=config,
        replicas=replicas,
    )


STEP = {
    "arguments": {
        "required": ["model"],
        "properties": {
            "model": {"type": "string"},
            "config": {"type": "string", "title": "Configuration"},
            "replicas": {"type": "integer", "minimum": 1, "default": 1},
        },
    },
}
