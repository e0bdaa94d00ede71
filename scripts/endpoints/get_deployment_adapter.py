# skip_result_postprocessing
"""Get deployment adapter.

GET /v2/projects/{project_id}/endpoints/{endpoint_id}/deployments/{deployment_id}/adapte
rs/{adapter_id}

Shows one attached LoRA adapter and whether it is loaded everywhere. Read it before a
change to get the current etag.

Returns: the attachment; perCluster[].state is ADAPTER_LOAD_STATE_READY where it is
loaded, and etag goes to endpoints/update_deployment_adapter.

Example arguments:
    {"endpoint_id": "ep_Qm7Zt9LwXc4B", "deployment_id": "dep_V2kR8sNfH3yD",
    "adapter_id": "dad_T7cGs4PiE2nZ"}

API reference: https://docs.together.ai/reference/dmi/adapters-get
Rendered from schemas/endpoints/get_deployment_adapter.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(
    auth: togetherai,
    endpoint_id: str,
    deployment_id: str,
    adapter_id: str,
    project_id: str | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        endpoint_id=endpoint_id,
        deployment_id=deployment_id,
        adapter_id=adapter_id,
        project_id=project_id,
    )


# fmt: off
OPERATION = {"method": "GET",
  "path": "/v2/projects/{project_id}/endpoints/{endpoint_id}/deployments/{deployment_id}/adapters/{adapter_id}",
  "retry": "read", "arguments": {"required": ["endpoint_id", "deployment_id", "adapter_id"],
    "properties": {
      "endpoint_id": {"type": "string", "x-in": "path"},
      "deployment_id": {"type": "string", "x-in": "path"},
      "adapter_id": {"type": "string", "x-in": "path"},
      "project_id": {"type": "string", "x-in": "path"}}}}
