# skip_result_postprocessing
"""Create translation.

POST /v1/audio/translations

Turns recorded speech into text in another language, English unless you say otherwise.
Use Create transcription to keep the language spoken.

Returns: the translated text in text; with verbose_json also language, duration,
segments and words.

Example arguments:
    {"body": {"file": "https://example.com/audio/interview-fr.mp3"}}

Rendered from schemas/audio/create_translation.json; edit that, not this.
"""

from ..client import run, togetherai, upload

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, NotRequired, TypedDict

    class Body(TypedDict):
        file: str | dict | list
        model: NotRequired[str]
        language: NotRequired[str]
        response_format: NotRequired[Literal["json", "verbose_json"]]
        timestamp_granularities: NotRequired[
            Literal["segment", "word"] | list[Literal["segment", "word"]]
        ]
        prompt: NotRequired[str]
        temperature: NotRequired[float]


def main(auth: togetherai, body: "Body"):
    return run(upload, auth, OPERATION, body=body)


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/audio/translations", "retry": "inference", "content": "multipart",
  "arguments": {"required": ["body"], "properties": {
      "body": {"type": "object", "required": ["file"], "properties": {
          "file": {"type": "string", "x-file": "uri", "format": "binary", "x-choice": True},
          "model": {"type": "string"},
          "language": {"type": "string"},
          "response_format": {"type": "string", "enum": ["json", "verbose_json"]},
          "timestamp_granularities": {"anyOf": [
              {"type": "string", "enum": ["segment", "word"], "title": "One level"},
              {"type": "array", "minItems": 1, "maxItems": 2, "items": {"type": "string", "enum": ["segment", "word"]},
                "title": "Several levels"}]},
          "prompt": {"type": "string"},
          "temperature": {"type": "number", "minimum": 0.0, "maximum": 1.0}}}}}}
