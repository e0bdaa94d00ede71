"""The two realtime steps, against servers that behave and that do not."""

import array
import base64
import json
from contextlib import contextmanager

import pytest
from websockets.sync.server import serve

from scripts import realtime_audio
from scripts.client import TogetherError
from scripts.resilience import retry
from tests.conftest import KEY
from tests.support.expected_request import main_of
from tests.support.sound import wav
from tools.local.server_thread import running
from tools.operations import find
from tools.sandbox import Fault

HEAR = main_of(find("audio/connect_realtime_transcription"))
SAY = main_of(find("audio/connect_speech_websocket"))
ITEM = "conversation.item.input_audio_transcription."


def hear(auth, recording, **more):
    if isinstance(recording, bytes):
        recording = base64.b64encode(recording).decode()
    return HEAR(auth, "m", "pcm_s16le_16000", recording, **more)


@contextmanager
def server(*events, close=None):
    """A session that takes everything up to the commit, then sends the events."""
    seen = []

    def talk(socket):
        seen.append(socket.request)
        socket.send(json.dumps({"type": "session.created"}))
        for message in socket:
            seen.append(json.loads(message))
            if seen[-1]["type"].endswith("commit"):
                break
        for event in events:
            socket.send(json.dumps(event))
        if close:
            socket.close(close)
        else:
            for _ in socket:
                pass

    with serve(talk, "127.0.0.1", 0) as listening, running(listening):
        port = listening.socket.getsockname()[1]
        yield {"api_key": KEY, "base_url": f"http://127.0.0.1:{port}"}, seen


def completed(item, text, **more):
    return {"type": f"{ITEM}completed", "item_id": item, "transcript": text, **more}


PROCESSED = {"type": "input_audio_buffer.processed", "processed_ms": 1e9}


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
        (b"ID3....", "compressed"),
        (wav(b"\x00" * 8, width=1), "8 bits"),
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
    with server() as (auth, _):
        assert hear(auth, b"\x00\x00" * 50) == {"text": "", "segments": []}


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
