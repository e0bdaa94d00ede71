# skip_result_postprocessing
"""Price a call.

Use it before anything dear, to learn what a call of a model costs at most by the
catalogue's prices. Costs nothing.

Returns: text; usd, None where it is not known; note, why not.

Example arguments:
    {"model": "openai/gpt-oss-120b", "input_tokens": 1000, "output_tokens": 200}

Rendered from schemas/agent/price_call.json; edit that, not this.
"""

from ..agent_tools.agent_steps import price_call
from ..client import run, togetherai


def main(
    auth: togetherai,
    model: str,
    input_tokens: int | None = None,
    output_tokens: int | None = None,
    images: int | None = None,
    seconds: float | None = None,
    characters: int | None = None,
    videos: int | None = None,
    times: int = 1,
):
    return run(
        price_call,
        auth,
        STEP,
        model=model,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        images=images,
        seconds=seconds,
        characters=characters,
        videos=videos,
        times=times,
    )


# fmt: off
STEP = {
  "arguments": {"required": ["model"], "properties": {
      "model": {"type": "string"},
      "input_tokens": {"type": "integer", "minimum": 1, "title": "Input"},
      "output_tokens": {"type": "integer", "minimum": 1, "title": "Output"},
      "images": {"type": "integer", "minimum": 1, "title": "Pictures"},
      "seconds": {"type": "number", "minimum": 1},
      "characters": {"type": "integer", "minimum": 1},
      "videos": {"type": "integer", "minimum": 1},
      "times": {"type": "integer", "minimum": 1, "default": 1}}}}
