# skip_result_postprocessing
"""Get RL checkpoint (beta).

GET /v1/rl/checkpoints/{checkpoint_id}

Shows one saved checkpoint: its kind, base model, step and the session it came from.
Works for training and inference checkpoints, also after their session ended.

Returns: the checkpoint; its id goes to rl/download_rl_checkpoint or, as
resume_from_checkpoint_id, to rl/create_training_session.

Example arguments:
    {"checkpoint_id": "e81b6d3f-24a9-4c70-95be-a0f7c2d41863"}

Rendered from schemas/rl/get_rl_checkpoint.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, checkpoint_id: str):
    return run(call, auth, OPERATION, checkpoint_id=checkpoint_id)


OPERATION = {
    "method": "GET",
    "path": "/v1/rl/checkpoints/{checkpoint_id}",
    "retry": "read",
    "arguments": {
        "required": ["checkpoint_id"],
        "properties": {"checkpoint_id": {"type": "string", "x-in": "path"}},
    },
}
