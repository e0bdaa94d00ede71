# skip_result_postprocessing
"""Delete shadow experiment (beta) (cannot be undone).

DELETE
/v2/projects/{project_id}/endpoints/{endpoint_id}/shadowExperiments/{experiment_id}

Ends a shadow experiment and removes it with its targets for good. The deployments
themselves stay and go on costing money.

Returns: an empty object; stop deployments you no longer need with
endpoints/update_endpoint_deployment.

Example arguments:
    {"endpoint_id": "ep_Qm7Zt9LwXc4B", "experiment_id": "exp_B9eXk2UgL6tW"}

Rendered from schemas/endpoints/delete_shadow_experiment.json; edit that, not this.
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
  "path": "/v2/projects/{project_id}/endpoints/{endpoint_id}/shadowExperiments/{experiment_id}", "retry": "mutates",
  "find": "endpoints/get_shadow_experiment", "arguments": {"required": ["endpoint_id", "experiment_id"],
    "properties": {
      "endpoint_id": {"type": "string", "x-in": "path"},
      "experiment_id": {"type": "string", "x-in": "path"},
      "project_id": {"type": "string", "x-in": "path"},
      "etag": {"type": "string", "x-in": "query"}}}}
