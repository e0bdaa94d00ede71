# skip_result_postprocessing
"""Create picture.

Makes pictures from words, and from other pictures if you like, and shows them in the
result.

Returns: the pictures, shown or stored, with seed, width, height and cost_usd.

Example arguments:
    {"model": "openai/gpt-image-2", "prompt": "A lighthouse on a cliff at dawn,
    watercolour"}

Rendered from schemas/images/create_picture.json; edit that, not this.
"""

from ..catalog.model_picker import choices
from ..client import run, togetherai
from ..media.image_steps import create_picture

DynSelect_model = str


def model(filterText: str = "", auth=None):
    return choices("image", auth, filterText)


def main(
    auth: togetherai,
    prompt: str,
    model: DynSelect_model | None = None,
    other_model: str | None = None,
    size: str = "square",
    n: int = 1,
    pictures: list[dict] | None = None,
    avoid: str | None = None,
    seed: int | None = None,
    steps: int | None = None,
    format: str = "png",
    output: str = "result",
    budget_usd: float | None = None,
):
    return run(
        create_picture,
        auth,
        STEP,
        prompt=prompt,
        model=model,
        other_model=other_model,
        size=size,
        n=n,
        pictures=pictures,
        avoid=avoid,
        seed=seed,
        steps=steps,
        format=format,
        output=output,
        budget_usd=budget_usd,
    )


# fmt: off
STEP = {
  "arguments": {"required": ["prompt"], "properties": {
      "prompt": {"type": "string"},
      "model": {"type": "string", "minLength": 1},
      "other_model": {"type": "string", "x-id-of": "model", "title": "Model (id)"},
      "size": {"type": "string", "enum": ["square", "landscape", "portrait", "wide", "tall"], "default": "square",
        "title": "Shape"},
      "n": {"type": "integer", "minimum": 1, "maximum": 4, "default": 1, "title": "How many"},
      "pictures": {"type": "array", "items": {"type": "string", "minLength": 1, "x-file": "uri", "x-choice": True},
        "x-row": "source", "title": "Reference pictures"},
      "avoid": {"type": "string", "title": "Negative prompt"},
      "seed": {"type": "integer", "minimum": 0},
      "steps": {"type": "integer", "minimum": 1, "maximum": 50},
      "format": {"type": "string", "enum": ["png", "jpeg"], "default": "png", "title": "File format"},
      "output": {"type": "string", "enum": ["result", "storage", "url"], "default": "result"},
      "budget_usd": {"type": "number", "minimum": 0, "title": "Budget in USD"}}}}
