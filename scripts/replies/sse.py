"""Server-sent events, read as they arrive."""

from __future__ import annotations

import json

from ..client.transport import MIB, TooLargeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MOST_EVENT_BYTES = 16 * MIB  # of one server-sent event


class Events:
    """Iterates over server-sent events, (data, event name or ""), as soon as they are
    whole. An event that the end of the body cuts is none.

    https://html.spec.whatwg.org/multipage/server-sent-events.html: lines end with CR,
    LF or both, several data lines are one value. A field `error`, which some servers
    write and the specification does not know, is an event of that name. `waiting` are
    the whole events that came with the one at hand. Raises TooLargeError for an event
    of more than MOST_EVENT_BYTES.

    With `lenient`, what servers write against the specification is read as they mean
    it: JSON without `data:` before it, several JSON objects in one event, a last event
    without the blank line behind it. JSON that is all there is stays in `rest`.
    """

    def __init__(self, pieces: Iterable[bytes], lenient: bool = False) -> None:
        self.pieces = pieces
        self.lenient = lenient
        self.waiting: list[tuple[str, str]] = []
        self.pending: list[bytes] = []  # pieces of the event that is not yet whole
        self.size = 0
        self.after_cr = False

    def __iter__(self) -> Iterator[tuple[str, str]]:
        for piece in self.pieces:
            if not piece:
                continue  # a decompressor that holds back what came
            if self.after_cr or b"\r" in piece:
                if self.after_cr and piece.startswith(b"\n"):
                    piece = piece[1:]
                self.after_cr = piece.endswith(b"\r")
                piece = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            end = piece.rfind(b"\n\n") + 2  # 1 for none
            if end == 1:
                seam = self.pending and self.pending[-1].endswith(b"\n")
                if not (seam and piece.startswith(b"\n")):
                    self.hold(piece)
                    continue
            # A whole event never ends within a character.
            whole = (
                b"".join((*self.pending, piece[:end])) if self.pending else piece[:end]
            )
            self.pending.clear()
            self.size = 0
            self.hold(piece[end:])
            self.waiting = _events_in(whole.decode("utf-8", "replace"), self.lenient)
            self.waiting.reverse()
            while self.waiting:
                yield self.waiting.pop()
        if self.lenient and self.pending:
            yield from self.last()

    def last(self) -> Iterator[tuple[str, str]]:
        """Yield what is whole of what has no blank line behind it."""
        text = self.rest().decode("utf-8", "replace")
        found = _events_in(text, True)
        if len(found) == 1 and text.lstrip(BLANKS).startswith("{"):
            return
        for data, name in found:
            if data.strip() != "[DONE]" and not _is_json(data):
                return  # cut
            self.pending.clear()
            yield data, name

    def hold(self, piece: bytes) -> None:
        if piece:
            self.pending.append(piece)
            self.size += len(piece)
            if self.size > MOST_EVENT_BYTES:
                limit = MOST_EVENT_BYTES // MIB
                raise TooLargeError(f"an event has more than {limit} MiB")

    def rest(self) -> bytes:
        """Return what came after the last whole event."""
        return b"".join(self.pending)


BLANKS = "\ufeff \t\r\n"


def is_stream(data: bytes) -> bool:
    """Say whether a body is a stream, whatever it is said to be: events, or a JSON
    object in each line."""
    text = data.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith((b"data:", b"event:", b"id:", b"retry:", b":")):
        return True
    first, _, more = text.partition(b"\n")
    object_first = first.startswith(b"{") and first.rstrip().endswith(b"}")
    return object_first and more.lstrip().startswith(b"{")


def _is_json(data: str) -> bool:
    try:
        json.loads(data, strict=False)
    except (ValueError, RecursionError):
        return False
    return True


def _events_in(text: str, lenient: bool = False) -> list[tuple[str, str]]:
    """Return (data, name) of each event in text that holds only whole events; those
    without data are none."""
    events = []
    for block in text.split("\n\n"):
        if block.startswith("data: ") and "\n" not in block:
            if block[6:].strip():
                events.append((block[6:], ""))
            continue
        name, parts = "", []
        for line in block.lstrip("\n").lstrip("\ufeff\0").split("\n"):
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "data" or field.lower() == "data":
                parts.append(value)
            elif field == "event":
                name = value.strip()
            elif field == "error":
                name = field
                parts.append(value)
        data = "\n".join(parts)
        if lenient and not data.strip() and block.lstrip(BLANKS).startswith("{"):
            data = block.strip(BLANKS)
        if data.strip():
            events += [
                (one, name) for one in (_json_lines(data) if lenient else [data])
            ]
    return events


def _json_lines(data: str) -> list[str]:
    """Return the lines of an event's data where each is a JSON object of its own."""
    lines = [line.strip() for line in data.split("\n") if line.strip()]
    whole = all(one == "[DONE]" or one[:1] + one[-1:] == "{}" for one in lines)
    return lines if whole else [data]
