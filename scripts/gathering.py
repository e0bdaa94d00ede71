"""Streams of other shapes than a chat's, gathered into the answer without streaming.

Completion   text, a token at a time
Speech       sound, in base64
"""

import base64

from .client import _Gather

__all__ = ["Completion", "Speech"]


class Completion(_Gather):
    object = "text.completion"

    def fold_choice(self, found, chunk):
        choice = self.choice(found)
        delta = found.get("delta") or {}
        text = found.get("text")
        if text is None:
            text = delta.get("content") or ""
        choice.setdefault("text", []).append(str(text))
        self.fold_members(choice, found, ("delta", "text", "logprobs", "error"))
        above = {n: chunk[n] for n in ("finish_reason", "seed") if n in chunk}
        self.fold_members(choice, above, ())
        if text and choice["members"]["index"] == 0:
            self.text.append(text)
        token = chunk.get("token") or {}
        self.fold_logprobs(choice, found.get("logprobs"), text, token.get("id"), None)

    def fold(self, chunk):
        super().fold(chunk)
        self.top.pop("finish_reason", None)
        self.top.pop("seed", None)

    def finish(self, choice):
        return {"text": "".join(choice["text"])}

    def whole(self, request):
        return {"prompt": [], **super().whole(request)}


class Speech(_Gather):
    def __init__(self):
        super().__init__()
        self.audio = []

    def fold(self, chunk):
        # Two forms are in use: {"b64": ...} and a realtime event's {"delta": ...}.
        piece = chunk.get("b64") or chunk.get("delta")
        if isinstance(piece, str):
            self.audio.append(base64.b64decode(piece))

    def whole(self, request):
        sound = base64.b64encode(b"".join(self.audio)).decode()
        return {"file": sound, "filename": f"{request.operation['filename']}.raw"}
