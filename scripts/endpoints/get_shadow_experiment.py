# skip_result_postprocessing
"""Get shadow experiment (beta).

GET /v2/projects/{project_id}/endpoints/{endpoint_id}/shadowExperiments/{experiment_id}

Shows one shadow experiment with its sampling and targets. Read it before a change to
get the current etag.

Returns: the experiment; state tells whether it is active, etag goes to
endpoints/update_shadow_experiment, and targets[].id to the target operations.

Example arguments:
    {"endpoint_id": "ep_Qm7Zt9LwXc4B", "experiment_id": "exp_B9eXk2UgL6tW"}

Rendered from schemas/endpoints/get_shadow_experiment.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(
    auth: togetherai,
    endpoint_id: str,
    experiment_id: str,
    project_id: str | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        endpoint_id=endpoint_id,
        experiment_id=experiment_id,
        project_id=project_id,
    )


# fmt: off
OPERATION = {"method": "GET",
  "path": "/v2/projects/{project_id}/endpoints/{endpoint_id}/shadowExperiments/{experiment_id}", "retry": "read",
  "arguments": {"required": ["endpoint_id", "experiment_id"], "properties": {
      "endpoint_id": {"type": "string", "x-in": "path"},
      "experiment_id": {"type": "string", "x-in": "path"},
      "project_id": {"type": "string", "x-in": "path"}}}}
