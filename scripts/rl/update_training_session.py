# skip_result_postprocessing
"""Update training session (beta).

PATCH /v1/rl/training-sessions/{session_id}

Changes the display name or the Weights & Biases details of a training session. The
training itself is not affected.

Returns: the changed session with display_name, metadata and status.

Example arguments:
    {"session_id": "0b9d4e71-6c25-4a8f-b1d3-7e5f2a90c846", "body": {}}

Rendered from schemas/rl/update_training_session.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NotRequired, TypedDict

    class Wandb(TypedDict):
        entity: NotRequired[str]
        group: NotRequired[str]
        project: NotRequired[str]
        run_id: NotRequired[str]
        run_name: NotRequired[str]
        url: NotRequired[str]

    class Metadata(TypedDict):
        wandb: NotRequired[Wandb]

    class Body(TypedDict):
        display_name: NotRequired[str]
        metadata: NotRequired[Metadata]


def main(auth: togetherai, session_id: str, body: "Body" = None):
    return run(call, auth, OPERATION, session_id=session_id, body=body)


# fmt: off
OPERATION = {"method": "PATCH", "path": "/v1/rl/training-sessions/{session_id}", "retry": "mutates",
  "find": "rl/get_training_session", "arguments": {"required": ["session_id"], "properties": {
      "session_id": {"type": "string", "x-in": "path"},
      "body": {"type": "object", "properties": {
          "display_name": {"type": "string"},
          "metadata": {"type": "object", "x-choice": True, "properties": {
              "wandb": {"type": "object", "x-choice": True, "properties": {
                  "entity": {"type": "string"},
                  "group": {"type": "string"},
                  "project": {"type": "string"},
                  "run_id": {"type": "string"},
                  "run_name": {"type": "string"},
                  "url": {"type": "string"}}}}}}}}}}
