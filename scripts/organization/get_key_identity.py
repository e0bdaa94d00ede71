# skip_result_postprocessing
"""Get key identity.

GET /v1/whoami

Shows the API key, its project and its organization in one flat object, as version 1 of
the API does. It also names the user where the key has one. Get identity is the newer
form.

Returns: flat members: api_key_id, organization_id, organization_name, project_id,
project_name and project_slug, which begins the model's name in requests to an endpoint
of yours, and user_id where there is one.

Rendered from schemas/organization/get_key_identity.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai):
    return run(call, auth, OPERATION)


OPERATION = {
    "method": "GET",
    "path": "/v1/whoami",
    "retry": "read",
    "arguments": {"properties": {}},
}
