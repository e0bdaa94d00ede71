# skip_result_postprocessing
"""Get fine-tune model limits.

GET /v1/fine-tunes/models/limits

Tells what training a model allows: batch sizes, LoRA rank, sequence length, epochs and
learning rates. Look here before Create fine-tune job.

Returns: the limits: full_training and lora_training with their batch sizes and
max_rank, max_num_epochs, min_learning_rate and max_learning_rate, supports_vision.

Example arguments:
    {"model_name": "Qwen/Qwen3.5-9B"}

Rendered from schemas/fine_tuning/get_fine_tune_model_limits.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, model_name: str):
    return run(call, auth, OPERATION, model_name=model_name)


OPERATION = {
    "method": "GET",
    "path": "/v1/fine-tunes/models/limits",
    "retry": "read",
    "arguments": {
        "required": ["model_name"],
        "properties": {"model_name": {"type": "string", "x-in": "query"}},
    },
}
