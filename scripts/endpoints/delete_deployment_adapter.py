# skip_result_postprocessing
"""Delete deployment adapter (cannot be undone).

DELETE /v2/projects/{project_id}/endpoints/{endpoint_id}/deployments/{deployment_id}/ada
pters/{adapter_id}

Detaches a LoRA adapter from a deployment; the adapter model itself stays. Read it with
Get deployment adapter first: its etag is required.

Returns: an empty object; the attachment is gone, and attaching the adapter again gives
a new id.

Example arguments:
    {"endpoint_id": "ep_Qm7Zt9LwXc4B", "deployment_id": "dep_V2kR8sNfH3yD",
    "adapter_id": "dad_T7cGs4PiE2nZ", "etag": "W/7c2e9f41"}

Rendered from schemas/endpoints/delete_deployment_adapter.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(
    auth: togetherai,
    endpoint_id: str,
    deployment_id: str,
    adapter_id: str,
    etag: str,
    project_id: str | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        endpoint_id=endpoint_id,
        deployment_id=deployment_id,
        adapter_id=adapter_id,
        etag=etag,
        project_id=project_id,
    )


# fmt: off
OPERATION = {"method": "DELETE",
  "path": "/v2/projects/{project_id}/endpoints/{endpoint_id}/deployments/{deployment_id}/adapters/{adapter_id}",
  "retry": "mutates", "find": "endpoints/get_deployment_adapter", "arguments": {"required": ["endpoint_id",
      "deployment_id", "adapter_id", "etag"],
    "properties": {
      "endpoint_id": {"type": "string", "x-in": "path"},
      "deployment_id": {"type": "string", "x-in": "path"},
      "adapter_id": {"type": "string", "x-in": "path"},
      "etag": {"type": "string", "x-in": "query"},
      "project_id": {"type": "string", "x-in": "path"}}}}
