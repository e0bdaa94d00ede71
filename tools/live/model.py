"""What the sandbox says in the live suite, where its usual answer would be canned.

Its chat model shows what it was asked, or says just what it was told to; its catalogue
names a price for every model that an example asks.
"""

import json
import re

from tools.operations import find, scripts
from tools.sandbox import reply
from tools.sandbox.canned_answers import ECHO

CHAT = "chat/create_chat_completion"
LIST = "models/list_models"
PRICES = {"input": 0.1, "output": 0.2, "image": 0.01, "video": 0.1, "second": 0.01}
PRICES |= {"character": 1e-5, "request": 0.001}
# The type that a model of the old list has, by what a picker asks for.
KINDS = {"embedding": "embedding", "image": "image", "rerank": "rerank"}
KINDS |= {"speech": "audio", "transcription": "transcribe", "video": "video"}
# What the key's organization tells of its dedicated inference, by path: type, content.
NUMBERS = b"queue_depth 3\nreplicas_ready 2\nvllm:num_requests_waiting 0\n"
ORGANIZATION = find("organization/get_identity").schema["x-reply"]["organization"]
METRICS = {f"/organizations/{ORGANIZATION['id']}/metrics": ("text/plain", NUMBERS)}
SAY = "Say exactly: "
CALL = "Call the tool with: "


def speaks(arguments: dict) -> dict:
    """The answer to a chat request, by main's arguments."""
    operation, given = find(CHAT), arguments["body"]
    answer = reply(operation, given)
    canned = operation.schema["x-reply"]["choices"][0]["message"]["content"]
    last = given["messages"][-1]
    for choice in answer["choices"]:
        message = choice["message"]
        for call in message.get("tool_calls") or ():
            if told := _told(CALL, _text(last)):
                call["function"]["arguments"] = told
        said = message.get("content")
        if said == canned or str(said).startswith(ECHO):
            text = _text(last)
            message["content"] = _told(SAY, text) or f"You said: {text}"
    return answer


def catalogue(_: dict) -> list[dict]:
    """The list of models: the canned one, and with a price for everything each model
    that an example names."""
    canned = reply(find(LIST), {})
    listed = {entry["id"]: entry for entry in canned}
    for script in scripts():
        pickers = {n for n, m in script.arguments.items() if "x-models" in m}
        for example in script.schema["examples"]:
            for name in pickers & example.keys():
                kind = KINDS.get(script.arguments[name]["x-models"], "chat")
                ids = example[name]
                for model in ids if isinstance(ids, list) else [ids]:
                    about = listed.get(model, {**canned[0], "id": model, "type": kind})
                    listed[model] = {**about, "pricing": {**about["pricing"], **PRICES}}
    return list(listed.values())


def _text(message: dict) -> str:
    content = message.get("content")
    return content if isinstance(content, str) else json.dumps(content)


def _told(word: str, text: str) -> str | None:
    found = re.search(re.escape(word) + "(.*)", text, re.DOTALL)
    return found[1] if found else None
