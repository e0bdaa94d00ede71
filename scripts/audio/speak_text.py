# skip_result_postprocessing
"""Speak text.

Reads a text of any length aloud and gives one file, which plays in the result.

Returns: the sound, shown or stored, with voice, parts, characters and cost_usd.

Example arguments:
    {"model": "hexgrad/Kokoro-82M", "text": "Good morning."}

Rendered from schemas/audio/speak_text.json; edit that, not this.
"""

from ..catalog.model_picker import choices
from ..client import run, togetherai
from ..speech.audio_steps import speak_text

DynSelect_model = str


def model(filterText: str = "", auth=None):
    return choices("speech", auth, filterText)


def main(
    auth: togetherai,
    text: str,
    model: DynSelect_model | None = None,
    other_model: str | None = None,
    voice: str | None = None,
    language: str | None = None,
    format: str = "mp3",
    output: str = "result",
    stop_after_seconds: float | None = None,
    budget_usd: float | None = None,
):
    return run(
        speak_text,
        auth,
        STEP,
        text=text,
        model=model,
        other_model=other_model,
        voice=voice,
        language=language,
        format=format,
        output=output,
        stop_after_seconds=stop_after_seconds,
        budget_usd=budget_usd,
    )


# fmt: off
STEP = {
  "arguments": {"required": ["text"], "properties": {
      "text": {"type": "string"},
      "model": {"type": "string", "minLength": 1},
      "other_model": {"type": "string", "x-id-of": "model", "title": "Model (id)"},
      "voice": {"type": "string"},
      "language": {"type": "string"},
      "format": {"type": "string", "enum": ["mp3", "wav", "raw"], "default": "mp3", "title": "File format"},
      "output": {"type": "string", "enum": ["result", "storage"], "default": "result"},
      "stop_after_seconds": {"type": "number", "minimum": 1, "title": "Time limit of the step"},
      "budget_usd": {"type": "number", "minimum": 0, "title": "Budget in USD"}}}}
