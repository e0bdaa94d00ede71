# skip_result_postprocessing
"""Transcribe recording.

Writes down what is said in a recording, with times, speakers and subtitles.

Returns: text, segments with times, the same as srt and vtt subtitles, language,
duration in seconds and cost_usd.

Example arguments:
    {"model": "openai/whisper-large-v3", "recording": "https://example.com/meeting.mp3"}

Rendered from schemas/audio/transcribe_recording.json; edit that, not this.
"""

from ..catalog.model_picker import choices
from ..client import run, togetherai
from ..speech.audio_steps import transcribe_recording

DynSelect_model = str


def model(filterText: str = "", auth=None):
    return choices("transcription", auth, filterText)


def main(
    auth: togetherai,
    recording: "str | list | dict",
    model: DynSelect_model | None = None,
    other_model: str | None = None,
    language: str | None = None,
    prompt: str | None = None,
    speakers: bool = False,
):
    return run(
        transcribe_recording,
        auth,
        STEP,
        recording=recording,
        model=model,
        other_model=other_model,
        language=language,
        prompt=prompt,
        speakers=speakers,
    )


# fmt: off
STEP = {
  "arguments": {"required": ["recording"], "properties": {
      "recording": {"x-file": "content", "x-choice": True},
      "model": {"type": "string", "minLength": 1},
      "other_model": {"type": "string", "x-id-of": "model", "title": "Model (id)"},
      "language": {"type": "string"},
      "prompt": {"type": "string", "title": "Hints"},
      "speakers": {"type": "boolean", "default": False, "title": "Tell speakers apart"}}}}
