# skip_result_postprocessing
"""Delete shadow experiment target (beta) (cannot be undone).

DELETE /v2/projects/{project_id}/endpoints/{endpoint_id}/shadowExperiments/{experiment_i
d}/targets/{target_id}

Takes a deployment out of a shadow experiment for good, so that it gets no more copies.
The deployment itself stays and goes on costing money.

Returns: an empty object; the experiment goes on with its other targets.

Example arguments:
    {"endpoint_id": "ep_Qm7Zt9LwXc4B", "experiment_id": "exp_B9eXk2UgL6tW", "target_id":
    "tgt_D3hVq8AoY5rM"}

Rendered from schemas/endpoints/delete_shadow_experiment_target.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(
    auth: togetherai,
    endpoint_id: str,
    experiment_id: str,
    target_id: str,
    project_id: str | None = None,
    etag: str | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        endpoint_id=endpoint_id,
        experiment_id=experiment_id,
        target_id=target_id,
        project_id=project_id,
        etag=etag,
    )


# fmt: off
OPERATION = {"method": "DELETE",
  "path": "/v2/projects/{project_id}/endpoints/{endpoint_id}/shadowExperiments/{experiment_id}/targets/{target_id}",
  "retry": "mutates", "find": "endpoints/get_shadow_experiment_target", "arguments": {"required": ["endpoint_id",
      "experiment_id", "target_id"],
    "properties": {
      "endpoint_id": {"type": "string", "x-in": "path"},
      "experiment_id": {"type": "string", "x-in": "path"},
      "target_id": {"type": "string", "x-in": "path"},
      "project_id": {"type": "string", "x-in": "path"},
      "etag": {"type": "string", "x-in": "query"}}}}
