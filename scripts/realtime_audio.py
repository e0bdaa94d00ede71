"""Hold a conversation over a WebSocket: only the two realtime steps import this.

    transcribe  a recording in, its transcript out, shown live
    speak       a text in, a sound file out

Both raise TogetherError, with what had arrived in its `partial`.
"""

from __future__ import annotations

import base64
import io
import json
import sys
import wave
from array import array
from types import SimpleNamespace

from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidStatus,
)
from websockets.sync.client import connect

from .client import TogetherError
from .client.calls import request_for
from .client.transport import CONNECT_TIMEOUT, USER_AGENT, Reply, tls_context
from .replies.live_text import LiveText
from .transfer.file_input import open_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Self, TypeAlias

    from .client.request import Request
    from .shapes import Auth, Headers, Json, Members, Operation

    Partial: TypeAlias = Callable[[], Members]
    """What has arrived, for an error."""


GREETING = 10.0  # seconds until session.created must have come
IDLE = 30.0  # seconds of silence, after all was sent, that end a session
PIECE = 0.2  # seconds of sound in one message
RATES = {"pcm_s16le_8000": 8000, "pcm_s16le_16000": 16000}
SPEECH_RATE = 24000  # of what the speech session sends: 16 bit, mono
KEY_FAULTS = ("invalid_api_key", "missing_api_key")
ITEM = "conversation.item.input_audio_transcription."


def transcribe(auth: Auth, operation: Operation, **arguments: Json) -> Members:
    """Send a recording and return {"text", "segments"}; seconds in each segment.

    The recording, in any shape that scripts/transfer/file_input.py knows, is a WAV file
    with 16 bits per sample, of any rate and number of channels; anything else is taken
    for raw samples of the format named.
    """
    request = request_for(auth, operation, arguments)
    rate = RATES.get(request.arguments["input_audio_format"], 24000)
    samples = _samples(_fetched(request), rate)
    size = int(rate * PIECE) * 2
    session = _Session(request, {"OpenAI-Beta": "realtime=v1"})
    heard = _Transcript(session, len(samples) / 2 / rate * 1000)
    with session:
        for start in range(0, len(samples), size):
            piece = base64.b64encode(samples[start : start + size]).decode()
            append = {"type": "input_audio_buffer.append", "audio": piece}
            session.send(append, heard.answer)
            for event in session.waiting(heard.answer):
                heard.take(event)
        session.send({"type": "input_audio_buffer.commit"}, heard.answer)
        while not heard.whole:
            event = session.receive(IDLE, heard.answer)
            if event is None:  # all was said, or there was nothing to hear
                if heard.open_items:
                    raise session.silent(heard.answer())
                break
            heard.take(event)
    heard.show.end()
    return heard.answer()


class _Transcript:
    """What was heard so far of a recording of so many milliseconds."""

    def __init__(self, session: _Session, total: float) -> None:
        self.session = session
        self.total = total
        self.processed = 0.0  # milliseconds
        self.segments: list[Members] = []
        self.open_items: set[Json] = set()
        self.show = LiveText()

    @property
    def whole(self) -> bool:
        all_processed = self.processed >= self.total - 1
        return bool(all_processed and self.segments and not self.open_items)

    def answer(self) -> Members:
        texts = (segment.get("transcript", "").strip() for segment in self.segments)
        return {"text": " ".join(filter(None, texts)), "segments": self.segments}

    def take(self, event: Members) -> None:
        """Take in an event. Raises TogetherError for one that ends the session."""
        kind = event.get("type", "").removeprefix(ITEM)
        item = event.get("item_id")
        if kind == "delta":
            self.open_items.add(item)
        elif kind == "completed":
            self.open_items.discard(item)
            text = event.get("transcript", "")
            known = ("item_id", "start", "duration", "transcript")
            segment = {name: event[name] for name in known if name in event}
            self.segments.append(segment)
            self.show.add(text if len(self.segments) == 1 else f" {text.strip()}")
        elif kind == "failed":
            if event.get("event_type") is None:
                raise self.session.refused(event, self.answer())
            self.open_items.discard(item)
            self.segments.append({"item_id": item, "error": event.get("error")})
        elif kind == "input_audio_buffer.processed":
            self.processed = max(self.processed, event.get("processed_ms", 0))
        elif kind == "error":
            raise self.session.refused(event, self.answer())


def speak(auth: Auth, operation: Operation, **arguments: Json) -> Members:
    """Send a text and return its sound, a WAV file, where `output` says.

    {"file": base64, "filename"} or {"s3": key, "filename"}.
    """
    request = request_for(auth, operation, arguments)
    session = _Session(request, {})
    sound: list[bytes] = []

    def sound_file() -> bytes:
        buffer = io.BytesIO()
        with wave.open(buffer, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(SPEECH_RATE)
            file.writeframes(b"".join(sound))
        return buffer.getvalue()

    def answer() -> Members:
        content = base64.b64encode(sound_file()).decode()
        return {"file": content, "filename": "speech.wav"}

    with session:
        text = request.arguments["text"]
        session.send({"type": "input_text_buffer.append", "text": text}, answer)
        session.send({"type": "input_text_buffer.commit"}, answer)
        started: set[str | None] = set()
        ended: set[str | None] = set()
        while True:
            # Sound comes item by item; when none is open, silence is the end.
            wait = IDLE if started - ended or not started else 2.0
            event = session.receive(wait, answer)
            if event is None:
                break
            kind = event.get("type", "")
            if kind.endswith("audio_output.delta"):
                started.add(event.get("item_id"))
                sound.append(base64.b64decode(event["delta"]))
            elif kind.endswith("audio_output.done"):
                ended.add(event.get("item_id"))
            elif kind.endswith("tts.failed") or kind == "error":
                raise session.refused(event, answer())
        if not sound or started - ended:
            raise session.silent(answer())
    from .transfer.media_output import deliver  # only where bytes are brought

    return deliver(sound_file(), "speech.wav", request.output, "audio/wav", paid=True)


class _Session:
    """An open WebSocket; as a context manager it is closed in the end."""

    def __init__(self, request: Request, headers: Headers) -> None:
        self.request = request
        headers = {"Authorization": request.headers["Authorization"], **headers}
        url = "ws" + (request.base + request.target).removeprefix("http")
        while True:
            request.tries += 1
            fault = reply = None
            try:
                self.connection = connect(
                    url,
                    additional_headers=headers,
                    user_agent_header=USER_AGENT,
                    ssl=tls_context() if url.startswith("wss:") else None,
                    open_timeout=CONNECT_TIMEOUT * 2,
                    max_size=None,
                )
                self.socket = self.connection.__enter__()
                break
            except InvalidStatus as error:
                head = error.response
                reply = Reply(
                    SimpleNamespace(
                        status=head.status_code,
                        reason=head.reason_phrase,
                        headers={k.lower(): v for k, v in head.headers.raw_items()},
                    ),
                    bytes(head.body or b""),
                )
            except (InvalidHandshake, OSError) as error:
                fault = error
            request.again(fault, reply)

    def __enter__(self) -> Self:
        first = self.receive(GREETING, dict)
        if first is None or first.get("type") != "session.created":
            self.__exit__()
            if first is None:
                raise self.silent({})
            raise self.refused(first, {})
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.__exit__(None, None, None)

    def send(self, event: Members, answer: Partial) -> None:
        try:
            self.socket.send(json.dumps(event))
        except ConnectionClosed as error:
            raise self.closed(error, answer()) from None

    def receive(self, seconds: float, answer: Partial) -> Json:
        """Return the next event, or None when there is silence for that long."""
        try:
            return json.loads(self.socket.recv(timeout=seconds))
        except TimeoutError:
            return None
        except ConnectionClosed as error:
            raise self.closed(error, answer()) from None

    def waiting(self, answer: Partial) -> Iterator[Members]:
        """Yield the events that have come already."""
        while (event := self.receive(0, answer)) is not None:
            yield event

    def refused(self, event: Members, partial: Json) -> TogetherError:
        error = event.get("error") or event
        status = 401 if error.get("code") in KEY_FAULTS else 400
        head = SimpleNamespace(status=status, reason="Session failed", headers={})
        data = json.dumps({"error": error}).encode()
        return self.request.failure(None, Reply(head, data), partial=partial)

    def silent(self, partial: Json) -> TogetherError:
        return self.request.failure(TimeoutError("silence"), None, partial=partial)

    def closed(self, error: ConnectionClosed, partial: Json) -> TogetherError:
        code = error.rcvd.code if error.rcvd else None
        if code == 4503:
            head = SimpleNamespace(status=503, reason="No healthy workers", headers={})
            return self.request.failure(None, Reply(head, b""), partial=partial)
        return self.request.failure(error, None, partial=partial)


def _fetched(request: Request) -> bytes:
    """Return the bytes of the recording argument."""
    return open_file(request.arguments["recording"], "recording", request.auth).read()


def _samples(data: bytes, rate: int) -> bytes:
    """Return 16 bit mono samples of that rate, from a WAV file or from raw samples."""
    if data[:4] != b"RIFF":
        if data[:3] == b"ID3" or data[:4] in (b"OggS", b"fLaC", b"\x1aE\xdf\xa3"):
            raise _unreadable("is compressed: give a WAV file")
        return data
    try:
        with wave.open(io.BytesIO(data)) as file:
            width, channels = file.getsampwidth(), file.getnchannels()
            given, frames = file.getframerate(), file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise _unreadable(f"is no WAV file that can be read ({error})") from None
    if width != 2:
        raise _unreadable(f"has {width * 8} bits per sample: 16 are needed")
    samples = array("h", frames)
    if sys.byteorder == "big":
        samples.byteswap()
    if channels > 1:
        tracks = [samples[track::channels] for track in range(channels)]
        samples = array(
            "h", (sum(each) // channels for each in zip(*tracks, strict=True))
        )
    if given != rate and samples:
        samples = _resampled(samples, given / rate)
    if sys.byteorder == "big":
        samples.byteswap()
    return samples.tobytes()


def _resampled(samples: array[int], step: float) -> array[int]:
    """Return samples taken every `step`, between two of the old ones by their share."""
    last = len(samples) - 1
    count = int(len(samples) / step)
    found = array("h", bytes(2 * count))
    for number in range(count):
        place = number * step
        index = int(place)
        share = place - index
        after = samples[index + 1] if index < last else samples[index]
        found[number] = int(samples[index] * (1 - share) + after * share)
    return found


def _unreadable(problem: str) -> TogetherError:
    return TogetherError.refused("recording", problem)
