# skip_result_postprocessing
"""Get video.

GET /v2/videos/{video_id}

Tells how far a video is and, when it is ready, where to download it. Ask again every
few seconds until the status is completed, failed or cancelled; the ID comes from
videos/create_video.

Returns: the video job; status tells how far it is, outputs.video_url is the clip once
completed (the address expires, so store it soon), error.message says why it failed.
With output storage also s3, the key of the stored clip; with output result file and
filename.

Example arguments:
    {"video_id": "019b41c2-7d5e-7a30-9c1f-2f6d8e0b4a17"}

API reference: https://docs.together.ai/reference/get-videos-id
Rendered from schemas/videos/get_video.json; edit that, not this.
"""

from ..client import call, run, togetherai


def main(auth: togetherai, video_id: str, output: str = "url"):
    return run(call, auth, OPERATION, video_id=video_id, output=output)


# fmt: off
OPERATION = {"method": "GET", "path": "/v2/videos/{video_id}", "retry": "read", "brings": {"at": "outputs",
    "kind": "video"},
  "arguments": {"required": ["video_id"], "properties": {
      "video_id": {"type": "string", "x-in": "path"},
      "output": {"type": "string", "enum": ["url", "result", "storage"], "x-in": "result", "default": "url"}}}}
