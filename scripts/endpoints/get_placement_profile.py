# skip_result_postprocessing
"""Get placement profile.

GET /v2/projects/{project_id}/placement-profiles/{profile_id}

Shows one saved placement profile, that is, the regions in which deployments shall run
in order of preference.

Returns: the profile with preferredRegions; its id goes to placement.profile of
endpoints/create_endpoint_deployment.

Example arguments:
    {"profile_id": "plp_W5jTc9RxK2bN"}

Rendered from schemas/endpoints/get_placement_profile.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, profile_id: str, project_id: str | None = None):
    return run(call, auth, OPERATION, profile_id=profile_id, project_id=project_id)


OPERATION = {
    "method": "GET",
    "path": "/v2/projects/{project_id}/placement-profiles/{profile_id}",
    "retry": "read",
    "arguments": {
        "required": ["profile_id"],
        "properties": {
            "profile_id": {"type": "string", "x-in": "path"},
            "project_id": {"type": "string", "x-in": "path"},
        },
    },
}
