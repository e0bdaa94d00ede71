# skip_result_postprocessing
"""List deployment adapters.

GET
/v2/projects/{project_id}/endpoints/{endpoint_id}/deployments/{deployment_id}/adapters

Lists the LoRA adapters attached to a deployment with their loading state. Use it to
find the id and etag of an attachment.

Returns: a page of attachments in data; id and etag go to
endpoints/update_deployment_adapter, and next_cursor goes to after for the next page.

Example arguments:
    {"endpoint_id": "ep_Qm7Zt9LwXc4B", "deployment_id": "dep_V2kR8sNfH3yD"}

API reference: https://docs.together.ai/reference/dmi/adapters-list
Rendered from schemas/endpoints/list_deployment_adapters.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(
    auth: togetherai,
    endpoint_id: str,
    deployment_id: str,
    project_id: str | None = None,
    after: str | None = None,
    limit: int | None = None,
    max_pages: int | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        endpoint_id=endpoint_id,
        deployment_id=deployment_id,
        project_id=project_id,
        after=after,
        limit=limit,
        max_pages=max_pages,
    )


# fmt: off
OPERATION = {"method": "GET",
  "path": "/v2/projects/{project_id}/endpoints/{endpoint_id}/deployments/{deployment_id}/adapters", "retry": "read",
  "pages": "cursor", "arguments": {"required": ["endpoint_id", "deployment_id"], "properties": {
      "endpoint_id": {"type": "string", "x-in": "path"},
      "deployment_id": {"type": "string", "x-in": "path"},
      "project_id": {"type": "string", "x-in": "path"},
      "after": {"type": "string", "x-in": "query"},
      "limit": {"type": "integer", "x-in": "query"},
      "max_pages": {"type": "integer", "minimum": 1, "x-in": "pages"}}}}
