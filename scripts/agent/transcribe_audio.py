# skip_result_postprocessing
"""Write down a recording.

Use it to read what is said in a sound or video file. Costs about 0.1 cents a minute of
sound.

Returns: text; language; duration in seconds; cost_usd. A text of more than 20,000
characters is cut, and cut says how much is left out.

Example arguments:
    {"recording": "https://example.com/call.mp3"}

Rendered from schemas/agent/transcribe_audio.json; edit that, not this.
"""

from ..agent_tools.agent_steps import transcribe_audio
from ..client import run, togetherai


def main(
    auth: togetherai,
    recording: str,
    language: str | None = None,
    speakers: bool = False,
    model: str | None = None,
):
    return run(
        transcribe_audio,
        auth,
        STEP,
        recording=recording,
        language=language,
        speakers=speakers,
        model=model,
    )


# fmt: off
STEP = {
  "arguments": {"required": ["recording"], "properties": {
      "recording": {"type": "string"},
      "language": {"type": "string", "minLength": 1},
      "speakers": {"type": "boolean", "default": False, "title": "Tell speakers apart"},
      "model": {"type": "string", "minLength": 1}}}}
