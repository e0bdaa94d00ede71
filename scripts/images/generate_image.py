# skip_result_postprocessing
"""Generate image.

POST /v1/images/generations

Draws one or more pictures from a description, or changes a picture with models that
edit. Which of the optional settings count depends on the model.

Returns: the API's list with one item per picture: data[].url is its address, or
data[].b64_json the picture itself in base64. Beside it what Windmill shows: the picture
under png, jpeg or gif, several as html. With output storage each item has s3, the key
of its object, and the answer too when there is one picture only.

Example arguments:
    {"body": {"model": "openai/gpt-image-2", "prompt": "A red lighthouse on a cliff at
    dawn, watercolour"}}

API reference: https://docs.together.ai/reference/post-images-generations
Rendered from schemas/images/generate_image.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, NotRequired, TypedDict

    class ImageLoras(TypedDict):
        path: str
        scale: float

    class Body(TypedDict):
        model: str
        prompt: str
        width: NotRequired[int]
        height: NotRequired[int]
        n: NotRequired[int]
        seed: NotRequired[int]
        reference_images: NotRequired[list[str | dict]]
        steps: NotRequired[int]
        response_format: NotRequired[Literal["base64", "url"]]
        output_format: NotRequired[str]
        negative_prompt: NotRequired[str]
        guidance_scale: NotRequired[float]
        image_url: NotRequired[str | dict]
        aspect_ratio: NotRequired[str]
        prompt_upsampling: NotRequired[bool]
        image_loras: NotRequired[list[ImageLoras]]
        disable_safety_checker: NotRequired[bool]


def main(auth: togetherai, body: "Body", output: str = "result"):
    return run(call, auth, OPERATION, body=body, output=output)


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/images/generations", "retry": "inference", "brings": {"at": "data/*",
    "kind": "picture"},
  "arguments": {"required": ["body"], "properties": {
      "body": {"type": "object", "required": ["model", "prompt"], "properties": {
          "model": {"type": "string"},
          "prompt": {"type": "string"},
          "width": {"type": "integer"},
          "height": {"type": "integer"},
          "n": {"type": "integer"},
          "seed": {"type": "integer"},
          "reference_images": {"type": "array", "items": {"type": "string", "x-file": "uri", "x-choice": True},
            "x-row": "source"},
          "steps": {"type": "integer"},
          "response_format": {"type": "string", "enum": ["base64", "url"]},
          "output_format": {"type": "string"},
          "negative_prompt": {"type": "string"},
          "guidance_scale": {"type": "number"},
          "image_url": {"type": "string", "x-file": "uri", "x-choice": True},
          "aspect_ratio": {"type": "string"},
          "prompt_upsampling": {"type": "boolean"},
          "image_loras": {"type": "array", "items": {"type": "object", "required": ["path", "scale"],
              "properties": {"path": {"type": "string"}, "scale": {"type": "number"}}}},
          "disable_safety_checker": {"type": "boolean"}},
        "x-advanced": True},
      "output": {"type": "string", "enum": ["result", "storage", "url"], "x-in": "result", "default": "result"}}}}
