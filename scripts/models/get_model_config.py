# skip_result_postprocessing
"""Get model config.

GET /v2/projects/{project_id}/configs/{config_id}

Shows one config: the model it is for, the hardware it asks for and what it was
certified with.

Returns: the config with selectors and certifications; its id is used when a deployment
is created.

Example arguments:
    {"config_id": "cr_Hk5Zr8Tn2Vw6"}

Rendered from schemas/models/get_model_config.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, config_id: str, project_id: str | None = None):
    return run(call, auth, OPERATION, config_id=config_id, project_id=project_id)


OPERATION = {
    "method": "GET",
    "path": "/v2/projects/{project_id}/configs/{config_id}",
    "retry": "read",
    "arguments": {
        "required": ["config_id"],
        "properties": {
            "config_id": {"type": "string", "x-in": "path"},
            "project_id": {"type": "string", "x-in": "path"},
        },
    },
}
