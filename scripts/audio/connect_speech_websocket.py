# skip_result_postprocessing
"""Speak text in realtime.

GET /v1/audio/speech/websocket

Sends a text to a realtime speech session and returns the sound as a file. Use it for
models that are only there in realtime; audio/create_speech gives more formats.

Returns: a WAV file (16 bit, mono, 24000 Hz): file, in base64, and filename; html plays
it in Windmill; note where something may be missing. With output storage s3, the key of
the object, in place of file.

Example arguments:
    {"text": "Good morning. The report is ready."}

Rendered from schemas/audio/connect_speech_websocket.json; edit that, not this.
"""

from ..client import run, togetherai
from ..realtime_audio import speak


def main(
    auth: togetherai,
    text: str,
    model: str | None = None,
    voice: str | None = None,
    max_partial_length: int | None = None,
    output: str = "result",
):
    return run(
        speak,
        auth,
        OPERATION,
        text=text,
        model=model,
        voice=voice,
        max_partial_length=max_partial_length,
        output=output,
    )


# fmt: off
OPERATION = {"method": "GET", "path": "/v1/audio/speech/websocket", "retry": "inference", "reply": "speech",
  "arguments": {"required": ["text"], "properties": {
      "text": {"type": "string", "x-in": "message"},
      "model": {"type": "string", "x-in": "query"},
      "voice": {"type": "string", "x-in": "query"},
      "max_partial_length": {"type": "integer", "x-in": "query"},
      "output": {"type": "string", "enum": ["result", "storage"], "x-in": "result", "default": "result"}}}}
