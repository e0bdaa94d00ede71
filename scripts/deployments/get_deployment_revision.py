# skip_result_postprocessing
"""Get deployment revision.

GET /v1/deployments/{deployment_id}/revisions/{revision_identifier}

Reads the complete settings a container deployment had at one revision, for example
before rolling back to it. Only the newest 50 revisions keep their settings; older ones
answer not found.

Returns: the settings of that revision, among them image, environment_variables, volumes
and revision_id.

Example arguments:
    {"deployment_id": "speech-worker", "revision_identifier": "2"}

Rendered from schemas/deployments/get_deployment_revision.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, deployment_id: str, revision_identifier: str):
    return run(
        call,
        auth,
        OPERATION,
        deployment_id=deployment_id,
        revision_identifier=revision_identifier,
    )


OPERATION = {
    "method": "GET",
    "path": "/v1/deployments/{deployment_id}/revisions/{revision_identifier}",
    "retry": "read",
    "arguments": {
        "required": ["deployment_id", "revision_identifier"],
        "properties": {
            "deployment_id": {"type": "string", "x-in": "path"},
            "revision_identifier": {"type": "string", "x-in": "path"},
        },
    },
}
