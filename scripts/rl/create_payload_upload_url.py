# skip_result_postprocessing
"""Create payload upload URL (beta).

POST /v1/rl/training-sessions/{session_id}/payloads/upload-url

Gives an address for uploading a request body that is too large to send directly (over
0.5 MiB, up to almost 5 GiB). Upload the JSON there with PUT and without your API key,
then give the payload ID to the operation.

Returns: payload_id, which goes into rl/create_forward_backward,
rl/create_custom_forward_backward or rl/create_sample, and upload_url for the PUT.

Example arguments:
    {"session_id": "0b9d4e71-6c25-4a8f-b1d3-7e5f2a90c846"}

Rendered from schemas/rl/create_payload_upload_url.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, session_id: str):
    return run(call, auth, OPERATION, session_id=session_id)


OPERATION = {
    "method": "POST",
    "path": "/v1/rl/training-sessions/{session_id}/payloads/upload-url",
    "retry": "creates",
    "arguments": {
        "required": ["session_id"],
        "properties": {"session_id": {"type": "string", "x-in": "path"}},
    },
}
