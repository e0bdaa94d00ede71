"""What the sandbox's chat model says, when a test decides it."""

import json

from tools.operations import find
from tools.sandbox import Fault, Recorded, Sandbox, reply

CHAT = find("chat/create_chat_completion")
MODEL = find("models/list_supported_models").schema["x-reply"]["data"][0]["name"]


def say(sandbox: Sandbox, *answers: object) -> None:
    """Give one answer after the other, the last one again and again.

    An answer is the text, a message's members, or what changes a whole answer.
    """
    left = list(answers)

    def next_answer(arguments: dict) -> dict:
        said = left.pop(0) if len(left) > 1 else left[0]
        whole = reply(CHAT, {"model": arguments["body"]["model"]})
        if callable(said):
            return said(arguments["body"], whole)
        message = {"content": said} if isinstance(said, str) else said
        whole["choices"][0]["message"] = {"role": "assistant", **message}
        if message.get("tool_calls"):
            whole["choices"][0]["finish_reason"] = "tool_calls"
        return whole

    sandbox.answers[CHAT.name] = next_answer


def fail_after(sandbox: Sandbox, text: str, status: int = 400) -> None:
    """Answer one question with a text; refuse those after it."""
    words = {"message": "the prompt is too long", "type": "invalid_request_error"}

    def answer(body: dict, whole: dict) -> dict:
        whole["choices"][0]["message"] = {"role": "assistant", "content": text}
        path = CHAT.exchange["path"]
        sandbox.faults.append(Fault(path, status, times=9, body={"error": words}))
        return whole

    say(sandbox, answer)


def completion(body: dict, text: str) -> dict:
    """A whole answer to a request, of that text, with the usage of a dozen tokens."""
    message = {"role": "assistant", "content": text}
    return {
        "id": "c",
        "object": "chat.completion",
        "model": body["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12},
    }


def asked(sandbox: Sandbox) -> list[dict]:
    """The bodies of the chat requests so far."""
    found: list[Recorded] = list(sandbox.requests)
    return [json.loads(r.body) for r in found if r.path == CHAT.exchange["path"]]


def price(tokens_in: int, tokens_out: int) -> float:
    """What MODEL's tokens cost, by the sandbox's catalogue."""
    listed = find("models/list_supported_models").schema["x-reply"]["data"][0]
    prices = listed["pricing"]
    return (tokens_in * prices["input"] + tokens_out * prices["output"]) / 1e6


def usage() -> dict:
    """The usage of every answer."""
    return CHAT.schema["x-reply"]["usage"]
