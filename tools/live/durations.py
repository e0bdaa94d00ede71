"""How long a job takes on the worker: our chat step beside its alternatives.

The jobs take turns, so that whatever slows the machine slows all of them; told is the
median of the worker's own count. Nothing is judged by it: it is there to compare.
"""

import json
import statistics

from tools.live.checks import ShortError, Subject
from tools.live.stage import Stage
from tools.models import model
from tools.operations import ROOT
from tools.tree.locks import lock
from tools.workspace.windmill_api import ApiError

ROUNDS = 7
BODY = {
    "model": model("chat"),
    "messages": [{"role": "user", "content": "Hello"}],
}
NOTHING = "def main():\n    return 1\n"
BARE = """\
# requirements:
# requests
import requests


def main(url: str, key: str, body: object):
    headers = {"Authorization": f"Bearer {key}"}
    answer = requests.post(url, json=body, headers=headers, timeout=60)
    answer.raise_for_status()
    return answer.json()
"""
SDK = """\
# requirements:
# together
import together


def main(url: str, key: str, body: object):
    client = together.Together(api_key=key, base_url=url)
    return client.chat.completions.create(**body).model_dump()
"""


def chat_beside_its_alternatives(stage: Stage) -> dict:
    ours = stage.script("chat/create_chat_completion")
    url = stage.sandbox.url
    direct = {"url": f"{url}/v1/chat/completions", "key": "k", "body": BODY}
    own = lock({"requests"}, ROOT / "requirements.txt")
    contenders = {
        "nothing": (stage.make_script("nothing", NOTHING), {}),
        "requests": (stage.make_script("bare", BARE, own), direct),
        "ours": (ours, {"auth": stage.auth, "body": BODY}),
    }
    missing = None
    try:
        path = stage.make_script("sdk", SDK, None)
        given = {"url": url, "key": "k", "body": BODY}
        stage.wait(stage.start(path, given), "the SDK").succeeded()
        contenders["sdk"] = path, given
    except (ApiError, ShortError) as error:
        missing = str(error)
    for path, given in contenders.values():  # what is installed once is no part of it
        stage.wait(stage.start(path, given), path).succeeded()
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(ROUNDS):
        for name, (path, given) in contenders.items():
            job = stage.wait(stage.start(path, given), path)
            job.succeeded()
            about = stage.api.get(f"jobs_u/get/{job.id}", no_logs="true")
            taken[name].append(about["duration_ms"])
    medians = {name: round(statistics.median(ms)) for name, ms in taken.items()}
    said = ", ".join(f"{name} {ms} ms" for name, ms in medians.items())
    if missing:
        said += f"; the SDK cannot be installed there ({json.dumps(missing)[:80]})"
    return {"said": f"medians of {ROUNDS}: {said}", "medians_ms": medians}


SUBJECT = Subject("durations", (chat_beside_its_alternatives,))
