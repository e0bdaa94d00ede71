# skip_result_postprocessing
"""Submit fine-tune (costs money).

Begins a fine-tune at most once: run again after a crash, it finds the one that it
began. Asks the price first and keeps to your budget.

Returns: fine_tune_id, its state, the new model's name, estimated_cost_usd, and whether
an earlier run had begun it.

Example arguments:
    {"model": "Qwen/Qwen3.5-9B", "training_file":
    "file-6f8a2c1d-3b47-4f0e-9a55-0c1d2e3f4a5b"}

Rendered from schemas/fine_tuning/submit_fine_tune.json; edit that, not this.
"""

from ..catalog.model_picker import choices
from ..client import run, togetherai
from ..tuning.fine_tune_steps import submit_fine_tune

DynSelect_model = str


def model(filterText: str = "", auth=None):
    return choices("fine_tuning", auth, filterText)


def main(
    auth: togetherai,
    model: DynSelect_model,
    training_file: str,
    other_model: str | None = None,
    validation_file: str | None = None,
    suffix: str | None = None,
    n_epochs: int = 1,
    n_checkpoints: int | None = None,
    n_evals: int | None = None,
    lora: bool = True,
    learning_rate: float | None = None,
    budget_usd: float | None = None,
    again: str | None = None,
):
    return run(
        submit_fine_tune,
        auth,
        STEP,
        model=model,
        training_file=training_file,
        other_model=other_model,
        validation_file=validation_file,
        suffix=suffix,
        n_epochs=n_epochs,
        n_checkpoints=n_checkpoints,
        n_evals=n_evals,
        lora=lora,
        learning_rate=learning_rate,
        budget_usd=budget_usd,
        again=again,
    )


# fmt: off
STEP = {
  "arguments": {"required": ["model", "training_file"], "properties": {
      "model": {"type": "string", "title": "Base model"},
      "training_file": {"type": "string", "title": "Training file ID"},
      "other_model": {"type": "string", "x-id-of": "model", "title": "Base model (id)"},
      "validation_file": {"type": "string", "title": "Validation file ID"},
      "suffix": {"type": "string", "maxLength": 31, "title": "Name suffix"},
      "n_epochs": {"type": "integer", "minimum": 1, "default": 1, "title": "Epochs"},
      "n_checkpoints": {"type": "integer", "minimum": 1, "title": "Checkpoints"},
      "n_evals": {"type": "integer", "minimum": 0, "title": "Evaluations"},
      "lora": {"type": "boolean", "default": True},
      "learning_rate": {"type": "number", "minimum": 0},
      "budget_usd": {"type": "number", "minimum": 0, "title": "Budget in USD"},
      "again": {"type": "string", "title": "Run again"}}}}
