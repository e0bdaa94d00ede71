# skip_result_postprocessing
"""Get A/B experiment (beta).

GET /v2/projects/{project_id}/endpoints/{endpoint_id}/abExperiments/{experiment_id}

Shows one A/B experiment with its deployments, roles and percentages. Read it before a
change to get the current etag.

Returns: the experiment; etag and members go to endpoints/update_ab_experiment.

Example arguments:
    {"endpoint_id": "ep_Qm7Zt9LwXc4B", "experiment_id": "abx_R4nMz7QdS1jF"}

Rendered from schemas/endpoints/get_ab_experiment.json; edit that, not this.
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
  "path": "/v2/projects/{project_id}/endpoints/{endpoint_id}/abExperiments/{experiment_id}", "retry": "read",
  "arguments": {"required": ["endpoint_id", "experiment_id"], "properties": {
      "endpoint_id": {"type": "string", "x-in": "path"},
      "experiment_id": {"type": "string", "x-in": "path"},
      "project_id": {"type": "string", "x-in": "path"}}}}
