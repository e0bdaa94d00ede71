# skip_result_postprocessing
"""Plan deployment.

Says which configuration deploy_model would use for a model and what an hour of it
costs. Creates nothing, costs nothing.

Returns: model and config as resource names, gpu_type, gpu_count, usd_per_hour of the
replicas, the alternatives, and whether it is running already.

Example arguments:
    {"model": "openai/gpt-oss-120b"}

Rendered from schemas/endpoints/plan_deployment.json; edit that, not this.
"""

from ..client import run, togetherai
from ..deployment_steps import plan_deployment


def main(
    auth: togetherai,
    model: str,
    config: str | None = None,
    replicas: int = 1,
    endpoint_name: str | None = None,
    deployment_name: str = "main",
):
    return run(
        plan_deployment,
        auth,
        STEP,
        model=model,
        config=config,
        replicas=replicas,
        endpoint_name=endpoint_name,
        deployment_name=deployment_name,
    )


# fmt: off
STEP = {
  "arguments": {"required": ["model"], "properties": {
      "model": {"type": "string"},
      "config": {"type": "string", "title": "Configuration"},
      "replicas": {"type": "integer", "minimum": 1, "default": 1},
      "endpoint_name": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$",
        "description": "The name that deploy_model would be given. A deployment that exists there is taken up as it is, so that its configuration and price are told."},
      "deployment_name": {"type": "string", "minLength": 1, "default": "main"}}}}
