# skip_result_postprocessing
"""Create speech.

POST /v1/audio/speech

Reads a text aloud and gives the sound. Pick a model first, then one of its voices from
List voices.

Returns: the sound: file, in base64, and filename; html plays it in Windmill. When
streaming, raw sound without a header. With output storage s3, the key of the object, in
place of file.

Example arguments:
    {"body": {"model": "hexgrad/Kokoro-82M", "input": "Your build has finished.",
    "voice": "af_alloy"}}

Rendered from schemas/audio/create_speech.json; edit that, not this.
"""

from ..client import run, stream, togetherai

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NotRequired, TypedDict

    class ExtraParams(TypedDict):
        pronunciation_dict: NotRequired[list[str]]

    class Body(TypedDict):
        model: str
        input: str
        voice: str
        response_format: NotRequired[str]
        language: NotRequired[str]
        sample_rate: NotRequired[int]
        bit_rate: NotRequired[int]
        response_encoding: NotRequired[str]
        stream: NotRequired[bool]
        extra_params: NotRequired[ExtraParams]


def main(auth: togetherai, body: "Body", output: str = "result"):
    return run(stream, auth, OPERATION, body=body, output=output)


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/audio/speech", "retry": "inference",
  "accept": "application/octet-stream", "reply": "binary", "filename": "speech", "stream": "speech",
  "arguments": {"required": ["body"], "properties": {
      "body": {"type": "object", "required": ["model", "input", "voice"], "properties": {
          "model": {"type": "string"},
          "input": {"type": "string"},
          "voice": {"type": "string"},
          "response_format": {"type": "string"},
          "language": {"type": "string"},
          "sample_rate": {"type": "integer"},
          "bit_rate": {"type": "integer", "enum": [32000, 64000, 96000, 128000, 192000]},
          "response_encoding": {"type": "string"},
          "stream": {"type": "boolean"},
          "extra_params": {"type": "object", "x-choice": True, "properties": {
              "pronunciation_dict": {"type": "array", "items": {"type": "string"}}}}},
        "x-advanced": True},
      "output": {"type": "string", "enum": ["result", "storage"], "x-in": "result", "default": "result"}}}}
