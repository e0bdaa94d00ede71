# skip_result_postprocessing
"""List fine-tune events.

GET /v1/fine-tunes/{fine_tune_id}/events

Lists what happened in a fine-tune job so far: start, checkpoints, warnings, errors,
end. Use it to find out why a job failed; the whole list comes in one answer.

Returns: the events in data, each with type, level, message and created_at.

Example arguments:
    {"fine_tune_id": "ft-2c1d7e40-8b5a-4f36-9d21-7a0e6c3b5f18"}

API reference: https://docs.together.ai/reference/get-fine-tunes-id-events
Rendered from schemas/fine_tuning/list_fine_tune_events.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, fine_tune_id: str):
    return run(call, auth, OPERATION, fine_tune_id=fine_tune_id)


OPERATION = {
    "method": "GET",
    "path": "/v1/fine-tunes/{fine_tune_id}/events",
    "retry": "read",
    "arguments": {
        "required": ["fine_tune_id"],
        "properties": {"fine_tune_id": {"type": "string", "x-in": "path"}},
    },
}
