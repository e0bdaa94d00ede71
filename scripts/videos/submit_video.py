# skip_result_postprocessing
"""Submit video.

Begins a video from words at most once: run again after a crash, it finds the one that
it began. Collect video fetches it when it is done.

Returns: video_id for Collect video, its state, whether an earlier run had begun it, and
estimated_cost_usd.

Example arguments:
    {"model": "minimax/hailuo-02", "prompt": "A paper boat drifts down a rainy street"}

Rendered from schemas/videos/submit_video.json; edit that, not this.
"""

from ..catalog.model_picker import choices
from ..client import run, togetherai
from ..media.video_steps import submit_video

DynSelect_model = str


def model(filterText: str = "", auth=None):
    return choices("video", auth, filterText)


def main(
    auth: togetherai,
    model: DynSelect_model,
    prompt: str,
    other_model: str | None = None,
    seconds: int | None = None,
    size: str | None = None,
    picture: "str | list | dict | None" = None,
    seed: int | None = None,
    budget_usd: float | None = None,
    again: str | None = None,
):
    return run(
        submit_video,
        auth,
        STEP,
        model=model,
        prompt=prompt,
        other_model=other_model,
        seconds=seconds,
        size=size,
        picture=picture,
        seed=seed,
        budget_usd=budget_usd,
        again=again,
    )


# fmt: off
STEP = {
  "arguments": {"required": ["model", "prompt"], "properties": {
      "model": {"type": "string"},
      "prompt": {"type": "string", "maxLength": 32000},
      "other_model": {"type": "string", "x-id-of": "model", "title": "Model (id)"},
      "seconds": {"type": "integer", "minimum": 1},
      "size": {"type": "string", "enum": ["landscape", "portrait", "square"], "title": "Shape"},
      "picture": {"type": "string", "minLength": 1, "x-file": "uri", "x-choice": True, "title": "First picture"},
      "seed": {"type": "integer", "minimum": 0},
      "budget_usd": {"type": "number", "minimum": 0, "title": "Budget in USD"},
      "again": {"type": "string", "title": "Run again"}}}}
