# skip_result_postprocessing
"""List voices.

GET /v1/voices

Shows the voices of every speech model. Use it to find the voice name that Create speech
asks for.

Returns: in data one entry per model, with model and voices; the name of a voice goes to
audio/create_speech.

Rendered from schemas/audio/list_voices.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai):
    return run(call, auth, OPERATION)


OPERATION = {
    "method": "GET",
    "path": "/v1/voices",
    "retry": "read",
    "arguments": {"properties": {}},
}
