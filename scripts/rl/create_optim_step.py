# skip_result_postprocessing
"""Create optimizer step (beta).

POST /v1/rl/training-sessions/{session_id}/operations/optim-step

Updates the weights of a training session with the gradients collected by
rl/create_forward_backward or rl/create_custom_forward_backward, which must have run
before. Sampling keeps using the old weights until rl/create_weights_sync has run.

Returns: the operation; its id goes to rl/get_optim_step, which shows status and, once
completed, output.step.

Example arguments:
    {"session_id": "0b9d4e71-6c25-4a8f-b1d3-7e5f2a90c846", "body": {}}

Rendered from schemas/rl/create_optim_step.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NotRequired, TypedDict

    class AdamParams(TypedDict):
        beta1: NotRequired[float]
        beta2: NotRequired[float]
        eps: NotRequired[float]
        grad_clip_norm: NotRequired[float]
        learning_rate: NotRequired[float]
        weight_decay: NotRequired[float]

    class MuonParams(TypedDict):
        adam: NotRequired[AdamParams]
        grad_clip_norm: NotRequired[float]
        learning_rate: NotRequired[float]
        momentum: NotRequired[float]
        newton_schulz_steps: NotRequired[int]
        weight_decay: NotRequired[float]

    class Body(TypedDict):
        adam_params: NotRequired[AdamParams]
        muon_params: NotRequired[MuonParams]


def main(
    auth: togetherai,
    session_id: str,
    body: "Body" = None,
    idempotency_key: str | None = None,
):
    return run(
        call,
        auth,
        OPERATION,
        session_id=session_id,
        body=body,
        idempotency_key=idempotency_key,
    )


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/rl/training-sessions/{session_id}/operations/optim-step",
  "retry": "creates", "find": "rl/get_training_session", "arguments": {"required": ["session_id"],
    "properties": {
      "session_id": {"type": "string", "x-in": "path"},
      "body": {"type": "object", "properties": {
          "adam_params": {"type": "object", "properties": {
              "beta1": {"type": "number"},
              "beta2": {"type": "number"},
              "eps": {"type": "number"},
              "grad_clip_norm": {"type": "number"},
              "learning_rate": {"type": "number"},
              "weight_decay": {"type": "number"}}},
          "muon_params": {"type": "object", "properties": {
              "adam": {"type": "object", "x-choice": True, "properties": {
                  "beta1": {"type": "number"},
                  "beta2": {"type": "number"},
                  "eps": {"type": "number"},
                  "grad_clip_norm": {"type": "number"},
                  "learning_rate": {"type": "number"},
                  "weight_decay": {"type": "number"}}},
              "grad_clip_norm": {"type": "number"},
              "learning_rate": {"type": "number"},
              "momentum": {"type": "number"},
              "newton_schulz_steps": {"type": "integer"},
              "weight_decay": {"type": "number"}}}},
        "x-groups": {"optimizer": {"Adam": "adam_params", "Muon": "muon_params"}}},
      "idempotency_key": {"type": "string", "x-in": "header", "x-wire": "Idempotency-Key"}}}}
