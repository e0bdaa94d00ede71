"""Hold a conversation over a WebSocket: only the two realtime steps import this.

    transcribe  a recording in, its transcript out, shown live
    speak       a text in, a sound file out

Both raise TogetherError, with what had arrived in its `partial`.
"""

from __future__ import annotations

import base64
import io
import json
import math
import re
import sys
import time
import wave
from array import array
from collections import OrderedDict
from types import SimpleNamespace

from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidStatus,
)
from websockets.frames import CloseCode
from websockets.sync.client import connect

from .client import TogetherError
from .client.calls import request_for
from .client.endings import is_error, tells_error
from .client.jsonio import finite, parse_json
from .client.request import MOST_SECONDS
from .client.transport import (
    CONNECT_TIMEOUT,
    MIB,
    USER_AGENT,
    Reply,
    TooLargeError,
    protocol_fault,
    tls_context,
)
from .replies.accumulators import ALIVE
from .replies.live_text import LiveText
from .replies.sse import MOST_EVENT_BYTES
from .resilience.explain import event_error
from .transfer.file_input import open_file
from .transfer.file_source import loose_base64
from .transfer.filetypes import WORDS, file_like, kind_of
from .transfer.media_output import deliver, with_notes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

    from .client.request import Request
    from .shapes import Auth, Fault, Headers, Json, Members, Operation


GREETING = 10.0  # seconds until session.created must have come
# After how many seconds of silence a session is over: while something is known to be
# missing; where nothing is, but no event would say that all has come; and once the
# service said that it went through all, as its last words may still be on their way.
IDLE, QUIET, SETTLED = 30.0, 5.0, 3.0
PIECE = 0.2  # seconds of sound in one message
MOST_SESSION_BYTES = 256 * MIB  # of all events, in more than an hour of sound
RECORDING_BYTES = 1024 * MIB  # held in memory: four hours of sound for the service
# Formats whose name has no number; others name the rate.
UNNUMBERED = ("pcm16", "pcm_s16", "pcm_s16le")
UNNUMBERED_RATE = 24000
SPEECH_RATE = 24000  # of what the speech session sends: 16 bit, mono
STATUSES = {"invalid_api_key": 401, "missing_api_key": 401, "no_healthy_workers": 503}
ITEM = "conversation.item.input_audio_transcription."
ABOUT_IT = ("conversation.", "input_")  # beginnings of events about what was sent
SEEMS_ALL = (
    "The service did not say that it had heard all: the text ends where nothing more "
    f"came for {IDLE:g} s."
)
SEEMS_SPOKEN = (
    "The service does not say when all is spoken: the sound ends where nothing more "
    f"came for {QUIET:g} s."
)


def transcribe(auth: Auth, operation: Operation, **arguments: Json) -> Members:
    """Send a recording and return {"text", "segments"}; seconds in each segment. "note"
    where a part of it failed, or where only silence says that it was all.

    The recording, in any shape that scripts/transfer/file_input.py knows, is a WAV file
    with 16 bits per sample, of any rate and number of channels; anything else is taken
    for raw samples of the format named, unless it is known to be another file.
    """
    request = request_for(auth, operation, arguments)
    rate = _rate(request.arguments["input_audio_format"])
    samples = _samples(_fetch(request), rate)
    if not samples:
        raise _unreadable("has no sound in it")
    size = int((rate or UNNUMBERED_RATE) * PIECE) * 2
    heard = _Transcript(len(samples) / 2 / rate * 1000 if rate else math.inf)
    session = _Session(request, {"OpenAI-Beta": "realtime=v1"}, heard)
    try:
        with session:
            for start in range(0, len(samples), size):
                piece = base64.b64encode(samples[start : start + size]).decode()
                session.send({"type": "input_audio_buffer.append", "audio": piece})
                for event in session.waiting():
                    session.take(event)
            session.send({"type": "input_audio_buffer.commit"})
            session.follow()
    finally:
        heard.show.end()
    if heard.items.open:
        raise session.silent()
    found = heard.answer()
    if heard.failures and not found["text"]:
        raise session.refused(heard.failures[0])
    notes = [] if heard.gone_through else [SEEMS_ALL]
    if heard.failures:
        count = f"{len(heard.failures)} of {len(heard.segments)}"
        notes.insert(0, f"{count} stretches of speech failed: see `error` in segments.")
    return {**found, "note": " ".join(notes)} if notes else found


class _Items:
    """The items of a session that have begun and not ended."""

    def __init__(self) -> None:
        self.open: OrderedDict[str | int | None, None] = OrderedDict()

    def begin(self, event: Members) -> None:
        self.open[_item(event)] = None

    def end(self, event: Members) -> None:
        item = _item(event)
        if item in self.open:
            del self.open[item]
        elif item is not None:  # its first event may have had no id
            self.open.pop(None, None)
        elif self.open:  # without an id it is taken for the end of the first one
            self.open.popitem(last=False)


def _item(event: Members) -> str | int | None:
    item = event.get("item_id")
    return item if isinstance(item, str | int) else None


class _Transcript:
    """The transcript so far of a recording, which has `total` milliseconds."""

    def __init__(self, total: float) -> None:
        self.total = total
        self.processed = 0.0  # milliseconds
        self.segments: list[Members] = []
        self.failures: list[Members] = []  # events of stretches that failed
        self.items = _Items()
        self.show, self.shown = LiveText(), False

    @property
    def gone_through(self) -> bool:
        """Whether the service said that it has decoded all of it."""
        return self.processed >= self.total - 1

    @property
    def whole(self) -> bool:
        return bool(self.gone_through and self.segments and not self.items.open)

    @property
    def patience(self) -> float:
        """After how many seconds of silence the session is over."""
        return SETTLED if self.whole else IDLE

    def answer(self) -> Members:
        texts = (segment.get("transcript", "").strip() for segment in self.segments)
        return {"text": " ".join(filter(None, texts)), "segments": self.segments}

    def take(self, event: Members) -> bool:
        """Take in an event; say whether it was one of a transcript that goes on. Raises
        ValueError for one that cannot be read."""
        kind = event["type"].removeprefix(ITEM)
        if kind == "failed" and event.get("event_type") is not None:
            self.items.end(event)
            self.failures.append(event)
            failed = {"item_id": event.get("item_id"), "error": event.get("error")}
            self.segments.append(failed)
        elif kind == "delta":
            self.items.begin(event)
        elif kind == "completed" and not is_error(event.get("error")):
            text = event.get("transcript")
            if not isinstance(text, str | None):
                raise ValueError
            self.items.end(event)
            known = ("item_id", "start", "duration")
            segment = {name: event[name] for name in known if name in event}
            self.segments.append({**segment, "transcript": text or ""})
            if text:
                self.show.add(f" {text.strip()}" if self.shown else text)
                self.shown = True
        elif kind == "input_audio_buffer.processed":
            processed = finite(event.get("processed_ms")) or 0
            self.processed = max(self.processed, processed)
        else:
            return False
        return True


def speak(auth: Auth, operation: Operation, **arguments: Json) -> Members:
    """Send a text and return its sound, a WAV file, where `output` says.

    {"file": base64, "filename", "note"} or {"s3": key, "filename", "note"}: that only
    silence says that it was all.
    """
    request = request_for(auth, operation, arguments)
    said = _Speech()
    session = _Session(request, {}, said)
    with session:
        text = request.arguments["text"]
        session.send({"type": "input_text_buffer.append", "text": text})
        session.send({"type": "input_text_buffer.commit"})
        session.follow()
    if not said.sound or said.items.open:
        raise session.silent()
    brought = deliver(said.file(), "speech.wav", request.output, "audio/wav", paid=True)
    return with_notes(brought, [SEEMS_SPOKEN])


class _Speech:
    """The sound so far: pieces of samples, by the item that they belong to."""

    whole = False  # no event says that all has come

    def __init__(self) -> None:
        self.sound: dict[str | int | None, list[bytes]] = {}
        self.items = _Items()

    @property
    def patience(self) -> float:
        """After how many seconds of silence the session is over."""
        # Sound comes item by item, with a pause before each, and nothing says how many
        # there are.
        return QUIET if self.sound and not self.items.open else IDLE

    def file(self) -> bytes:
        # Half a sample would shift the bytes of all that follow.
        items = (b"".join(pieces) for pieces in self.sound.values())
        sound = b"".join(item[: len(item) // 2 * 2] for item in items)
        buffer = io.BytesIO()
        with wave.open(buffer, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(SPEECH_RATE)
            file.writeframes(sound)
        return buffer.getvalue()

    def answer(self) -> Members | None:
        if not self.sound:
            return None
        content = base64.b64encode(self.file()).decode()
        return {"file": content, "filename": "speech.wav"}

    def take(self, event: Members) -> bool:
        """Take in an event; say whether it was one of speech that goes on. Raises
        ValueError for one that cannot be read."""
        kind = event["type"]
        if kind.endswith("audio_output.delta"):
            piece = _decode(event.get("delta"))
            self.items.begin(event)
            if piece:
                self.sound.setdefault(_item(event), []).append(piece)
        elif kind.endswith("audio_output.done"):
            self.items.end(event)
        else:
            return False
        return True


def _decode(delta: Json) -> bytes:
    """Return the bytes of an event's base64, which may lack its padding. Raises
    ValueError for what is none, and for base64 that goes on in the next event."""
    if delta is None:
        return b""
    if not isinstance(delta, str):
        raise ValueError
    found = loose_base64(delta)
    text = base64.b64encode(found).decode()
    if text.rstrip("=") != "".join(delta.split()).rstrip("="):
        raise ValueError
    return found


class _Session:
    """An open WebSocket; as a context manager it is closed in the end.

    `taker` takes the events, and knows what has arrived, for errors.
    """

    def __init__(
        self, request: Request, headers: Headers, taker: _Transcript | _Speech
    ) -> None:
        self.request, self.taker = request, taker
        self.most = math.inf  # the time at which it must be over
        self.size = 0  # bytes of all events
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
                    max_size=MOST_EVENT_BYTES,
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
        try:
            first = self.receive(GREETING)
            if first is None:
                raise self.silent()
            if _is_refusal(first):
                raise self.refused(first)
            if first["type"] != "session.created":
                raise self.unread(json.dumps(first))
        except TogetherError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.__exit__(None, None, None)

    def send(self, event: Members) -> None:
        try:
            self.socket.send(json.dumps(event))
        except ConnectionClosed as error:
            raise self.closed(error) from None

    def follow(self) -> None:
        """Take events until the taker's patience ends."""
        since = time.monotonic()
        self.most = since + MOST_SECONDS[self.request.operation["retry"]]
        while True:
            left = since + self.taker.patience - time.monotonic()
            try:
                event = self.receive(max(0.0, left))
            except ConnectionClosed as error:
                if self.taker.whole:
                    return
                raise self.closed(error) from None
            if event is None:
                return
            # Signs of life, and news of the session, say nothing of what is missing.
            if self.take(event) or event["type"].startswith(ABOUT_IT):
                since = time.monotonic()

    def take(self, event: Members) -> bool:
        """Hand an event to the taker; say whether it brought something. Raises
        TogetherError for one that ends the session, and for one that cannot be read."""
        try:
            taken = self.taker.take(event)
        except ValueError:
            raise self.unread(json.dumps(event)) from None
        if not taken and _is_refusal(event):
            raise self.refused(event)
        return taken

    def receive(self, seconds: float) -> Members | None:
        """Return the next event, whose type is a text, or None when there is silence
        for that long. Raises TogetherError for what is no event, and ConnectionClosed.
        """
        until = time.monotonic() + seconds
        while True:
            now = time.monotonic()
            if now >= self.most:
                raise self.failure(protocol_fault("the stream does not end"))
            try:
                wait = max(0.0, min(until, self.most) - now)
                data = self.socket.recv(timeout=wait, decode=False)
            except TimeoutError:
                if until <= self.most:
                    return None
                continue
            self.size += len(data)
            if self.size > MOST_SESSION_BYTES:
                words = f"the stream has more than {MOST_SESSION_BYTES // MIB} MiB"
                raise self.failure(TooLargeError(words))
            event, problem = parse_json(data)
            event = self.request.without_key(event, data)
            if problem is None and isinstance(event, dict):
                kind = event.get("type")
                event["type"] = kind if isinstance(kind, str) else ""
                if event["type"] not in ALIVE:
                    return event
            elif problem or event is not None:
                words = data.decode("utf-8", "replace")
                if words.strip().lower() not in ("", *ALIVE):
                    raise self.unread(words)

    def waiting(self) -> Iterator[Members]:
        """Yield the events that have come already."""
        try:
            while (event := self.receive(0)) is not None:
                yield event
        except ConnectionClosed as error:
            raise self.closed(error) from None

    def failure(self, fault: Fault | None, reply: Reply | None = None) -> TogetherError:
        """Return the error, with what had arrived."""
        return self.request.failure(fault, reply, partial=self.taker.answer())

    def refused(self, event: Members) -> TogetherError:
        """Return the error for an event that tells of one."""
        error = event.get("error") or event
        code = error.get("code") if isinstance(error, dict) else None
        status = STATUSES.get(code, 400) if isinstance(code, str) else 400
        reply = event_error(json.dumps({"error": error}), status)
        reply.reason = "Session failed"
        return self.failure(None, reply)

    def unread(self, words: str) -> TogetherError:
        """Return the error for what came in place of an event."""
        return self.failure(None, event_error(words, 200))

    def silent(self) -> TogetherError:
        words = "the stream fell silent before all had come"
        return self.failure(protocol_fault(words))

    def closed(self, error: ConnectionClosed) -> TogetherError:
        code = error.rcvd.code if error.rcvd else None
        if code == 4503:
            head = SimpleNamespace(status=503, reason="No healthy workers", headers={})
            return self.failure(None, Reply(head, b""))
        if error.sent and error.sent.code == CloseCode.MESSAGE_TOO_BIG:
            words = f"an event has more than {MOST_EVENT_BYTES // MIB} MiB"
            return self.failure(TooLargeError(words))
        words = "the stream was closed before all had come"
        if error.rcvd:
            words += f" ({code} {error.rcvd.reason}".rstrip() + ")"
        return self.failure(protocol_fault(words))


def _is_refusal(event: Members) -> bool:
    """Say whether an event that belongs to nothing else tells of an error."""
    kind = event["type"]
    if kind == "error" or kind.endswith("failed") or is_error(event.get("error")):
        return True
    return not kind and tells_error(event)


def _rate(name: str) -> int | None:
    """Return how many samples a second an audio format has, None for one of another
    kind than 16 bits."""
    if name in UNNUMBERED:
        return UNNUMBERED_RATE
    found = re.fullmatch(r"pcm_s16le_([1-9][0-9]{3,5})", name)
    return int(found[1]) if found else None


def _fetch(request: Request) -> bytes:
    """Return the bytes of the recording argument. Raises TogetherError."""
    value, data = request.arguments["recording"], bytearray()
    with open_file(value, "recording", request.auth, RECORDING_BYTES) as source:
        for block in source.blocks():
            data += block
            if len(data) > RECORDING_BYTES:
                raise _unreadable(f"is too large: over {RECORDING_BYTES} bytes")
    return bytes(data)


def _samples(data: bytes, rate: int | None) -> bytes:
    """Return 16 bit mono samples of that rate, from a WAV file or from raw samples.
    Raises TogetherError for any other file."""
    if kind := _other_kind(data):
        raise _unreadable(
            f"is {kind}, and neither a plain WAV file nor raw samples: give it to "
            "audio/transcribe_recording, or convert it to WAV with 16 bits per sample"
        )
    if data[:4] != b"RIFF":
        return data
    if rate is None:
        raise TogetherError.refused(
            "input_audio_format",
            "is none that a WAV file can be made into: choose one such as "
            "pcm_s16le_16000, or give raw samples",
        )
    try:
        with wave.open(io.BytesIO(data)) as file:
            width, channels = file.getsampwidth(), file.getnchannels()
            given, frames = file.getframerate(), file.readframes(file.getnframes())
    except (wave.Error, EOFError, RuntimeError) as error:
        words = str(error) or "its parts are longer than it is"
        raise _unreadable(f"is no WAV file that can be read ({words})") from None
    if width != 2:
        raise _unreadable(f"has {width * 8} bits per sample: 16 are needed")
    if given not in PLAUSIBLE:  # which would make any number of samples of a few
        raise _unreadable(f"has {given} samples a second, as no recording of speech")
    # The last of a file that was cut may be there in part.
    samples = array("h", frames[: len(frames) // (2 * channels) * 2 * channels])
    if sys.byteorder == "big":
        samples.byteswap()
    if channels > 1:
        tracks = [samples[track::channels] for track in range(channels)]
        samples = array(
            "h", (sum(each) // channels for each in zip(*tracks, strict=True))
        )
    if given != rate and samples:
        samples = _resample(samples, given / rate)
    if sys.byteorder == "big":
        samples.byteswap()
    return samples.tobytes()


PLAUSIBLE = range(4000, 400_000)  # samples a second
NO_SAMPLES = (".zip", ".xls", ".rtf", ".au", ".wma", ".w64", ".rar", ".7z")
HEAD = 512  # bytes by which text is known
LEAST_TEXT = 32  # bytes; fewer may be samples by chance


def _other_kind(data: bytes) -> str:
    """Say what a file is that is neither a plain WAV file nor raw samples; "" where it
    may be either: any bytes may be samples, so two alone tell nothing."""
    head = data[:HEAD]
    kind = kind_of(head)
    if kind == "audio/wav":
        form = head[:4].decode()
        return "" if form == "RIFF" else f"a WAV file of the kind {form}"
    if kind == "application/gzip":
        kind = kind if head[2:3] == b"\x08" else ""
    if kind in ("audio/mpeg", "audio/aac") and head[:1] == b"\xff":
        size = _adts_size(data) if kind == "audio/aac" else _mpeg_size(data)
        return kind if size and _begins_again(data, size) else ""
    kind = kind or WORDS.get(file_like(head, *NO_SAMPLES), "")
    return kind or ("text" if _is_text(head) else "")


def _is_text(head: bytes) -> bool:
    if len(head) < LEAST_TEXT:
        return False
    try:
        text = head.decode()
    except UnicodeDecodeError as error:
        if error.reason != "unexpected end of data":
            return False
        text = head[: error.start].decode()
    return "".join(text.split()).isprintable()


def _begins_again(data: bytes, size: int) -> bool:
    """Say whether another frame of the same kind follows one of so many bytes, or the
    end of the file."""
    return len(data) == size or data[size : size + 2] == data[:2]


def _adts_size(data: bytes) -> int:
    """Return how many bytes a frame of AAC says that it has, 0 for none."""
    if len(data) < 7:
        return 0
    return (data[3] & 3) << 11 | data[4] << 3 | data[5] >> 5


# kbit/s by the header's index, of layer II of MPEG 1.
RATES_II = (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384)


def _mpeg_size(data: bytes) -> int:
    """Return how many bytes a frame of MPEG audio says that it has, 0 for none."""
    from .speech.mp3_frames import (  # only where a file begins as MP3 does
        RATES_1,
        RATES_2,
        SAMPLES,
    )

    if len(data) < 4:
        return 0
    version, layer = data[1] >> 3 & 3, data[1] >> 1 & 3
    rate, samples = data[2] >> 4, data[2] >> 2 & 3
    if version not in SAMPLES or rate in (0, 15) or samples == 3:
        return 0
    first = version == 3
    rates = RATES_II if layer == 2 else RATES_1 if first else RATES_2
    much = 144_000 if first or layer == 2 else 72_000
    return much * rates[rate] // SAMPLES[version][samples] + (data[2] >> 1 & 1)


def _resample(samples: array[int], step: float) -> array[int]:
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
