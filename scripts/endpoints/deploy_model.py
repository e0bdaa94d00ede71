# skip_result_postprocessing
"""Deploy model (costs money).

Serves a model on hardware of your own under a name, and returns while it still starts.
What exists under that name is taken up as it is, and started if it is stopped; another
configuration than it has is refused. Charged for every minute until it is stopped.

Returns: endpoint_id, deployment_id, job_id for the waits, model: what requests name as
their model, started: whether this run started it, and a note where it runs otherwise
than asked for.

Example arguments:
    {"model": "openai/gpt-oss-120b", "endpoint_name": "support-chat"}

Rendered from schemas/endpoints/deploy_model.json; edit that, not this.
"""

from ..client import run, togetherai
from ..deployment_steps import deploy_model


def main(
    auth: togetherai,
    model: str,
    endpoint_name: str,
    deployment_name: str = "main",
    config: str | None = None,
    replicas: int = 1,
    max_replicas: int | None = None,
    inactive_minutes: int = 60,
):
    return run(
        deploy_model,
        auth,
        STEP,
        model=model,
        endpoint_name=endpoint_name,
        deployment_name=deployment_name,
        config=config,
        replicas=replicas,
        max_replicas=max_replicas,
        inactive_minutes=inactive_minutes,
    )


# fmt: off
STEP = {
  "arguments": {"required": ["model", "endpoint_name"], "properties": {
      "model": {"type": "string"},
      "endpoint_name": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$",
        "description": "The name that requests will use, behind your project's: support-chat becomes acme/support-chat. Letters, digits, dots, hyphens and underscores."},
      "deployment_name": {"type": "string", "minLength": 1, "default": "main"},
      "config": {"type": "string", "title": "Configuration"},
      "replicas": {"type": "integer", "minimum": 1, "default": 1},
      "max_replicas": {"type": "integer", "minimum": 1, "title": "Maximum replicas"},
      "inactive_minutes": {"type": "integer", "minimum": 0, "maximum": 1440, "default": 60, "title": "Idle minutes"}}}}
