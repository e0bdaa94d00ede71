"""What the page of a running job is told: its text, as it comes."""

import json
from collections.abc import Iterator

from tools.live.checks import Subject, expect
from tools.live.stage import Stage
from tools.models import model

PACE = 0.4  # seconds between two pieces of the sandbox's text
WORDS = "one two three four five six seven eight nine ten"


def updates(stage: Stage, job: str) -> Iterator[dict]:
    """The updates of a job, as its page gets them, until it is completed."""
    path = f"jobs_u/getupdate_sse/{job}"
    with stage.api.send("GET", path, stream=True, fast="true") as response:
        for line in response.iter_lines(chunk_size=1):
            if line.startswith(b"data:"):
                update = json.loads(line.removeprefix(b"data:"))
                yield update
                if update.get("completed") or update.get("type") == "notfound":
                    return


def text_is_shown_while_the_model_writes(stage: Stage) -> dict:
    messages = [{"role": "user", "content": WORDS}]
    body = {"model": model("chat"), "messages": messages, "stream": True}
    pace, stage.sandbox.pace = stage.sandbox.pace, PACE
    try:
        path = stage.script("chat/create_chat_completion")
        job = stage.start(path, {"auth": stage.auth, "body": body})
        pieces, before = [], 0
        for update in updates(stage, job):
            if piece := update.get("new_result_stream"):
                pieces.append(piece)
                before += not update.get("completed")
        result = stage.wait(job, path).succeeded()
    finally:
        stage.sandbox.pace = pace
    text = result["choices"][0]["message"]["content"]
    expect(before > 1, f"{before} pieces before the job was done: {pieces}")
    expect("".join(pieces) == text, f"shown was {''.join(pieces)!r}, meant {text!r}")
    said = f"{before} pieces before the job was done; together they are its text"
    return {"said": said, "pieces": len(pieces)}


SUBJECT = Subject("streams", (text_is_shown_while_the_model_writes,))
