"""Streams gathered into the answer that the same request gives without streaming.

ChatAccumulator        messages, tool calls and all
CompletionAccumulator  text, a token at a time
SpeechAccumulator      sound, in base64
"""

from __future__ import annotations

import base64
import json
import re
from copy import deepcopy

from ..client.content import read_content
from ..client.endings import ending, is_error, tells_error
from ..client.jsonio import is_too_deep, noting_decoder, storable
from ..client.request import error_reply

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from ..client.request import Request
    from ..client.transport import Reply
    from ..shapes import Json, Members


# What is sent lest the connection be taken for dead.
ALIVE = ("ping", "heartbeat", "keepalive", "keep-alive", "keep_alive")


MESSAGES = ("", "message")  # what an event is called that has no other name
FAILED = re.compile("(?i)error|exception|fail")


def accumulator(shape: str, count: int = 1) -> Accumulator:
    """Return what gathers a stream of that shape, chat, completion or speech, of so
    many choices."""
    if shape == "chat":
        return ChatAccumulator(count)
    if shape == "completion":
        return CompletionAccumulator(count)
    return SpeechAccumulator()


class Accumulator:
    """Collects the chunks of a stream into the answer without streaming.

    started   whether a part of the answer came
    ended     whether every choice is whole
    failed    the Reply of an error within a choice, or None
    """

    object = ""

    def __init__(self, count: int = 1) -> None:
        self.count = count
        self.started = self.expires = False
        self.failed: Reply | None = None
        self.odd_values: list[object] = []
        self.decode = noting_decoder(self.odd_values).decode
        self.top: Members = {}
        self.choices: dict[int, Members] = {}
        self.open = 0  # choices that began and did not end
        self.text: list[str] = []
        # Of the one choice that was asked for, see `is_asked`.
        self.first: int | None = None
        self.number: int | None = None
        self.before: dict[int, Members] | None = None
        self.pending: list[str] = []

    @property
    def ended(self) -> bool:
        return self.open == 0 and len(self.choices) >= self.count

    def add(self, data: str, name: str = "") -> Reply | None:
        """Take one event; return a Reply when it reports an error or is no answer."""
        try:
            chunk = self.decode(data)
            if is_too_deep(chunk, data):
                chunk = data  # no result could hold it
        except (ValueError, RecursionError):
            chunk = data
        if chunk is None or name in ALIVE:
            return None
        if not isinstance(chunk, dict):
            if self.ended and name in MESSAGES:
                return None  # "DONE", "[END]" and the like
            return error_reply(data) if name == "error" else _no_chunk(data)
        if not chunk.get("choices"):
            if chunk.get("type") in ALIVE or not chunk:
                return None
            if name == "error" or tells_error(chunk):
                # Some servers tell how long the queue is, under a name of its own.
                of_errors = name in MESSAGES or FAILED.search(name) or "error" in chunk
                return error_reply(data) if of_errors else None
        elif is_error(chunk.get("error")):
            return error_reply(data)
        try:
            self.fold(chunk)
        except (AttributeError, TypeError, ValueError):
            return _no_chunk(data)  # of other types than the API's
        self.started = True
        return None

    @property
    def holds(self) -> bool:
        """Whether there is an answer, however short."""
        return bool(self.choices)

    def take_text(self) -> str:
        """Return the text that came since the last time."""
        text = "".join(self.text)
        self.text.clear()
        return text

    def fold(self, chunk: Members) -> None:
        pieces = [one for one in chunk.pop("choices", None) or () if one is not None]
        for choice in pieces:
            if self.count > 1 or self.is_asked(choice, len(pieces) == 1):
                known = len(self.text)
                self.fold_choice(choice, chunk)
                if self.before and self.number == 1:  # not shown until that is known
                    self.pending += self.text[known:]
                    del self.text[known:]
        top = self.top
        for name, value in chunk.items():
            if value is not None and (value != "" or name not in top):
                top[name] = value

    def is_asked(self, piece: Members, alone: bool) -> bool:
        """Say whether a piece is of the one choice that was asked for, that of the
        first piece: some servers send several all the same.

        Others number the pieces of one choice by what is its index elsewhere. Choices
        are numbered from 0 on, so 1 and then 2 tell that at once; 0 and then 1 may be
        either. Then pieces are taken as long as each has the next number, and taken
        back once one has come before: it was the index of a choice.
        """
        index = int(piece.get("index") or 0)
        if self.first is None:
            self.first = self.number = index
            return True
        if self.number is None:
            return index == self.first
        if self.first and self.number > self.first:
            return True
        if alone and self.open and index == self.number + 1:
            if self.before is None and not self.first:
                self.before = deepcopy(self.choices)
            self.text += self.pending
            self.pending.clear()
            self.number = index
            return True
        if self.before is not None and index <= self.number:
            self.choices, self.open, self.failed = self.before, 1, None
        self.number = self.before = None
        self.pending.clear()
        return index == self.first

    def choice(self, piece: Members) -> Members:
        """Return what is known of a choice, by the index that it gives; where one is
        all that was asked for, its pieces may be numbered by it."""
        index = int(piece.get("index") or 0)
        index = index if self.count > 1 else 0
        if index not in self.choices:
            self.choices[index] = {"logprobs": [], "members": {"index": index}}
            self.open += 1
        return self.choices[index]

    def fold_members(
        self, choice: Members, piece: Members, apart: Collection[str]
    ) -> None:
        """Take over members of a choice but those that are gathered apart; what is
        empty takes nothing back."""
        members = choice["members"]
        for name, value in piece.items():
            if value is None or name in apart or (value == "" and name in members):
                continue
            if name == "finish_reason" and value and not members.get(name):
                self.open -= 1
            members[name] = value
        reason = piece.get("finish_reason")
        own_error = piece.get("error") if is_error(piece.get("error")) else None
        if own_error or ending(reason) == "broken":
            why = "an error" if reason == "error" else f"finish_reason {reason}"
            error = own_error or f"the model's answer ended with {why}"
            self.failed = error_reply(json.dumps({"error": error}))

    def fold_logprobs(
        self, choice: Members, piece: Json, text: Json, token_id: Json, top: Json
    ) -> None:
        if isinstance(piece, dict):
            merged = choice.setdefault("merged", {})
            for name, value in piece.items():
                if isinstance(value, list):
                    merged.setdefault(name, []).extend(value)
                elif value is not None:
                    merged[name] = value
        elif piece is not None:
            choice["logprobs"].append((text, piece, token_id, top))

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

    def fold_choice(self, piece: Members, chunk: Members) -> None:
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
        return storable(answer, self.odd_values)


def _no_chunk(data: str) -> Reply:
    """Return what came in place of a chunk as a Reply."""
    from ..resilience.explain import event_error  # only when something failed

    return event_error(data, 200)


LEAST_KNOWN = 8  # characters


class ChatAccumulator(Accumulator):
    object = "chat.completion"
    gathered = frozenset(
        ("delta", "message", "text", "index", "logprobs", "top_logprobs", "error")
    )
    texts = frozenset(
        ("content", "reasoning", "reasoning_content", "refusal", "arguments")
    )

    def fold_choice(self, piece: Members, chunk: Members) -> None:
        choice = self.choice(piece)
        message = choice.get("message")
        if message is None:
            message = choice["message"] = {"role": "assistant"}
        sizes = choice.setdefault("sizes", {})
        delta = piece.get("delta")
        if not delta and piece.get("message"):
            last = bool(piece.get("finish_reason"))
            delta = self.unknown_yet(message, sizes, piece["message"], last)
        delta = delta or {}
        text = piece.get("text")
        if text and not any(delta.get(n) for n in (*self.texts, "tool_calls")):
            delta = {**delta, "content": text}  # as of a completion
        for name in self.texts & delta.keys():
            if isinstance(delta[name], str):
                sizes[name] = sizes.get(name, 0) + len(delta[name])
        visible = self.fold_delta(message, delta)
        if visible and choice["members"]["index"] == 0:
            self.text.append(visible)
        logprobs = piece.get("logprobs")
        if logprobs is not None:
            top = piece.get("top_logprobs")
            token_id = delta.get("token_id")
            self.fold_logprobs(choice, logprobs, visible, token_id, top)
        self.fold_members(choice, piece, self.gathered)

    def unknown_yet(
        self, message: Members, sizes: dict[str, int], whole: Members, last: bool
    ) -> Members:
        """Return what a message adds to what is known of it: some servers give the last
        piece as a message, others all so far, or all once more at the end."""
        delta = dict(whole)
        for name in self.texts & message.keys() & whole.keys():
            size, text = sizes.get(name, 0), whole[name]
            if not isinstance(text, str) or not 0 < size <= len(text):
                continue
            # A short piece may begin as the whole does.
            if not last and (size < LEAST_KNOWN or size == len(text)):
                continue
            known = "".join(message[name])
            if text == known:
                del delta[name]
            elif text.startswith(known):
                delta[name] = text[len(known) :]
        calls = message.get("tool_calls")
        if calls and isinstance(whole.get("tool_calls"), list):
            delta["tool_calls"] = [
                part
                for part in whole["tool_calls"]
                if not (isinstance(part, dict) and calls.with_id(part.get("id")))
            ]
        return delta

    def fold_delta(self, message: Members, delta: Members) -> str:
        """Add a piece to what is known of a message; return the text to be shown."""
        visible = ""
        for name, value in delta.items():
            if value is None or name == "token_id":
                continue
            if name == "content":
                if not isinstance(value, str):
                    value = self.content(message, value)
                visible += value
            if name == "tool_calls":
                self.fold_calls(message.setdefault("tool_calls", _Calls()), value)
            elif name in self.texts and isinstance(value, str):
                if name in message:
                    message[name].append(value)
                else:
                    message[name] = [value]
            else:
                self.fold_member(message, name, value)
        return visible

    def content(self, message: Members, value: Json) -> str:
        """Return the text of content in another form than text: parts of it, thoughts
        among them, or a number."""
        if isinstance(value, bool):
            return ""
        text, thought = read_content(value)
        if thought:
            message.setdefault("reasoning", []).append(thought)
        return text

    def fold_member(self, message: Members, name: str, value: Json) -> None:
        """Add a member that is no text to be joined: lists grow, objects are merged,
        anything else is replaced, but not by an empty text."""
        so_far = message.get(name)
        if name in self.texts:
            # A text of another kind is one piece: arguments that are an object.
            text = json.dumps(value) if isinstance(value, dict | list) else str(value)
            message.setdefault(name, []).append(text)
        elif isinstance(value, list) and isinstance(so_far, list):
            so_far.extend(value)
        elif name == "audio" and isinstance(value, dict):
            self.fold_audio(message.setdefault("audio", {}), value)
        elif isinstance(value, dict) and isinstance(so_far, dict | None):
            so_far = message.setdefault(name, {})
            self.fold_delta(so_far, value)
        elif value != "" or name not in message:
            message[name] = value

    def fold_audio(self, known: Members, value: Members) -> None:
        """Join sound, which comes as base64 of any length, and its transcript."""
        for name, piece in value.items():
            if piece is None:
                continue
            if name in ("data", "transcript"):
                known.setdefault(name, []).append("" + piece)
            else:
                known[name] = piece

    def fold_calls(self, calls: _Calls, parts: Json) -> None:
        """Add pieces of tool calls, each to the call that it belongs to."""
        if isinstance(parts, dict):
            parts = [parts] if "function" in parts else [*parts.values()]
        for place, part in enumerate(parts):
            if part is None:
                continue
            alone = len(parts) == 1
            call = calls.call_for(part, place, alone, self.complete)
            function = part.get("function")
            part = {name: value for name, value in part.items() if name != "index"}
            if call.get("id"):
                part.pop("id", None)  # the first one stays
            if isinstance(function, dict):
                known = call.get("function") or {}
                if function.get("name"):
                    name = _join_name(known, function["name"])
                    part["function"] = {**function, "name": name}
                if function.get("arguments") and known.get("arguments") == ["{}"]:
                    known["arguments"].clear()  # it stood for what was to come
            self.fold_delta(call, part)

    def complete(self, call: Members) -> bool:
        """Say whether the arguments of a call are whole as far as they came."""
        function = call.get("function")
        pieces: list[str] = []
        if isinstance(function, dict):
            pieces = function.get("arguments") or []
        if not 0 < len(pieces) < MOST_PIECES or not pieces[-1].rstrip().endswith("}"):
            return False
        try:
            self.decode("".join(pieces))
        except (ValueError, RecursionError):
            return False
        return True

    def finish(self, choice: Members) -> Members:
        message = self.join(choice["message"])
        message.setdefault("content", None)
        return {"message": message}

    def join(self, message: Members) -> Members:
        whole = {}
        for name, value in message.items():
            if name == "tool_calls":
                calls = sorted(value, key=lambda call: call["index"])
                value = [
                    self.join({**call, "index": place})
                    for place, call in enumerate(calls)
                ]
            elif name in self.texts:
                value = "".join(value)
            elif name == "audio" and isinstance(value, dict):
                value = _join_sound(value)
            elif isinstance(value, dict):
                value = self.join(value)
            whole[name] = value
        return whole


class _Calls(list["Members"]):
    """The tool calls of a message, found by index and by id."""

    def __init__(self) -> None:
        super().__init__()
        self.by_index: dict[int, Members] = {}  # the last call of each
        self.by_id: dict[str, Members] = {}

    def with_id(self, name: Json) -> Members | None:
        return self.by_id.get(name) if isinstance(name, str) else None

    def call_for(
        self,
        part: Members,
        place: int,
        alone: bool,
        complete: Callable[[Members], bool],
    ) -> Members:
        """Return the call to which a piece belongs: that of its id, or of its index, or
        of its place where it has neither, and a piece that comes alone to the call at
        hand; unless it says that another call begins, by an id of its own and a name,
        or behind arguments that are whole."""
        function = part.get("function")
        function = function if isinstance(function, dict) else {}
        has_name, name = bool(function.get("name")), part.get("id")
        index = part.get("index")
        if index is None:
            call = self[place] if place < len(self) else None
            call = self[-1] if alone and self else call
            index = len(self)
        else:
            index = int(index)
            call = self.by_index.get(index)
        other = self.with_id(name)
        other = None if call and call.get("id") == name else other
        loose = part.get("index") is None or not has_name
        if other is not None and (loose or other["index"] == index):
            return other
        if call is None and self and not (has_name or name or complete(self[-1])):
            return self[-1]  # under an index that its head did not have
        if call is not None and not self.begins(call, name, function, complete):
            return call
        call = {"index": index}
        self.append(call)
        self.by_index[index] = call
        if isinstance(name, str) and name:
            self.by_id[name] = call
        return call

    def begins(
        self,
        call: Members,
        name: Json,
        function: Members,
        complete: Callable[[Members], bool],
    ) -> bool:
        """Say whether a piece begins another call than the one at its place."""
        if name and call.get("id"):
            has_name = bool(function.get("name"))
            return call["id"] != name and (has_name or complete(call))
        # Without ids: a name and arguments, once those before are whole.
        whole = not name and function.get("name") and function.get("arguments")
        return bool(whole) and complete(call)


MOST_PIECES = 2000  # of arguments that are looked at whole, to see whether they are


def _join_name(function: Members, name: Json) -> Json:
    """Return a function's name with a piece of it: some servers give it in pieces, some
    again with each piece of the arguments."""
    known = function.get("name")
    if not (isinstance(known, str) and isinstance(name, str)):
        return name
    whole = any(function.get("arguments") or ()) or name.startswith(known)
    return name if whole else known + name


def _join_sound(audio: Members) -> Members:
    """Return the sound of a message with its pieces joined. Each may be base64 of its
    own, or they are parts of one text."""
    whole = dict(audio)
    if "transcript" in whole:
        whole["transcript"] = "".join(whole["transcript"])
    if "data" in whole:
        pieces = whole["data"]
        try:
            sound = _sound_bytes(pieces)
        except ValueError:
            whole["data"] = "".join(pieces)  # no base64: as it came
        else:
            whole["data"] = base64.b64encode(sound).decode()
    return whole


def _sound_bytes(pieces: Iterable[str]) -> bytes:
    """Return the bytes of base64 that came in pieces, padded or not: each of its own,
    or parts of one text. Raises ValueError for what is none."""
    whole: list[bytes] = []
    text: list[str] = []
    for piece in pieces:
        text.append("".join(piece.split()))
        if text[-1].endswith("="):  # nothing of the same text can follow
            whole.append(_lenient_base64("".join(text)))
            text.clear()
    whole.append(_lenient_base64("".join(text)))
    return b"".join(whole)


def _lenient_base64(text: str) -> bytes:
    text = text.rstrip("=")
    text = text[:-1] if len(text) % 4 == 1 else text  # the first bits of a byte
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)


class CompletionAccumulator(Accumulator):
    object = "text.completion"
    gathered = frozenset(("delta", "text", "index", "logprobs", "error"))

    def fold_choice(self, piece: Members, chunk: Members) -> None:
        choice = self.choice(piece)
        texts = choice.setdefault("text", [])
        text = piece.get("text")
        if text is None:
            text = (piece.get("delta") or {}).get("content")
        text = text if isinstance(text, str) else read_content(text)[0]
        texts.append(text)
        self.fold_members(choice, piece, self.gathered)
        apart = ("finish_reason", "seed")
        above: Members = {n: chunk[n] for n in apart if n in chunk}
        self.fold_members(choice, above, ())
        if text and choice["members"]["index"] == 0:
            self.text.append(text)
        token = chunk.get("token")
        token_id = token.get("id") if isinstance(token, dict) else None
        self.fold_logprobs(choice, piece.get("logprobs"), text, token_id, None)

    def fold(self, chunk: Members) -> None:
        super().fold(chunk)
        self.top.pop("finish_reason", None)
        self.top.pop("seed", None)

    def finish(self, choice: Members) -> Members:
        return {"text": "".join(choice["text"])}

    def whole(self, request: Request) -> Members:
        return {"prompt": [], **super().whole(request)}


BASE64 = re.compile(r"[A-Za-z0-9+/\s]*(?:=\s*){0,2}")


class SpeechAccumulator(Accumulator):
    def __init__(self) -> None:
        super().__init__()
        self.audio: list[str] = []

    @property
    def holds(self) -> bool:
        return bool(self.audio)

    def fold(self, chunk: Members) -> None:
        # Two forms are in use: {"b64": ...} and a realtime event's {"delta": ...}.
        piece = chunk.get("b64") or chunk.get("delta")
        if isinstance(piece, str) and piece:
            if len(piece) == 1 or not BASE64.fullmatch(piece):
                raise ValueError
            self.audio.append(piece)

    def whole(self, request: Request) -> Members:
        sound = base64.b64encode(_sound_bytes(self.audio)).decode()
        return {"file": sound, "filename": f"{request.operation['filename']}.raw"}
