# skip_result_postprocessing
"""Create payload download URL (beta).

POST /v1/rl/training-sessions/{session_id}/payloads/{payload_id}/download-url

Gives an address for downloading the large part of an operation result. Use it when the
output of an operation has a payload_id instead of the values themselves.

Returns: download_url; fetch it with GET and without your API key. With output storage
also s3, the key of the object; with output result file, in base64.

Example arguments:
    {"session_id": "0b9d4e71-6c25-4a8f-b1d3-7e5f2a90c846", "payload_id":
    "97d0c4ab-58f1-4e36-b2a7-6c13e9f8d205"}

Rendered from schemas/rl/create_payload_download_url.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, session_id: str, payload_id: str, output: str = "url"):
    return run(
        call,
        auth,
        OPERATION,
        session_id=session_id,
        payload_id=payload_id,
        output=output,
    )


# fmt: off
OPERATION = {"method": "POST", "path": "/v1/rl/training-sessions/{session_id}/payloads/{payload_id}/download-url",
  "retry": "read", "brings": {"at": "", "kind": "file"}, "arguments": {"required": ["session_id", "payload_id"],
    "properties": {
      "session_id": {"type": "string", "x-in": "path"},
      "payload_id": {"type": "string", "x-in": "path"},
      "output": {"type": "string", "enum": ["url", "storage", "result"], "x-in": "result", "default": "url"}}}}
