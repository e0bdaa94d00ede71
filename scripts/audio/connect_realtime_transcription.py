# skip_result_postprocessing
"""Transcribe a recording in realtime.

GET /v1/realtime

Streams a recording to a realtime speech model and shows the text while it is being
recognized. Use it to see words early or to use models that are only there in realtime;
for a plain transcript of a file use audio/create_transcription.

Returns: the whole text and its segments, each with start and duration in seconds where
the model tells them, or why it failed; note where something may be missing.

Example arguments:
    {"model": "openai/whisper-large-v3", "input_audio_format": "pcm_s16le_16000",
    "recording":
    "UklGRkQAAABXQVZFZm10IBAAAAABAAEAgD4AAAB9AAACABAAZGF0YSAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="}

Rendered from schemas/audio/connect_realtime_transcription.json; edit that, not this.
"""

from ..client import run, togetherai
from ..realtime_audio import transcribe


def main(
    auth: togetherai,
    model: str,
    input_audio_format: str,
    recording: "str | list | dict",
    turn_detection: str | None = None,
    threshold: float | None = None,
    min_silence_duration_ms: int | None = None,
    min_speech_duration_ms: int | None = None,
    max_speech_duration_s: float | None = None,
    speech_pad_ms: int | None = None,
    eot_threshold: float | None = None,
    eot_timeout_ms: int | None = None,
    eager_eot_threshold: float | None = None,
    language: str | None = None,
):
    return run(
        transcribe,
        auth,
        OPERATION,
        model=model,
        input_audio_format=input_audio_format,
        recording=recording,
        turn_detection=turn_detection,
        threshold=threshold,
        min_silence_duration_ms=min_silence_duration_ms,
        min_speech_duration_ms=min_speech_duration_ms,
        max_speech_duration_s=max_speech_duration_s,
        speech_pad_ms=speech_pad_ms,
        eot_threshold=eot_threshold,
        eot_timeout_ms=eot_timeout_ms,
        eager_eot_threshold=eager_eot_threshold,
        language=language,
    )


# fmt: off
OPERATION = {"method": "GET", "path": "/v1/realtime", "retry": "inference", "reply": "transcript",
  "arguments": {"required": ["model", "input_audio_format", "recording"], "properties": {
      "model": {"type": "string", "x-in": "query"},
      "input_audio_format": {"type": "string", "x-in": "query"},
      "recording": {"type": "string", "x-in": "message", "x-file": "uri", "format": "binary", "x-choice": True},
      "turn_detection": {"type": "string", "enum": ["server_vad", "none"], "x-in": "query"},
      "threshold": {"type": "number", "minimum": 0, "maximum": 1, "x-in": "query"},
      "min_silence_duration_ms": {"type": "integer", "x-in": "query"},
      "min_speech_duration_ms": {"type": "integer", "x-in": "query"},
      "max_speech_duration_s": {"type": "number", "x-in": "query"},
      "speech_pad_ms": {"type": "integer", "x-in": "query"},
      "eot_threshold": {"type": "number", "x-in": "query"},
      "eot_timeout_ms": {"type": "integer", "x-in": "query"},
      "eager_eot_threshold": {"type": "number", "x-in": "query"},
      "language": {"type": "string", "x-in": "query"}}}}
