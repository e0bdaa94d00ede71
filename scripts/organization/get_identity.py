# skip_result_postprocessing
"""Get identity.

GET /v3/whoami

Shows to which organization and project your API key belongs. Use it to test the key and
to find the IDs other operations ask for.

Returns: type tells what kind of key it is; project.id and organization.id are the IDs
for operations under a project or organization.

Rendered from schemas/organization/get_identity.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai):
    return run(call, auth, OPERATION)


OPERATION = {
    "method": "GET",
    "path": "/v3/whoami",
    "retry": "read",
    "arguments": {"properties": {}},
}
