"""Streams gathered into the answer that the same request gives without streaming.

ChatAccumulator        messages, tool calls and all
CompletionAccumulator  text, a token at a time
SpeechAccumulator      sound, in base64
"""

from __future__ import annotations

import base64
import json

from ..client.jsonio import noting_decoder, storable
from ..client.request import told_error

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from ..client.request import Request
    from ..client.transport import Reply
    from ..shapes import Json, Members


def _is_error(chunk: Members) -> bool:
    """Say whether an object is an error: one that says so, or that has a message and
    nothing of an answer."""
    return bool(
        chunk.get("error")
        or chunk.get("object") == "error"
        or (
            chunk.keys() <= ERROR_MEMBERS
            and isinstance(chunk.get("message") or chunk.get("detail"), str)
        )
    )


ERROR_MEMBERS = frozenset(
    ("message", "detail", "type", "code", "status", "param", "request_id", "object")
)


def accumulator(shape: str) -> Accumulator:
    """Return what gathers a stream of that shape: chat, completion or speech."""
    if shape == "chat":
        return ChatAccumulator()
    return CompletionAccumulator() if shape == "completion" else SpeechAccumulator()


class Accumulator:
    """Collects the chunks of a stream into the answer without streaming.

    started   whether a part of the answer came
    ended     whether every choice that began is whole
    failed    the Reply of an error within a choice, or None
    """

    object = ""

    def __init__(self) -> None:
        self.started = self.expires = False
        self.failed: Reply | None = None
        self.lost: list[object] = []
        self.decode = noting_decoder(self.lost).decode
        self.top: Members = {}
        self.choices: dict[int, Members] = {}
        self.open = 0  # choices that began and did not end
        self.text: list[str] = []

    @property
    def ended(self) -> bool:
        return self.open == 0 and bool(self.choices)

    def add(self, data: str, name: str = "") -> Reply | None:
        """Take one event; return a Reply when it reports an error or is no answer."""
        try:
            chunk = self.decode(data)
        except (ValueError, RecursionError):
            chunk = data
        if chunk is None or name == "ping":
            return None
        if not isinstance(chunk, dict):
            return told_error(data) if name == "error" else _unknown(data)
        if "choices" not in chunk:
            kind = chunk.get("type")
            if kind == "ping":
                return None
            if name == "error" or kind == "error" or _is_error(chunk):
                return told_error(data)
        elif chunk.get("error"):
            return told_error(data)
        try:
            self.fold(chunk)
        except (AttributeError, TypeError, ValueError):
            return _unknown(data)  # of other types than the API's
        self.started = True
        return None

    def take_text(self) -> str:
        """Return the text that came since the last time."""
        text = "".join(self.text)
        self.text.clear()
        return text

    def fold(self, chunk: Members) -> None:
        for choice in chunk.pop("choices", None) or ():
            if choice is not None:
                self.fold_choice(choice, chunk)
        top = self.top
        for name, value in chunk.items():
            if value is not None and (value != "" or name not in top):
                top[name] = value

    def choice(self, found: Members) -> Members:
        """Return what is known of a choice, by the index that it gives."""
        index = int(found.get("index") or 0)
        if index not in self.choices:
            self.choices[index] = {"logprobs": [], "members": {"index": index}}
            self.open += 1
        return self.choices[index]

    def fold_members(
        self, choice: Members, found: Members, apart: Collection[str]
    ) -> None:
        """Take over members of a choice but those that are gathered apart; what is
        empty takes nothing back."""
        members = choice["members"]
        for name, value in found.items():
            if value is None or name in apart or (value == "" and name in members):
                continue
            if name == "finish_reason" and value and not members.get(name):
                self.open -= 1
            members[name] = value
        if found.get("error") or found.get("finish_reason") == "error":
            error = found.get("error") or "the model's answer ended with an error"
            self.failed = told_error(json.dumps({"error": error}))

    def fold_logprobs(
        self, choice: Members, found: Json, text: Json, token_id: Json, top: Json
    ) -> None:
        if isinstance(found, dict):
            merged = choice.setdefault("merged", {})
            for name, value in found.items():
                if isinstance(value, list):
                    merged.setdefault(name, []).extend(value)
                elif value is not None:
                    merged[name] = value
        elif found is not None:
            choice["logprobs"].append((text, found, token_id, top))

    def logprobs(self, choice: Members) -> Members:
        if "merged" in choice:
            return choice["merged"]
        rows = choice["logprobs"]
        whole = {
            "tokens": [row[0] for row in rows],
            "token_logprobs": [row[1] for row in rows],
            "token_ids": [row[2] for row in rows],
        }
        if any(row[3] for row in rows):
            whole["top_logprobs"] = [row[3] for row in rows]
        return whole

    def fold_choice(self, found: Members, chunk: Members) -> None:
        raise NotImplementedError

    def finish(self, choice: Members) -> Members:
        raise NotImplementedError

    def whole(self, request: Request) -> Members:
        choices = []
        for index in sorted(self.choices):
            choice = self.choices[index]
            members = {**choice["members"], **self.finish(choice)}
            if choice["logprobs"] or "merged" in choice:
                members["logprobs"] = self.logprobs(choice)
            choices.append(members)
        top = {name: self.top[name] for name in self.top if name != "token"}
        answer = {**top, "object": self.object, "choices": choices}
        return storable(answer, self.lost)


def _unknown(data: str) -> Reply:
    """Return what came in place of a chunk as a Reply."""
    from ..resilience.explain import event_error  # only when something failed

    return event_error(data, 200)


class ChatAccumulator(Accumulator):
    object = "chat.completion"
    gathered = frozenset(
        ("delta", "message", "index", "logprobs", "top_logprobs", "error")
    )
    texts = frozenset(
        ("content", "reasoning", "reasoning_content", "refusal", "arguments")
    )

    def fold_choice(self, found: Members, chunk: Members) -> None:
        choice = self.choice(found)
        # Some servers give the last piece, or all of it, as a message.
        delta = found.get("delta") or found.get("message") or {}
        message = choice.get("message")
        if message is None:
            message = choice["message"] = {"role": "assistant"}
        shown = self.fold_delta(message, delta)
        if shown and choice["members"]["index"] == 0:
            self.text.append(shown)
        logprobs = found.get("logprobs")
        if logprobs is not None:
            top = found.get("top_logprobs")
            token_id = delta.get("token_id")
            self.fold_logprobs(choice, logprobs, shown, token_id, top)
        self.fold_members(choice, found, self.gathered)

    def fold_delta(self, message: Members, delta: Members) -> str:
        """Add a piece to what is known of a message; return the text to be shown."""
        shown = ""
        for name, value in delta.items():
            if value is None or name == "token_id":
                continue
            if name == "content":
                if value.__class__ is not str:
                    value = self.content(message, value)
                shown += value
            if name == "tool_calls":
                self.fold_calls(message.setdefault("tool_calls", []), value)
            elif name in self.texts and isinstance(value, str):
                if name in message:
                    message[name].append(value)
                else:
                    message[name] = [value]
            else:
                self.fold_member(message, name, value)
        return shown

    def content(self, message: Members, value: Json) -> str:
        """Return the text of content in another form than text: parts of it, thoughts
        among them, or a number."""
        if not isinstance(value, list):
            return json.dumps(value) if isinstance(value, dict) else str(value)
        texts = []
        for part in value:
            if isinstance(part, dict) and "thinking" in str(part.get("type")):
                thought = part.get("thinking") or part.get("text") or ""
                if isinstance(thought, list):  # of parts again
                    thought = self.content(message, thought)
                message.setdefault("reasoning", []).append(str(thought))
            elif isinstance(part, dict):
                texts.append(str(part.get("text") or ""))
            elif part is not None:
                texts.append(str(part))
        return "".join(texts)

    def fold_member(self, message: Members, name: str, value: Json) -> None:
        """Add a member that is no text to be joined: lists grow, objects are merged,
        anything else is replaced, but not by an empty text."""
        known = message.get(name)
        if name in self.texts:
            # A text of another kind is one piece: arguments that are an object.
            text = json.dumps(value) if isinstance(value, dict | list) else str(value)
            message.setdefault(name, []).append(text)
        elif isinstance(value, list) and isinstance(known, list):
            known.extend(value)
        elif name == "audio" and isinstance(value, dict):
            self.fold_audio(message.setdefault("audio", {}), value)
        elif isinstance(value, dict) and isinstance(known, dict | None):
            known = message.setdefault(name, {})
            self.fold_delta(known, value)
        elif value != "" or name not in message:
            message[name] = value

    def fold_audio(self, known: Members, value: Members) -> None:
        """Join sound, which comes as base64 of any length, and its transcript."""
        for name, piece in value.items():
            if piece is None:
                continue
            if name == "data":
                import base64

                sound = base64.b64decode(known.get("data", "")) + base64.b64decode(
                    piece
                )
                known["data"] = base64.b64encode(sound).decode()
            elif name == "transcript":
                known["transcript"] = known.get("transcript", "") + piece
            else:
                known[name] = piece

    def fold_calls(self, calls: list[Members], parts: Json) -> None:
        """Add pieces of tool calls. A piece belongs to the call of its index, or of its
        place where it has none, unless it says that another call begins: by an id of
        its own and a name, or after arguments that are whole."""
        for place, part in enumerate(parts):
            if part is None:
                continue
            index = part.get("index")
            index = place if index is None else int(index)
            call = next((c for c in reversed(calls) if c["index"] == index), None)
            if call is None or self.begins(call, part):
                call = {"index": index}
                calls.append(call)
            part = {name: value for name, value in part.items() if name != "index"}
            if call.get("id"):
                part.pop("id", None)  # the first one stays
            self.fold_delta(call, part)

    def begins(self, call: Members, part: Members) -> bool:
        """Say whether a piece of the same index begins another call."""
        if not part.get("id") or not call.get("id") or part["id"] == call["id"]:
            return False
        function = part.get("function")
        if isinstance(function, dict) and function.get("name"):
            return True
        try:
            self.decode("".join(call.get("function", {}).get("arguments", ())))
        except ValueError:
            return False
        return True

    def finish(self, choice: Members) -> Members:
        message = self.joined(choice["message"])
        message.setdefault("content", None)
        return {"message": message}

    def joined(self, message: Members) -> Members:
        whole = {}
        for name, value in message.items():
            if name == "tool_calls":
                calls = sorted(value, key=lambda call: call["index"])
                value = [
                    self.joined({**call, "index": place})
                    for place, call in enumerate(calls)
                ]
            elif name in self.texts:
                value = "".join(value)
            elif isinstance(value, dict):
                value = self.joined(value)
            whole[name] = value
        return whole


class CompletionAccumulator(Accumulator):
    object = "text.completion"

    def fold_choice(self, found: Members, chunk: Members) -> None:
        choice = self.choice(found)
        delta = found.get("delta") or {}
        text = found.get("text")
        if text is None:
            text = delta.get("content") or ""
        choice.setdefault("text", []).append(str(text))
        self.fold_members(choice, found, ("delta", "text", "logprobs", "error"))
        apart = ("finish_reason", "seed")
        above: Members = {n: chunk[n] for n in apart if n in chunk}
        self.fold_members(choice, above, ())
        if text and choice["members"]["index"] == 0:
            self.text.append(text)
        token = chunk.get("token") or {}
        self.fold_logprobs(choice, found.get("logprobs"), text, token.get("id"), None)

    def fold(self, chunk: Members) -> None:
        super().fold(chunk)
        self.top.pop("finish_reason", None)
        self.top.pop("seed", None)

    def finish(self, choice: Members) -> Members:
        return {"text": "".join(choice["text"])}

    def whole(self, request: Request) -> Members:
        return {"prompt": [], **super().whole(request)}


class SpeechAccumulator(Accumulator):
    def __init__(self) -> None:
        super().__init__()
        self.audio: list[bytes] = []

    def fold(self, chunk: Members) -> None:
        # Two forms are in use: {"b64": ...} and a realtime event's {"delta": ...}.
        piece = chunk.get("b64") or chunk.get("delta")
        if isinstance(piece, str):
            self.audio.append(base64.b64decode(piece))

    def whole(self, request: Request) -> Members:
        sound = base64.b64encode(b"".join(self.audio)).decode()
        return {"file": sound, "filename": f"{request.operation['filename']}.raw"}
