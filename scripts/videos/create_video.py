# skip_result_postprocessing
"""Create video.

POST /v2/videos

Starts making a short video from a description, pictures or other clips. The work takes
a while: the answer comes at once with an ID, and videos/get_video tells when the clip
is ready.

Returns: the video job, not yet the video; its id goes to videos/get_video, its status
is in_progress at first.

Example arguments:
    {"body": {"model": "minimax/hailuo-02", "prompt": "A paper boat drifts down a rainy
    street, seen from close to the water"}}

API reference: https://docs.together.ai/reference/create-videos
Rendered from schemas/videos/create_video.json; edit that, not this.
"""

from ..client import call, run, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, NotRequired, TypedDict

    class FrameImages(TypedDict):
        input_image: str | dict
        frame: NotRequired[float | Literal["first", "last"]]

    class FrameVideos(TypedDict):
        video: str | dict

    class AudioObject(TypedDict):
        audio: str | dict

    class Media(TypedDict):
        frame_images: NotRequired[list[FrameImages]]
        frame_videos: NotRequired[list[FrameVideos]]
        reference_images: NotRequired[list[str | dict]]
        reference_videos: NotRequired[list[FrameVideos]]
        source_video: NotRequired[str | dict | FrameVideos]
        audio_inputs: NotRequired[list[str | dict | AudioObject]]

    class Body(TypedDict):
        model: str
        prompt: NotRequired[str]
        seconds: NotRequired[str]
        resolution: NotRequired[str]
        ratio: NotRequired[str]
        media: NotRequired[Media]
        generate_audio: NotRequired[bool]
        width: NotRequired[int]
        height: NotRequired[int]
        negative_prompt: NotRequired[str]
        seed: NotRequired[int]
        fps: NotRequired[int]
        steps: NotRequired[int]
        guidance_scale: NotRequired[int]
        output_format: NotRequired[str]
        output_quality: NotRequired[int]
        frame_images: NotRequired[list[FrameImages]]
        reference_images: NotRequired[list[str | dict]]


def main(auth: togetherai, body: "Body"):
    return run(call, auth, OPERATION, body=body)


# fmt: off
OPERATION = {"method": "POST", "path": "/v2/videos", "retry": "creates", "arguments": {"required": ["body"],
    "properties": {
      "body": {"type": "object", "required": ["model"], "properties": {
          "model": {"type": "string"},
          "prompt": {"type": "string", "minLength": 1, "maxLength": 32000},
          "seconds": {"type": "string"},
          "resolution": {"type": "string"},
          "ratio": {"type": "string"},
          "media": {"type": "object", "x-choice": True, "properties": {
              "frame_images": {"type": "array", "items": {"type": "object", "required": ["input_image"],
                  "properties": {
                    "input_image": {"type": "string", "x-file": "uri", "x-choice": True},
                    "frame": {"x-choice": True, "anyOf": [
                        {"type": "number", "title": "Frame number"},
                        {"type": "string", "enum": ["first", "last"], "title": "First or last"}]}}}},
              "frame_videos": {"type": "array", "items": {"type": "object", "required": ["video"],
                  "properties": {"video": {"type": "string", "x-file": "uri", "x-choice": True}}}},
              "reference_images": {"type": "array", "items": {"type": "string", "x-file": "uri", "x-choice": True},
                "x-row": "source"},
              "reference_videos": {"type": "array", "items": {"type": "object", "required": ["video"],
                  "properties": {"video": {"type": "string", "x-file": "uri", "x-choice": True}}}},
              "source_video": {"x-choice": True, "anyOf": [
                  {"type": "string", "x-file": "uri", "title": "Address"},
                  {"type": "object", "required": ["video"], "title": "Video object", "properties": {
                      "video": {"type": "string", "minLength": 1, "x-file": "uri", "x-choice": True}}}]},
              "audio_inputs": {"type": "array", "items": {"x-choice": True, "anyOf": [
                    {"type": "string", "x-file": "uri", "title": "Address"},
                    {"type": "object", "required": ["audio"], "title": "Audio object", "properties": {
                        "audio": {"type": "string", "minLength": 1, "x-file": "uri", "x-choice": True}}}]},
                "x-row": "source"}}},
          "generate_audio": {"type": "boolean"},
          "width": {"type": "integer"},
          "height": {"type": "integer"},
          "negative_prompt": {"type": "string"},
          "seed": {"type": "integer"},
          "fps": {"type": "integer"},
          "steps": {"type": "integer", "minimum": 10, "maximum": 50},
          "guidance_scale": {"type": "integer"},
          "output_format": {"type": "string"},
          "output_quality": {"type": "integer"},
          "frame_images": {"type": "array", "items": {"type": "object", "required": ["input_image"],
              "properties": {
                "input_image": {"type": "string", "x-file": "uri", "x-choice": True},
                "frame": {"x-choice": True, "anyOf": [
                    {"type": "number", "title": "Frame number"},
                    {"type": "string", "enum": ["first", "last"], "title": "First or last"}]}}}},
          "reference_images": {"type": "array", "items": {"type": "string", "x-file": "uri", "x-choice": True},
            "x-row": "source"}},
        "x-advanced": True}}}}
