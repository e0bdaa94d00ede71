# skip_result_postprocessing
"""Read a text aloud.

Use it to make a sound file of a text. Costs about 0.4 cents per 1,000 characters. Needs
the workspace's object storage, where the file is put.

Returns: text, where the sound is; s3, its key in storage; filename; cost_usd.

Example arguments:
    {"text": "The report is ready."}

Rendered from schemas/agent/make_speech.json; edit that, not this.
"""

from ..agent_tools.agent_steps import make_speech
from ..client import run, togetherai


def main(
    auth: togetherai,
    text: str,
    voice: str | None = None,
    model: str | None = None,
):
    return run(make_speech, auth, STEP, text=text, voice=voice, model=model)


STEP = {
    "arguments": {
        "required": ["text"],
        "properties": {
            "text": {"type": "string"},
            "voice": {"type": "string", "minLength": 1},
            "model": {"type": "string", "minLength": 1},
        },
    },
}
