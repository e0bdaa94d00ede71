# skip_result_postprocessing
"""Delete A/B experiment (beta) (cannot be undone).

DELETE /v2/projects/{project_id}/endpoints/{endpoint_id}/abExperiments/{experiment_id}

Ends an A/B experiment and its traffic division for good; the control gets its traffic
back. The deployments themselves stay and go on costing money.

Returns: an empty object; stop variants you no longer need with
endpoints/update_endpoint_deployment.

Example arguments:
    {"endpoint_id": "ep_Qm7Zt9LwXc4B", "experiment_id": "abx_R4nMz7QdS1jF"}

Rendered from schemas/endpoints/delete_ab_experiment.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(
    auth: togetherai,
    endpoint_id: str,
    experiment_id: str,
    project_id: str | None = None,
    etag: str | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        endpoint_id=endpoint_id,
        experiment_id=experiment_id,
        project_id=project_id,
        etag=etag,
    )


# fmt: off
OPERATION = {"method": "DELETE",
  "path": "/v2/projects/{project_id}/endpoints/{endpoint_id}/abExperiments/{experiment_id}", "retry": "mutates",
  "find": "endpoints/get_ab_experiment", "arguments": {"required": ["endpoint_id", "experiment_id"],
    "properties": {
      "endpoint_id": {"type": "string", "x-in": "path"},
      "experiment_id": {"type": "string", "x-in": "path"},
      "project_id": {"type": "string", "x-in": "path"},
      "etag": {"type": "string", "x-in": "query"}}}}
