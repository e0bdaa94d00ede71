# skip_result_postprocessing
"""Draw a picture.

Use it to make one picture from words. Costs 4 to 10 cents. The picture is put into the
workspace's object storage, or stays at an address that expires where there is none.

Returns: text, where the picture is; s3, its key in storage, or url; seed; cost_usd.

Example arguments:
    {"prompt": "A lighthouse at dusk, in watercolour"}

Rendered from schemas/agent/draw_picture.json; edit that, not this.
"""

from ..agent_tools.agent_steps import draw_picture
from ..client import run, togetherai


def main(auth: togetherai, prompt: str, size: str = "square", model: str | None = None):
    return run(draw_picture, auth, STEP, prompt=prompt, size=size, model=model)


# fmt: off
STEP = {
  "arguments": {"required": ["prompt"], "properties": {
      "prompt": {"type": "string"},
      "size": {"type": "string", "enum": ["square", "landscape", "portrait", "wide", "tall"], "default": "square",
        "title": "Shape"},
      "model": {"type": "string", "minLength": 1}}}}
