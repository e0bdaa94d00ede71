"""The two realtime steps, against servers that behave and that do not."""

import array
import base64
import io
import json
import time
import wave
from contextlib import contextmanager

import pytest
from websockets.sync.server import serve

from scripts import realtime_audio
from scripts.client import TogetherError
from scripts.resilience import retry
from tests.conftest import KEY
from tests.support.expected_request import main_of
from tests.support.sound import wav
from tests.test_client import server as tcp_server
from tools.local.server_thread import running
from tools.operations import find
from tools.sandbox import Fault, tone

HEAR = main_of(find("audio/connect_realtime_transcription"))
SAY = main_of(find("audio/connect_speech_websocket"))
ITEM = "conversation.item.input_audio_transcription."
pytestmark = pytest.mark.usefixtures("brief_silence")


def hear(auth, recording, sound="pcm_s16le_16000", **more):
    if isinstance(recording, bytes):
        recording = base64.b64encode(recording).decode()
    return HEAR(auth, "m", sound, recording, **more)


@contextmanager
def server(*events, close=None):
    """A session that takes everything up to the commit, then sends the events: objects
    of JSON, texts and bytes as they are, and waits where there are seconds."""
    seen = []

    def talk(socket):
        seen.append(socket.request)
        socket.send(json.dumps({"type": "session.created"}))
        for message in socket:
            seen.append(json.loads(message))
            if seen[-1]["type"].endswith("commit"):
                break
        for event in events:
            if isinstance(event, float):
                time.sleep(event)
            else:
                bare = isinstance(event, str | bytes)
                socket.send(event if bare else json.dumps(event))
        if close:
            socket.close(close)
        else:
            for _ in socket:
                pass

    with serve(talk, "127.0.0.1", 0) as listening, running(listening):
        port = listening.socket.getsockname()[1]
        yield {"api_key": KEY, "base_url": f"http://127.0.0.1:{port}"}, seen


def test_a_recording_whose_parts_do_not_fit_is_refused():
    data = bytearray(tone()[:400])
    data[16] = 223  # the length of what says the format
    with pytest.raises(TogetherError, match="recording is no WAV file that can be"):
        realtime_audio._samples(bytes(data), 16000)


@pytest.mark.parametrize("size", [2000, None])
def test_a_recording_larger_than_memory_is_refused(size, monkeypatch):
    monkeypatch.setattr(realtime_audio, "RECORDING_BYTES", 1000)
    length = "" if size is None else f"content-length: {size}\r\n"
    reply = f"HTTP/1.1 200 OK\r\n{length}connection: close\r\n\r\n".encode()
    with tcp_server(reply + bytes(2000)) as (url, seen):
        auth = {"api_key": KEY, "base_url": url}
        with pytest.raises(TogetherError, match="recording is too large") as caught:
            hear(auth, f"{url}/a.raw")
    assert caught.value.type == "invalid_argument"
    assert len(seen) == 1


def completed(item, text, **more):
    return {"type": f"{ITEM}completed", "item_id": item, "transcript": text, **more}


PROCESSED = {"type": "input_audio_buffer.processed", "processed_ms": 1e9}
SILENCE = bytes(100)  # as raw samples


def failed_item(item, words):
    """The event of a stretch of speech that failed, in a session that goes on."""
    failed = {"type": f"{ITEM}failed", "event_type": "completed", "item_id": item}
    return {**failed, "error": {"message": words}}


def spoken(item, samples, **more):
    """The events of an item of speech."""
    output = "conversation.item.audio_output"
    delta = base64.b64encode(samples).decode()
    return [
        {"type": f"{output}.delta", "item_id": item, "delta": delta, **more},
        {"type": f"{output}.done", "item_id": item},
    ]


def samples_in(content):
    with wave.open(io.BytesIO(base64.b64decode(content))) as file:
        return file.readframes(file.getnframes())


def test_a_recording_is_sent_in_pieces_and_its_segments_come_back(capsys):
    sound = bytes(range(200)) * 200
    events = [
        {"type": f"{ITEM}delta", "item_id": "1", "delta": "Go"},
        completed("1", "Good day.", start=0.0, duration=1.0),
        completed("2", " How are you?"),
        PROCESSED,
    ]
    with server(*events) as (auth, seen):
        found = hear(auth, wav(sound), language="en")

    assert found["text"] == "Good day. How are you?"
    assert found["segments"][0]["duration"] == 1.0
    assert "WM_STREAM: Good day.\nWM_STREAM:  How are you?" in capsys.readouterr().out
    request, *sent, commit = seen
    assert request.headers["Authorization"] == f"Bearer {KEY}"
    assert request.headers["OpenAI-Beta"] == "realtime=v1"
    assert "language=en" in request.path
    assert "recording" not in request.path
    assert b"".join(base64.b64decode(event["audio"]) for event in sent) == sound
    assert len(sent) > 5
    assert commit == {"type": "input_audio_buffer.commit"}


@pytest.mark.parametrize(
    ("recording", "samples"),
    [
        (wav(array.array("h", [10, 30, -2, 2]).tobytes(), channels=2), [20, 0]),
        (wav(array.array("h", [0, 10, 20, 30]).tobytes(), rate=32000), [0, 20]),
        (wav(array.array("h", [0, 10]).tobytes(), rate=8000), [0, 5, 10, 10]),
        (array.array("h", [1, 2, 3]).tobytes(), [1, 2, 3]),
    ],
)
def test_a_recording_becomes_what_the_session_takes(recording, samples):
    assert array.array("h", samples).tobytes() == realtime_audio._samples(
        recording, 16000
    )


@pytest.mark.parametrize(
    ("recording", "words"),
    [
        (wav(b"\x00" * 8, width=1), "8 bits"),
        (wav(b""), "no sound"),
        (wav(bytes(8), rate=1), "1 samples a second"),
        (b"RIFF....", "no WAV"),
        ("not base64!", "recording must be a file"),
        ("http://127.0.0.1:1/a.wav", "no connection"),
    ],
)
def test_a_recording_that_cannot_be_used_is_refused(
    recording, words, sandbox, auth, monkeypatch
):
    monkeypatch.setattr(retry, "backoff", lambda tries, asked: 0.001)
    with pytest.raises(TogetherError, match=words):
        hear(auth, recording)

    assert not sandbox.requests


# Frames as encoders write them: MP3 (MPEG 1 and 2) and AAC.
MP3 = b"\xff\xfb\x90\x64" + bytes(413)
MP3_LOW = b"\xff\xf3\x40\xc4" + bytes(100)
AAC = b"\xff\xf1\x50\x80\x02\x1f\xfc" + bytes(9)
OTHER_FILES = {
    "ID3": (b"ID3\x04" + bytes(60), "audio/mpeg"),
    "MP3": (2 * MP3 + bytes(20), "audio/mpeg"),
    "MP3 of one frame": (MP3_LOW, "audio/mpeg"),
    "AAC": (2 * AAC, "audio/aac"),
    "M4A": (b"\0\0\0\x20ftypM4A " + bytes(60), "audio/mp4"),
    "MP4": (b"\0\0\0\x20ftypisom" + bytes(60), "video/mp4"),
    "AIFF": (b"FORM\0\0\0\x10AIFF" + bytes(60), "audio/aiff"),
    "RF64": (b"RF64\xff\xff\xff\xffWAVE" + bytes(60), "RF64"),
    "RIFX": (b"RIFX\0\0\0\x40WAVE" + bytes(60), "RIFX"),
    "WebP": (b"RIFF\0\0\0\x40WEBP" + bytes(60), "image/webp"),
    "WebM": (b"\x1aE\xdf\xa3" + bytes(60), "video/webm"),
    "FLAC": (b"fLaC" + bytes(60), "audio/flac"),
    "PDF": (b"%PDF-1.7\n" + bytes(range(200)), "application/pdf"),
    "PNG": (b"\x89PNG\r\n\x1a\n" + bytes(60), "image/png"),
    "ZIP": (b"PK\x03\x04" + bytes(60), "archive"),
    "gzip": (b"\x1f\x8b\x08\0" + bytes(60), "application/gzip"),
    "AU": (b".snd\0\0\0\x18" + bytes(60), "AU"),
    "JSON": (b'{"error": {"message": "There is no such file"}}', "text"),
    "text": ("Grüße aus Köln, wo nichts zu hören ist. ".encode() * 40, "text"),
    "page": (b"<!DOCTYPE html><p>Log in", "text/html"),
}


@pytest.mark.parametrize("name", OTHER_FILES)
def test_another_file_is_refused_by_name_and_not_sent_as_samples(name, sandbox, auth):
    content, words = OTHER_FILES[name]
    with pytest.raises(TogetherError, match=words) as caught:
        hear(auth, content)

    assert "audio/transcribe_recording" in str(caught.value)
    assert not sandbox.requests


@pytest.mark.parametrize("first", [b"\xff\xfb", b"\xff\xf1", b"\x1f\x8b", b'{"'])
@pytest.mark.parametrize("rest", [bytes(500), bytes(range(256)) * 4, b"\x90\x64" * 300])
def test_samples_that_begin_as_a_file_may_are_samples(first, rest):
    assert realtime_audio._samples(first + rest, 16000) == first + rest


@pytest.mark.parametrize("channels", [1, 2])
def test_a_wav_file_that_was_cut_is_heard_as_far_as_it_goes(channels):
    whole = wav(array.array("h", [5, 5, 7, 7]).tobytes(), channels=channels)

    found = array.array("h", realtime_audio._samples(whole[:-1], 16000))

    assert [*found] == ([5, 5, 7] if channels == 1 else [5])


@pytest.mark.parametrize(
    ("name", "rate"),
    [
        ("pcm_s16le_8000", 8000),
        ("pcm_s16le_44100", 44100),
        ("pcm_s16le_48000", 48000),
        ("pcm16", 24000),
    ],
)
def test_a_recording_is_sent_at_the_rate_that_is_asked_for(name, rate):
    sound = wav(bytes(2 * 16000), rate=16000)
    processed = {"type": "input_audio_buffer.processed", "processed_ms": 1000}
    with server(completed("1", "Go"), processed) as (auth, seen):
        assert "note" not in hear(auth, sound, name)

    sent = b"".join(base64.b64decode(event["audio"]) for event in seen[1:-1])
    assert len(sent) == 2 * rate


@pytest.mark.parametrize("name", ["pcm_mulaw", "g711_ulaw", "pcm_s16le_0", "mp3"])
def test_a_format_that_no_wav_file_becomes_is_refused_and_raw_bytes_go(name):
    with server(completed("1", "Go")) as (auth, seen):
        with pytest.raises(TogetherError, match="input_audio_format") as caught:
            hear(auth, wav(bytes(64)), name)
        assert caught.value.problems[0]["field"] == "input_audio_format"
        assert not seen

        assert hear(auth, bytes(range(128)) * 2, name)["text"] == "Go"
    assert base64.b64decode(seen[1]["audio"]) == bytes(range(128)) * 2


def test_what_was_heard_comes_though_all_was_gone_through_before(monkeypatch):
    monkeypatch.setattr(realtime_audio, "SETTLED", 1.0)
    events = [completed("1", "one"), PROCESSED, 0.15, completed("2", "two")]
    with server(*events) as (auth, _):
        found = hear(auth, SILENCE)

    assert found["text"] == "one two"
    assert "note" not in found


def test_where_nothing_says_that_it_was_all_a_note_does(monkeypatch):
    monkeypatch.setattr(realtime_audio, "IDLE", 1.2)
    with server(completed("1", "one"), 0.35, completed("2", "two")) as (auth, _):
        found = hear(auth, SILENCE)

    assert found["text"] == "one two"
    assert "did not say" in found["note"]


def test_a_session_that_is_closed_once_all_was_gone_through_is_over():
    with server(completed("1", "one"), PROCESSED, close=1000) as (auth, _):
        assert hear(auth, SILENCE)["text"] == "one"
    with server(completed("1", "one"), close=1000) as (auth, _):
        with pytest.raises(TogetherError, match="closed before all had come") as caught:
            hear(auth, SILENCE)

    assert caught.value.type == "connection"
    assert caught.value.partial["text"] == "one"


def test_a_stretch_of_speech_that_failed_is_told_and_alone_an_error():
    with server(failed_item("1", "too loud"), PROCESSED) as (auth, _):
        with pytest.raises(TogetherError, match="too loud") as caught:
            hear(auth, SILENCE)
    assert caught.value.partial["segments"][0]["error"] == {"message": "too loud"}

    events = [completed("1", "one"), failed_item("2", "too loud"), PROCESSED]
    with server(*events) as (auth, _):
        found = hear(auth, SILENCE)
    assert found["text"] == "one"
    assert "1 of 2 stretches of speech failed" in found["note"]


@pytest.mark.parametrize(
    ("begin", "end"), [("1", None), (None, "1"), (None, None), (["1"], {"id": "1"})]
)
def test_an_item_ends_that_is_not_named_each_time(begin, end):
    delta = {"type": f"{ITEM}delta", "item_id": begin, "delta": "o"}
    with server(delta, completed(end, "one"), PROCESSED) as (auth, _):
        assert hear(auth, SILENCE)["text"] == "one"
    first, last = spoken(begin, b"ab")
    with server(first, {**last, "item_id": end}) as (auth, _):
        assert samples_in(SAY(auth, "A.")["file"]) == b"ab"


def test_sound_comes_whole_though_the_service_pauses_between_items(monkeypatch):
    monkeypatch.setattr(realtime_audio, "QUIET", 1.0)
    events = [*spoken("a", b"abcd"), 0.25, *spoken("b", b"efgh")]
    with server(*events) as (auth, _):
        found = SAY(auth, "One. Two.")

    assert samples_in(found["file"]) == b"abcdefgh"
    assert "does not say when all is spoken" in found["note"]


def test_signs_of_life_are_no_reason_to_wait():
    alive = [0.1, "ping", 0.1, {"type": "ping"}, 0.1, {"type": "usage.updated"}]
    began = time.monotonic()
    with server(*spoken("a", b"ab"), *alive * 100) as (auth, _):  # for 30 seconds
        assert samples_in(SAY(auth, "One.")["file"]) == b"ab"
        took = time.monotonic() - began

    assert took < 20


def test_a_session_is_bounded_in_time_and_size(monkeypatch):
    received = {"type": "conversation.item.input_text.received", "text": "x" * 1000}
    news = [received, 0.05] * 40
    monkeypatch.setitem(realtime_audio.MOST_SECONDS, "inference", 0.5)
    with server(*spoken("a", b"ab"), *news) as (auth, _):
        with pytest.raises(TogetherError, match="does not end") as caught:
            SAY(auth, "One.")
    assert samples_in(caught.value.partial["file"]) == b"ab"

    monkeypatch.setattr(realtime_audio, "MOST_SESSION_BYTES", 3000)
    with server(*spoken("a", b"ab"), *news) as (auth, _):
        with pytest.raises(TogetherError, match="more than") as caught:
            SAY(auth, "One.")
    assert samples_in(caught.value.partial["file"]) == b"ab"


HARMLESS = ["ping", "", b"", "null", {"type": "heartbeat"}, {"type": None}, {"a": 1}]
UNREADABLE = ["pong?", b"\x00\xff\x00", [1], "5", "{cut", "[" * 100_000]


@pytest.mark.parametrize("odd", HARMLESS)
def test_what_says_nothing_is_passed_over(odd):
    with server(odd, completed("1", "one"), odd, PROCESSED) as (auth, _):
        assert hear(auth, SILENCE)["text"] == "one"
    with server(odd, *spoken("a", b"ab"), odd) as (auth, _):
        assert samples_in(SAY(auth, "One.")["file"]) == b"ab"


@pytest.mark.parametrize("odd", [*UNREADABLE, completed("2", 5), completed("2", ["x"])])
def test_what_cannot_be_read_is_an_error_that_keeps_the_text(odd):
    with server(completed("1", "one"), odd, PROCESSED) as (auth, _):
        with pytest.raises(TogetherError) as caught:
            hear(auth, SILENCE)

    assert caught.value.type == "invalid_answer"
    assert caught.value.partial["text"] == "one"


@pytest.mark.parametrize(
    "odd",
    [*UNREADABLE, *(spoken("b", b"", delta=one)[0] for one in ("a!b", "YWJ", [1], 5))],
)
def test_what_cannot_be_read_is_an_error_that_keeps_the_sound(odd):
    with server(*spoken("a", b"abcd"), odd) as (auth, _):
        with pytest.raises(TogetherError) as caught:
            SAY(auth, "One.")

    assert caught.value.type == "invalid_answer"
    assert samples_in(caught.value.partial["file"]) == b"abcd"


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"type": "error", "error": "rate limited"}, "rate limited"),
        ({"type": "conversation.item.tts.failed", "error": "no voice"}, "no voice"),
        ({"type": "conversation.item.tts.failed", "message": "no voice"}, "no voice"),
        ({"type": f"{ITEM}failed", "error": ["odd"]}, "odd"),
        ({"type": None, "error": {"message": "gone"}}, "gone"),
        ({"message": "gone"}, "gone"),
        ({"type": "session.closing", "error": {"code": ["x"], "message": "a"}}, "a"),
    ],
)
def test_an_error_is_told_in_the_server_s_words_however_it_comes(told, words):
    with server(*spoken("a", b"abcd"), told) as (auth, _):
        with pytest.raises(TogetherError, match=words) as caught:
            SAY(auth, "One.")
    assert samples_in(caught.value.partial["file"]) == b"abcd"
    with server(completed("1", "one"), told) as (auth, _):
        with pytest.raises(TogetherError, match=words) as caught:
            hear(auth, SILENCE)
    assert caught.value.partial["text"] == "one"


def test_what_lacks_in_an_event_is_none():
    lacks = [
        {"type": f"{ITEM}completed"},
        completed("2", None),
        {**PROCESSED, "processed_ms": None},
        {**PROCESSED, "processed_ms": "x"},
        {**PROCESSED, "processed_ms": [1]},
    ]
    with server(completed("1", "one"), *lacks, PROCESSED) as (auth, _):
        assert hear(auth, SILENCE)["text"] == "one"
    nothing = spoken("a", b"", delta=None)[0]
    with server(nothing, *spoken("a", b"abcd")) as (auth, _):
        assert samples_in(SAY(auth, "One.")["file"]) == b"abcd"


@pytest.mark.parametrize(
    "pieces",
    [["YWJjZA"], ["YWI", "Y2Q="], ["YWI=", "Y2Q"], ["YW Jj\n", "ZA"], ["YWJjZA==="]],
)
def test_sound_may_lack_what_fills_up_base64(pieces):
    events = [spoken("a", b"", delta=piece)[0] for piece in pieces]
    with server(*events, spoken("a", b"")[1]) as (auth, _):
        assert samples_in(SAY(auth, "One.")["file"]) == b"abcd"


def test_half_a_sample_is_left_out():
    with server(*spoken("a", b"abc"), *spoken("b", b"de")) as (auth, _):
        assert samples_in(SAY(auth, "One.")["file"]) == b"abde"


def test_an_event_larger_than_any_is_told(monkeypatch):
    monkeypatch.setattr(realtime_audio, "MOST_EVENT_BYTES", 2 << 20)
    with server(*spoken("a", b"ab"), spoken("b", bytes(3 << 20))[0]) as (auth, _):
        with pytest.raises(TogetherError, match="event has more than 2 MiB") as caught:
            SAY(auth, "One.")

    assert samples_in(caught.value.partial["file"]) == b"ab"


def test_a_failed_session_keeps_what_had_arrived():
    failed = {"type": f"{ITEM}failed", "error": {"message": "gone", "code": "c"}}
    with server(completed("1", "Good"), failed) as (auth, _):
        with pytest.raises(TogetherError, match="gone") as caught:
            hear(auth, b"\x00\x00" * 50)

    assert caught.value.partial["text"] == "Good"
    assert KEY not in str(vars(caught.value))


def test_a_closed_session_is_an_error():
    with server(completed("1", "Good"), close=4503) as (auth, _):
        with pytest.raises(TogetherError, match="No healthy workers") as caught:
            hear(auth, b"\x00\x00" * 50)

    assert caught.value.status == 503


def test_silence_with_an_open_segment_is_an_error(monkeypatch):
    monkeypatch.setattr(realtime_audio, "IDLE", 0.1)
    delta = {"type": f"{ITEM}delta", "item_id": "1", "delta": "Go"}
    with server(delta) as (auth, _):
        with pytest.raises(TogetherError) as caught:
            hear(auth, b"\x00\x00" * 50)

    assert caught.value.partial == {"text": "", "segments": []}


def test_nothing_heard_is_an_empty_text(monkeypatch):
    monkeypatch.setattr(realtime_audio, "IDLE", 0.1)
    with server(PROCESSED) as (auth, _):
        assert hear(auth, b"\x00\x00" * 50) == {"text": "", "segments": []}
    with server() as (auth, _):
        found = hear(auth, b"\x00\x00" * 50)
    assert (found["text"], found["segments"]) == ("", [])
    assert "did not say" in found["note"]


def test_a_refused_handshake_is_tried_again_when_it_may_pass(
    sandbox, auth, monkeypatch
):
    monkeypatch.setattr(retry, "backoff", lambda tries, asked: 0.001)
    sandbox.faults.append(Fault("realtime", 503, times=2))
    assert hear(auth, b"\x00\x00" * 50)["text"]
    assert len(sandbox.requests) == 3

    sandbox.faults.append(Fault("realtime", 401))
    with pytest.raises(TogetherError, match="401"):
        hear(auth, b"\x00\x00" * 50)


def test_a_failed_speech_is_an_error():
    failed = {"type": "conversation.item.tts.failed", "error": {"message": "no voice"}}
    with server(failed) as (auth, seen):
        with pytest.raises(TogetherError, match="no voice"):
            SAY(auth, "Hello.", voice="x")

    assert seen[1] == {"type": "input_text_buffer.append", "text": "Hello."}
