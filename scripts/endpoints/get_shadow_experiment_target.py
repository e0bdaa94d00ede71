# skip_result_postprocessing
"""Get shadow experiment target (beta).

GET /v2/projects/{project_id}/endpoints/{endpoint_id}/shadowExperiments/{experiment_id}/
targets/{target_id}

Shows one deployment that receives copies of requests in a shadow experiment. Read it
before a change to get the current etag.

Returns: the target with targetDeploymentId; etag goes to
endpoints/update_shadow_experiment_target.

Example arguments:
    {"endpoint_id": "ep_Qm7Zt9LwXc4B", "experiment_id": "exp_B9eXk2UgL6tW", "target_id":
    "tgt_D3hVq8AoY5rM"}

Rendered from schemas/endpoints/get_shadow_experiment_target.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(
    auth: togetherai,
    endpoint_id: str,
    experiment_id: str,
    target_id: str,
    project_id: str | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        endpoint_id=endpoint_id,
        experiment_id=experiment_id,
        target_id=target_id,
        project_id=project_id,
    )


# fmt: off
OPERATION = {"method": "GET",
  "path": "/v2/projects/{project_id}/endpoints/{endpoint_id}/shadowExperiments/{experiment_id}/targets/{target_id}",
  "retry": "read", "arguments": {"required": ["endpoint_id", "experiment_id", "target_id"],
    "properties": {
      "endpoint_id": {"type": "string", "x-in": "path"},
      "experiment_id": {"type": "string", "x-in": "path"},
      "target_id": {"type": "string", "x-in": "path"},
      "project_id": {"type": "string", "x-in": "path"}}}}
