# skip_result_postprocessing
"""Collect video.

Fetches a finished video into the workspace's storage, before its address expires.

Returns: the stored file, or the video in the result, with url, seconds, size and
cost_usd; more has the others where several were made, note what else the service says.

Example arguments:
    {"video_id": "019b41c2-7d5e-7a30-9c1f-2f6d8e0b4a17", "output": "result"}

Rendered from schemas/videos/collect_video.json; edit that, not this.
"""

from ..client import run, togetherai
from ..media.video_steps import collect_video


def main(auth: togetherai, video_id: str, output: str | None = None):
    return run(collect_video, auth, STEP, video_id=video_id, output=output)


STEP = {
    "arguments": {
        "required": ["video_id"],
        "properties": {
            "video_id": {"type": "string"},
            "output": {"type": "string", "enum": ["result", "storage", "url"]},
        },
    },
}
