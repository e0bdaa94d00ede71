# skip_result_postprocessing
"""Create transcription.

POST /v1/audio/transcriptions

Turns recorded speech into text in the language spoken, optionally with time stamps and
speakers. Takes an audio file or a web address; nothing must exist first.

Returns: the recognized text in text; with verbose_json also language, duration,
segments and words, and speaker_segments when speakers are told apart.

Example arguments:
    {"body": {"file": "https://example.com/audio/standup.mp3"}}

Rendered from schemas/audio/create_transcription.json; edit that, not this.
"""

from ..client import run, togetherai, upload

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal, NotRequired, TypedDict

    class Body(TypedDict):
        file: str | dict | list
        model: NotRequired[str]
        language: NotRequired[str]
        prompt: NotRequired[str]
        response_format: NotRequired[Literal["json", "verbose_json"]]
        timestamp_granularities: NotRequired[
            Literal["segment", "word"] | list[Literal["segment", "word"]]
        ]
        diarize: NotRequired[bool]
        min_speakers: NotRequired[int]
        max_speakers: NotRequired[int]
        temperature: NotRequired[float]


def main(auth: togetherai, body: "Body"):
    return run(upload, auth, OPERATION, body=body)


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/audio/transcriptions", "retry": "inference", "content": "multipart",
  "arguments": {"required": ["body"], "properties": {
      "body": {"type": "object", "required": ["file"], "properties": {
          "file": {"type": "string", "x-file": "uri", "format": "binary", "x-choice": True},
          "model": {"type": "string"},
          "language": {"type": "string"},
          "prompt": {"type": "string"},
          "response_format": {"type": "string", "enum": ["json", "verbose_json"]},
          "timestamp_granularities": {"anyOf": [
              {"type": "string", "enum": ["segment", "word"], "title": "One level"},
              {"type": "array", "minItems": 1, "maxItems": 2, "items": {"type": "string", "enum": ["segment", "word"]},
                "title": "Several levels"}]},
          "diarize": {"type": "boolean"},
          "min_speakers": {"type": "integer"},
          "max_speakers": {"type": "integer"},
          "temperature": {"type": "number", "minimum": 0.0, "maximum": 1.0}},
        "x-advanced": True}}}}
