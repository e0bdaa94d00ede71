"""What services have answered that no schema foresees, to the steps that pay for it."""

import base64
import io
import json
import re
import struct
import wave
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

from scripts.client import TogetherError
from scripts.client.jsonio import finite
from scripts.resilience import retry
from scripts.speech.audio_steps import joined
from tests.conftest import KEY
from tests.support.byte_server import ByteServer, Thing
from tests.support.expected_request import main_of
from tools.models import model
from tools.operations import find

JSON, PNG = "application/json", b"\x89PNG\r\n\x1a\n" + bytes(32)
SPEECH = b"ID3" + bytes(7) + b"\xff\xfb" + bytes(40)
PICTURE = base64.b64encode(PNG).decode()
TWO_PARTS = "A sentence of some length. " * 80
CHAT, UPLOAD = "/v1/chat/completions", "/v1/audio/transcriptions"
NOT_A_NUMBER = float("nan")


@pytest.fixture
def service(monkeypatch):
    """Gives run(script, **arguments), which answers (result, error), and
    answer(path, value, ...), which says what is at a path."""
    monkeypatch.setattr(retry, "backoff", lambda tries, asked: 0.001)
    with ByteServer() as server:
        auth = {"api_key": KEY, "base_url": server.url}

        def answer(path, value, kind=JSON, status=200):
            content = value if isinstance(value, bytes) else json.dumps(value).encode()
            server.things[path] = Thing(content, {"content-type": kind}, status)

        def run(script, **arguments):
            try:
                return main_of(find(script))(auth, **arguments), None
            except TogetherError as error:
                return None, error

        def asked(path):
            return [one for one in server.asked if one["path"] == path]

        things = server.things
        yield SimpleNamespace(
            answer=answer, run=run, asked=asked, things=things, url=server.url
        )


def storable(value):
    """Say whether a value can be a result: JSON without NaN, NUL and half pairs."""
    text = json.dumps(value, allow_nan=False, ensure_ascii=False)
    text.encode()
    return "\\u0000" not in text


# Speech


@pytest.mark.parametrize("script", ["audio/speak_text", "audio/create_speech"])
@pytest.mark.parametrize(
    ("value", "kind", "words"),
    [
        ({"error": {"message": "voice not found"}}, JSON, "voice not found"),
        (b"<title>Login</title>", "text/html", "a web page"),
        (b"", "audio/mpeg", "is empty"),
    ],
)
def test_what_is_no_sound_is_no_speech(script, value, kind, words, service):
    service.answer("/v1/audio/speech", value, kind)
    body = {"model": "m", "voice": "v", "input": "Hi."}
    given = {"body": body}
    if script == "audio/speak_text":
        given = {"model": "m", "voice": "v", "text": "Hi."}
    result, error = service.run(script, **given)

    assert result is None
    assert words in str(error)


@pytest.mark.parametrize("script", ["audio/speak_text", "audio/create_speech"])
@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (b"model not found", "text/plain"),
        (b"<?xml version='1.0'?><Error/>", "application/octet-stream"),
        (b'{"error": "no voice"}', "audio/mpeg"),
        (b'\xef\xbb\xbf{"error": "no voice"}', "application/octet-stream"),
        (b'data: {"b64": "SUQz"}\n\n', "text/event-stream"),
        (b"<!DOCTYPE html>", "audio/wav"),
        (b" \n", "audio/mpeg"),
        (b"upstream connect error or disconnect", "audio/mpeg"),
        (b"Internal Server Error", "application/octet-stream"),
    ],
)
def test_words_are_no_speech_whatever_they_are_said_to_be(script, value, kind, service):
    service.answer("/v1/audio/speech", value, kind)
    given = {"body": {"model": "m", "voice": "v", "input": "Hi."}}
    if script == "audio/speak_text":
        given = {"model": "m", "voice": "v", "text": "Hi."}
    result, error = service.run(script, **given)

    assert result is None
    assert error.type == "invalid_answer"


@pytest.mark.parametrize("script", ["audio/speak_text", "audio/create_speech"])
@pytest.mark.parametrize("streams", [False, True])
def test_sound_that_came_in_json_is_kept(script, streams, service):
    whole = {"audio": base64.b64encode(SPEECH).decode()}
    service.answer("/v1/audio/speech", whole)
    given = {"body": {"model": "m", "voice": "v", "input": "Hi.", "stream": streams}}
    if script == "audio/speak_text":
        given = {"model": "m", "voice": "v", "text": "Hi."}
    _, error = service.run(script, **given)

    assert (error.type, error.partial) == ("invalid_answer", whole)


@pytest.mark.parametrize("text", ["Hi.", TWO_PARTS])
@pytest.mark.parametrize("asked", ["mp3", "wav"])
@pytest.mark.parametrize("came", ["mp3", "wav"])
def test_sound_is_joined_and_named_as_it_came(text, asked, came, service):
    sound = SPEECH if came == "mp3" else riff(bytes(40), 1, 16)
    service.answer("/v1/audio/speech", sound, "audio/mpeg")
    result, _ = service.run(
        "audio/speak_text", model="m", voice="v", text=text, format=asked
    )

    data = base64.b64decode(result["file"])
    parts = result["parts"]
    assert parts == (1 if text == "Hi." else 2)
    assert result["filename"] == f"speech.{came}"
    if came == "wav":
        with wave.open(io.BytesIO(data)) as read:
            assert read.getnframes() == 20 * parts
    else:
        assert data.count(b"\xff\xfb") == parts
        assert data.count(b"ID3") == 1
    note = f"The service sent {came}, not {asked}."
    assert result.get("note") == (None if came == asked else note)


@pytest.mark.parametrize(
    ("kinds", "words", "advice"),
    [
        ((SPEECH, b"RIFF....WAVE" + bytes(40)), "part 2 is no MP3", "wav"),
        ((b"OggS" + bytes(40),) * 2, "they are ogg files", "mp3"),
    ],
)
def test_sound_that_cannot_be_joined_is_kept(kinds, words, advice):
    with pytest.raises(TogetherError, match=words) as caught:
        joined([*kinds], "mp3" if SPEECH in kinds else "ogg")

    assert f"ask for {advice}" in caught.value.advice
    kept = caught.value.partial["parts"]
    assert [base64.b64decode(one["file"]) for one in kept] == [*kinds]
    names = [one["filename"].rpartition(".")[2] for one in kept]
    assert names == (["mp3", "wav"] if SPEECH in kinds else ["ogg", "ogg"])


@pytest.mark.parametrize("kind", ["text/plain", "application/octet-stream", ""])
def test_sound_is_sound_whatever_it_is_said_to_be(kind, service):
    service.answer("/v1/audio/speech", SPEECH, kind)
    result, _ = service.run("audio/speak_text", model="m", voice="v", text="Hi.")

    assert base64.b64decode(result["file"]) == SPEECH


def test_samples_may_begin_like_json(service):
    service.answer("/v1/audio/speech", b"{<" + bytes(40), "audio/pcm")
    result, _ = service.run(
        "audio/speak_text", model="m", voice="v", text="Hi.", format="raw"
    )

    assert base64.b64decode(result["file"])[:2] == b"{<"


def riff(data, tag, bits, extra=b""):
    form = struct.pack("<HHIIHH", tag, 1, 24000, 3000 * bits, bits // 8, bits) + extra
    chunks = b"fmt " + struct.pack("<I", len(form)) + form
    chunks += b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


FLOATS = struct.pack("<8f", *[n / 10 for n in range(8)])
EXTENSIBLE = struct.pack("<HHI", 22, 16, 4) + bytes.fromhex(
    "0100000000001000800000aa00389b71"
)


@pytest.mark.parametrize(
    ("wave", "samples"),
    [
        (riff(FLOATS, 3, 32), FLOATS),
        (riff(FLOATS[:16], 0xFFFE, 16, EXTENSIBLE), FLOATS[:16]),
        (riff(FLOATS[:16], 1, 16), FLOATS[:16]),
    ],
    ids=["floats", "extensible", "whole numbers"],
)
def test_wav_of_any_samples_is_joined(wave, samples, service):
    service.answer("/v1/audio/speech", wave, "audio/wav")
    result, _ = service.run(
        "audio/speak_text", model="m", voice="v", text=TWO_PARTS, format="wav"
    )

    sound = base64.b64decode(result["file"])
    place = sound.index(b"data")
    (size,) = struct.unpack("<I", sound[place + 4 : place + 8])
    assert sound[place + 8 :][:size] == samples * result["parts"]
    assert sound[:20] == wave[:4] + sound[4:8] + wave[8:20]


def test_what_is_no_wav_loses_no_part_that_was_paid_for(service):
    service.answer("/v1/audio/speech", b"\1\2" * 20, "audio/wav")
    result, error = service.run(
        "audio/speak_text", model="m", voice="v", text=TWO_PARTS, format="wav"
    )

    kept = result or error.partial
    assert base64.b64encode(b"\1\2" * 20).decode()[:40] in json.dumps(kept)


# Recordings


def transcript(service, **answer):
    service.answer(UPLOAD, {"text": "Good day.", **answer})
    return service.run(
        "audio/transcribe_recording",
        model="m",
        recording={"file": base64.b64encode(SPEECH).decode(), "filename": "a.mp3"},
    )


@pytest.mark.parametrize(
    "segments",
    [
        [{"start": "0.5", "end": "1.5", "text": "Good day."}],
        [{"start": None, "end": None, "text": "Good day."}],
        [{"start": NOT_A_NUMBER, "end": 1e999, "text": "Good day."}],
        [{"start": -1, "end": [], "text": "Good day."}],
        ["Good day."],
        {"start": 0, "end": 1, "text": "Good day."},
        [None],
        "Good day.",
        [],
    ],
    ids=repr,
)
def test_odd_times_lose_no_word_of_a_recording(segments, service):
    result, _ = transcript(service, segments=segments, duration="2.5")

    assert result["text"] == "Good day."
    assert result["duration"] == 2.5
    assert storable(result)
    timed = any(segment["end"] is not None for segment in result["segments"])
    for name in ("srt", "vtt"):  # of what has no time there are no subtitles
        assert ("Good day." in result[name]) is timed


@pytest.mark.parametrize(
    ("answer", "end"),
    [({}, None), ({"words": [{"word": "day", "start": 1, "end": "2.5"}, 5]}, 2.5)],
)
def test_a_recording_without_times_says_so(answer, end, service):
    result, _ = transcript(service, **answer)

    assert result["segments"] == [{"start": 0.0, "end": end, "text": "Good day."}]
    assert ("Good day." in result["srt"]) is (end is not None)
    assert ("no subtitles" in result.get("note", "")) is (end is None)


PART = {"start": 0, "end": 2, "text": " Good day. "}


@pytest.mark.parametrize(
    "answer",
    [
        {"text": "", "segments": [PART]},
        {"text": None, "segments": [PART]},
        {"text": None, "speaker_segments": [{**PART, "text": None}], "words": [PART]},
        {
            "text": " ",
            "words": [{"word": "Good", "start": 0}, {"word": "day.", "end": 2}],
        },
        {"text": "Good day.", "speaker_segments": [{"start": 0}], "segments": [PART]},
    ],
)
def test_words_are_found_wherever_they_are(answer, service):
    service.answer(UPLOAD, answer)
    result, _ = service.run(
        "audio/transcribe_recording",
        model="m",
        recording={"file": base64.b64encode(SPEECH).decode(), "filename": "a.mp3"},
    )

    assert result["text"] == "Good day."
    assert "note" not in result
    assert result["segments"] == [{"start": 0, "end": 2, "text": "Good day."}]


@pytest.mark.parametrize("kind", ["text/plain; charset=utf-8", JSON, "text/vtt"])
@pytest.mark.parametrize("words", ["Good day.\n", "\nDrei \u00e4pfel, 2026"])
def test_a_recording_may_be_answered_in_plain_text(kind, words, service):
    service.answer(UPLOAD, words.encode(), kind)
    result, _ = service.run(
        "audio/transcribe_recording",
        model="m",
        recording={"file": base64.b64encode(SPEECH).decode(), "filename": "a.mp3"},
    )

    assert result["text"] == words.strip()
    assert [one["text"] for one in result["segments"]] == [words.strip()]
    assert len(service.asked(UPLOAD)) == 1


@pytest.mark.parametrize(
    "data", [b"", b"  ", b"<html>Login</html>", b'{"text": "Good', b"[1, 2"]
)
def test_what_is_no_text_of_a_recording_is_an_error(data, service):
    service.answer(UPLOAD, data, JSON)
    result, error = service.run(
        "audio/transcribe_recording",
        model="m",
        recording={"file": base64.b64encode(SPEECH).decode(), "filename": "a.mp3"},
    )

    assert result is None
    assert error.type == "invalid_answer"


# Pictures and videos


@pytest.mark.parametrize(
    "data",
    [
        [{"index": 0, "b64_json": f"data:image/png;base64,{PICTURE}"}],
        [{"index": 0, "b64_json": PICTURE.rstrip("=")}],
        [{"index": 0, "b64_json": "\n".join(re.findall(".{1,20}", PICTURE))}],
        [PICTURE],
        {"b64_json": PICTURE},
        [{"index": 0, "b64_json": PICTURE}, {"error": {"message": "too violent"}}],
    ],
    ids=["data URI", "no padding", "lines", "texts", "an object", "one of two"],
)
def test_a_picture_in_odd_base64_is_not_lost(data, service):
    service.answer("/v1/images/generations", {"id": "i", "model": "m", "data": data})
    result, error = service.run("images/create_picture", model="m", prompt="p")

    told = json.dumps(result) if result else json.dumps(error.partial)
    assert PICTURE[:40] in told
    if "violent" in str(data):
        assert "too violent" in result["note"]


def test_what_is_no_picture_and_what_did_not_come_is_told(service):
    odd = base64.b64encode(b"hello world").decode()
    service.answer("/v1/images/generations", {"data": [{"b64_json": odd}]})
    result, _ = service.run("images/create_picture", prompt="p", model="m")
    assert "picture-1.bin is no picture of a kind that is known" in result["note"]
    service.answer("/v1/images/generations", {"data": [{"b64_json": PICTURE}]})
    result, _ = service.run("images/create_picture", prompt="p", model="m", n=3)
    assert "1 of 3 pictures came" in result["note"]
    result, _ = service.run("images/create_picture", prompt="p", model="m")
    assert "note" not in result


def test_a_filtered_picture_is_told_with_the_reason(service):
    data = [{"index": 0, "b64_json": None, "error": {"message": "too violent"}}]
    service.answer("/v1/images/generations", {"id": "i", "model": "m", "data": data})
    _, error = service.run("images/create_picture", model="m", prompt="p")

    assert "too violent" in str(error)


def test_a_page_is_no_picture_and_one_that_a_filter_changed_is_told(service):
    page = base64.b64encode(b"<html>Log in</html>").decode()
    service.answer("/v1/images/generations", {"data": [{"b64_json": page}]})
    bare, _ = service.run("images/create_picture", model="m", prompt="p")
    data = [{"b64_json": PICTURE, "finish_reason": "CONTENT_FILTERED"}]
    service.answer("/v1/images/generations", {"data": data})
    result, _ = service.run("images/create_picture", model="m", prompt="p")

    assert "no base64 of a file" in bare["note"]
    assert "html" not in bare
    assert page in json.dumps(bare)
    assert "filter" in result["note"]


@pytest.mark.parametrize(
    ("video", "words"),
    [
        ({"status": "failed", "error": "too violent"}, "too violent"),
        ({"status": "failed", "error": {"code": "content_policy"}}, "content_policy"),
        ({"status": "FAILED", "error": {"message": "too violent"}}, "too violent"),
        ({"status": "canceled"}, "cancel"),
        ({"status": "expired"}, "expired"),
        ({"status": "nsfw", "error": {"message": "too violent"}}, "too violent"),
        ({"status": "Timeout"}, "timeout"),
        ({"status": "completed", "outputs": None}, ""),
        ({"status": "completed", "outputs": [{}]}, ""),
    ],
    ids=str,
)
def test_a_video_that_is_over_is_not_waited_for(video, words, service):
    service.answer("/v2/videos/v1", {"id": "v1", "model": "m", **video})
    result, error = service.run("videos/collect_video", video_id="v1", output="url")

    assert result is None
    assert words in str(error)
    assert error.type != "not_finished"


FILM = b"\0\0\0\x18ftypmp42" + bytes(12)


def video(service, **members):
    service.answer("/v2/videos/v1", {"id": "v1", "model": "m", **members})


@pytest.mark.parametrize("output", ["url", "result"])
def test_every_video_that_was_made_is_told(output, service):
    places = [f"/{name}.mp4" for name in "ab"]
    for place in places:
        service.answer(place, FILM, "video/mp4")
    outputs = [{"video_url": f" {service.url}{places[0]}"}, service.url + places[1]]
    video(service, status=" Completed ", outputs=outputs, seconds="6")
    result, _ = service.run("videos/collect_video", video_id="v1", output=output)

    assert result["status"] == "completed"
    (other,) = result["more"]
    assert [one["url"] for one in (result, other)] == [service.url + p for p in places]
    held = [base64.b64decode(one.get("file", "")) for one in (result, other)]
    assert held == ([FILM] * 2 if output == "result" else [b""] * 2)
    assert "made 2 videos" in result["note"]
    assert result["seconds"] == 6


def test_an_error_beside_a_video_is_told(service):
    outputs = {"video_url": "http://h/a.mp4"}
    video(service, status="completed", outputs=outputs, error={"message": "no sound"})
    result, _ = service.run("videos/collect_video", video_id="v1", output="url")
    video(service, status="completed", outputs={"video_url": " "}, error="kaput")
    none, error = service.run("videos/collect_video", video_id="v1", output="url")

    assert "no sound" in result["note"]
    assert none is None
    assert (error.type, error.detail) == ("job_failed", "kaput")


def test_a_video_that_is_another_one_is_not_taken(service):
    answer = {"id": "v2", "status": "completed", "outputs": {"video_url": "http://h/a"}}
    service.answer("/v2/videos/v1", answer)
    result, error = service.run("videos/collect_video", video_id="v1", output="url")
    service.answer("/v2/videos/v1", {**answer, "id": "video_V1"})
    same, _ = service.run("videos/collect_video", video_id="v1", output="url")

    assert result is None
    assert error.type == "invalid_answer"
    assert "v2" in str(error)
    assert same["url"] == "http://h/a"


@pytest.mark.parametrize("output", ["result", "storage"])
@pytest.mark.parametrize("status", [400, 403, 404, 410])
def test_a_link_that_has_expired_is_told_as_one(status, output, service, workspace):
    words = b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message>"
    service.answer("/a.mp4", words, "application/xml", status)
    video(service, status="completed", outputs={"video_url": f"{service.url}/a.mp4"})
    result, error = service.run("videos/collect_video", video_id="v1", output=output)

    assert result is None
    assert (error.type, error.status) == ("unreachable", status)
    assert "link has expired" in str(error)
    assert "Request has expired" in str(error)
    assert "asks the API for a new address" in error.advice
    assert "key may not" not in str(error)
    assert error.partial["outputs"]["video_url"].endswith("/a.mp4")


# Jobs


def polled(service, kind="batch", job_id="b1", **given):
    return service.run("waits/poll_job", kind=kind, job_id=job_id, **given)


@pytest.mark.parametrize(
    ("kind", "path", "status", "state"),
    [
        ("batch", "/v1/batches/b1", " Completed", "COMPLETED"),
        ("batch", "/v1/batches/b1", "in-progress", None),
        ("fine_tune", "/v1/fine-tunes/b1", "COMPLETED", "completed"),
        ("fine_tune", "/v1/fine-tunes/b1", "Succeeded", "succeeded"),
        ("evaluation", "/v1/evaluation/b1", "Completed\n", "completed"),
        ("video", "/v2/videos/b1", "SUCCEEDED", "succeeded"),
    ],
)
def test_a_job_is_over_in_any_spelling(kind, path, status, state, service, capsys):
    service.answer(path, {"id": "b1", "status": status})
    result, _ = polled(service, kind)

    assert result["done"] is (state is not None)
    assert result["state"] == (state or "IN_PROGRESS")
    assert "not known" not in capsys.readouterr().err


@pytest.mark.parametrize("status", ["canceled", "Cancelled ", "TIMED OUT", "timedOut"])
def test_a_job_has_failed_in_any_spelling(status, service):
    service.answer("/v2/videos/b1", {"id": "b1", "status": status, "error": "kaput"})
    _, error = polled(service, "video")

    assert error.type == "job_failed"
    assert error.state in ("cancelled", "timed_out")
    assert error.detail == "kaput"


def test_a_state_that_nobody_knows_is_told_and_no_end(service, capsys):
    service.answer("/v1/batches/b1", {"id": "b1", "status": "HALF_DONE"})
    result, _ = polled(service)
    told = capsys.readouterr().err
    _, error = polled(service, attempt=1, deadline_seconds=1)

    assert (result["done"], result["state"]) == (False, "HALF_DONE")
    assert told.count("not known") == 1
    assert "HALF_DONE, a state that is not known" in str(error)


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"error": {"code": "E7"}}, "E7"),
        ({"request_counts": {"total": 9, "completed": "7", "failed": 1}}, "of 9"),
        ({"request_counts": {"total": 9, "completed": 9, "failed": 0}}, None),
    ],
)
def test_what_speaks_against_a_good_end_is_told(members, words, service, capsys):
    service.answer("/v1/batches/b1", {"id": "b1", "status": "COMPLETED", **members})
    result, _ = polled(service)

    assert result["done"]
    assert (words or "") in result.get("note", "")
    assert ("note" in result) is (words is not None)
    assert result.get("note", "") in capsys.readouterr().err


@pytest.mark.parametrize("members", [{"progress": "40"}, {"progress": {}}, {}])
def test_a_progress_of_another_kind_ends_no_wait(members, service):
    service.answer("/v1/batches/b1", {"id": "b1", "status": "IN_PROGRESS", **members})
    result, error = polled(service)

    assert error is None
    assert result["progress"] == (0.4 if members.get("progress") == "40" else None)


def test_a_look_that_shows_another_job_shows_nothing(service):
    service.answer("/v1/batches/b1", {"id": "b2", "status": "COMPLETED"})
    result, _ = polled(service)

    assert result["done"] is False
    assert "about b2" in result["trouble"]


@pytest.mark.parametrize(
    ("after", "stopped"),
    [("CANCELLED", True), ("IN_PROGRESS", True), ("Completed", False), (None, True)],
)
def test_a_batch_that_ended_before_it_was_stopped_was_not(after, stopped, service):
    service.answer("/v1/batches/b1", {"id": "b1", "status": "IN_PROGRESS"})
    service.answer("/v1/batches/b1/cancel", {"id": "b1", "status": after})
    result, _ = service.run("waits/cancel_job", kind="batch", job_id="b1")

    assert result["cancelled"] is stopped
    assert result["state"] == ("IN_PROGRESS" if after is None else after.upper())
    assert ("note" in result) is not stopped


@pytest.mark.parametrize("own", [None, "", " ", [], {"id": "v1"}])
def test_what_was_made_without_an_id_may_exist(own, service):
    service.answer("/v2/videos", {"id": own, "status": "queued"})
    given = {"model": "m", "prompt": "A boat"}
    result, error = service.run("videos/submit_video", **given)

    assert result is None
    assert (error.type, error.ambiguous) == ("invalid_answer", True)
    assert "before running the step again" in error.advice
    assert error.partial["status"] == "queued"


@pytest.mark.parametrize("results", [None, {}, [], "kaput"])
def test_an_evaluation_without_results_is_no_report_of_nothing(results, service):
    done = {"workflow_id": "e1", "status": "Completed", "results": results}
    service.answer("/v1/evaluation/e1", done)
    result, error = service.run("evaluations/report_evaluation", evaluation_id="e1")

    assert result is None
    assert error.type == "invalid_answer"
    assert ("kaput" in str(error)) is (results == "kaput")


@pytest.mark.parametrize(
    ("warning", "told"),
    [
        ({"warnings": ["max_tokens is lowered", "x"]}, "max_tokens is lowered; x"),
        ({"warning": {"message": "two\nlines"}}, "two lines"),
        ({"warnings": [{"code": 7}]}, '[{"code": 7}]'),
        ({"warnings": []}, None),
    ],
    ids=str,
)
@pytest.mark.parametrize("streamed", [False, True])
def test_what_a_service_warns_of_is_told(warning, told, streamed, service, capsys):
    choice = {"finish_reason": "stop", "index": 0}
    said = {"content": "Hi", "role": "assistant"}
    answer = {"choices": [{**choice, "message": said, "delta": said}], **warning}
    service.answer(CHAT, answer)
    if streamed:
        data = f"data: {json.dumps(answer)}\n\ndata: [DONE]\n\n".encode()
        service.answer(CHAT, data, "text/event-stream")
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    body["stream"] = streamed
    result, _ = service.run("chat/create_chat_completion", body=body)
    log = capsys.readouterr().err

    assert result["choices"]
    assert (f"the service warns: {told}\n" in log) is (told is not None)
    assert log.count("warns") == (told is not None)


# Vectors, scores


def embedded(service, data):
    service.answer("/v1/embeddings", {"data": data})
    rows = [{"text": "a"}, {"text": "b"}, {"text": "c"}]
    result, error = service.run("embeddings/embed_rows", model="m", rows=rows)
    return [row["embedding"] for row in (result or error.partial)["rows"]]


@pytest.mark.parametrize(
    ("indexes", "found"),
    [
        ((2, 0), [[0.0], None, [2.0]]),
        ((0, 1.0, "2", 3), [[0.0], [1.0], [2.0]]),
        ((0, 0), [None] * 3),
        ((0, None), [None] * 3),
        ((0, -1), [None] * 3),
        ((1, 2, 3), [None] * 3),
        ((), [None] * 3),
    ],
)
def test_vectors_are_the_texts_own_however_many_came(indexes, found, service):
    numbers = (float(n) for n in range(9))
    data = [
        {
            "index": i,
            "embedding": [finite(i) if finite(i) is not None else next(numbers)],
        }
        for i in indexes
    ]

    assert embedded(service, data) == found


@pytest.mark.parametrize("place", ["results", "data"])
@pytest.mark.parametrize("name", ["relevance_score", "score"])
def test_scores_are_found_under_either_name(place, name, service):
    scores = [{"index": "1", name: 7.5}, {"index": 0, name: "-2"}]
    service.answer("/v1/rerank", {place: scores})
    result, _ = service.run(
        "rerank/search_documents", model="m", query="q", documents=["one", "two"]
    )

    assert [(one["document"], one["score"]) for one in result["results"]] == [
        ("two", 7.5),
        ("one", -2.0),
    ]


@pytest.mark.parametrize(
    ("video", "made"),
    [
        ({"status": "done", "outputs": {"video_url": "http://h/a.mp4"}}, True),
        ({"status": "SUCCEEDED", "outputs": [{"video_url": "http://h/a.mp4"}]}, True),
        ({"status": "done"}, False),
        ({"status": None}, False),
        ({"status": "processing", "outputs": {"video_url": "http://h/a.mp4"}}, False),
        ({"status": "queued", "error": "none yet"}, False),
    ],
    ids=str,
)
def test_a_video_is_made_where_there_is_one(video, made, service):
    service.answer("/v2/videos/v1", {"id": "v1", "model": "m", **video})
    result, error = service.run("videos/collect_video", video_id="v1", output="url")

    assert (result is not None) == made
    assert made or error.type == "not_finished"


# Fine-tunes, batches


ASKED = "\n".join(json.dumps({"custom_id": f"{n}-{n}" * 2}) for n in range(2)).encode()


def collected(service, line, status="COMPLETED"):
    """The outcome of two rows, the first of which has this line in the output."""
    good = {"choices": [{"message": {"content": "two"}, "finish_reason": "stop"}]}
    other = {"custom_id": "1-11-1", "response": {"status_code": 200, "body": good}}
    lines = [{"custom_id": "0-00-0", **line}, other]
    output = "\n".join(map(json.dumps, lines)).encode()
    batch = {"status": status, "input_file_id": "fin", "output_file_id": "fout"}
    service.answer("/v1/batches/b1", {"id": "b1", "model_id": "m", **batch})
    service.answer("/v1/files/fin/content", ASKED)
    service.answer("/v1/files/fout/content", output)
    result, error = service.run("batches/collect_rows", batch_id="b1")
    assert error is None
    return [(row["answer"], row["answer_error"]) for row in result["rows"]]


@pytest.mark.parametrize(
    "body",
    [
        {"detail": "kaput"},
        {"message": "kaput"},
        {"success": False, "msg": "kaput"},
        {"errors": ["kaput"]},
        {"choices": [{"message": {"content": "x"}, "finish_reason": "kaput_error"}]},
    ],
    ids=str,
)
def test_a_line_of_status_200_may_be_an_error(body, service):
    line = {"response": {"status_code": 200, "body": body}}
    (answer, why), other = collected(service, line)

    assert answer is None
    assert "kaput" in why
    assert other == ("two", None)


@pytest.mark.parametrize("status", ["Succeeded", "canceled", "ERROR"])
def test_a_batch_is_over_in_any_spelling(status, service):
    line = {"response": {"status_code": 500, "body": "kaput"}}

    assert collected(service, line, status)[1] == ("two", None)


@pytest.mark.parametrize("odd", [NOT_A_NUMBER, 1e999, "NaN", "many", [], True])
def test_a_loss_that_is_none_is_left_out_of_the_chart(odd, service):
    rows = [
        {"train/global_step": 1, "train/loss": 1.5},
        {"train/global_step": "2", "train/loss": odd},
        {"train/global_step": 3, "train/loss": "1.25"},
        {"train/global_step": odd, "train/loss": 1.0},
        None,
    ]
    tune = {"id": "ft-1", "status": "error", "model": "m", "total_steps": "4"}
    service.answer("/v1/fine-tunes/ft-1", {**tune, "n_epochs": odd})
    service.answer("/v1/fine-tunes/ft-1/events", {"data": []})
    service.answer("/v1/fine-tunes/ft-1/metrics", {"metrics": rows})
    result, error = service.run("fine_tuning/report_fine_tune", fine_tune_id="ft-1")

    assert error is None
    assert storable(result)
    known = [row for row in result["metrics"] if row["train_loss"] is not None]
    assert [(row["step"], row["train_loss"]) for row in known][:1] == [(1, 1.5)]
    assert (3, 1.25) in [(row["step"], row["train_loss"]) for row in known]
    (line,) = ElementTree.fromstring(result["svg"]).findall(".//{*}polyline")
    assert len(line.get("points").split()) == len(known)
    assert "are no numbers" in result["note"]


SUBMIT = main_of(find("batches/submit_rows"))
ROWS = [{"q": "a"}, {"q": "b"}]
BATCH = {"id": "b1", "status": "VALIDATING", "input_file_id": "file-1"}


def submit(sandbox, auth, answer):
    """Submit rows to a service whose batches are created with such an answer."""
    sandbox.answers["create_batch"] = lambda _: answer
    try:
        return SUBMIT(auth, model("chat"), "{{q}}", ROWS), None
    except TogetherError as error:
        return None, error


@pytest.mark.parametrize("wrap", [lambda job: {"job": job}, lambda job: job])
def test_a_batch_may_be_answered_bare(wrap, sandbox, auth):
    result, error = submit(sandbox, auth, wrap(BATCH))

    assert error is None
    assert result["batch_id"] == "b1"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"job": None, "warning": "enqueued token limit"}, "enqueued token limit"),
        ({"job": None}, ""),
        ({}, ""),
        ([], ""),
    ],
)
def test_a_batch_without_an_id_may_exist(answer, words, sandbox, auth):
    result, error = submit(sandbox, auth, answer)

    assert result is None
    assert words in str(error)
    assert error.ambiguous is True


# Small habits


def test_a_proxy_that_wants_a_login_is_named(service):
    service.answer(CHAT, b"<title>Sign in</title>", "text/html", 407)
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    _, error = service.run("chat/create_chat_completion", body=body)

    assert "proxy" in error.advice.lower()


def test_what_is_called_compressed_and_is_not_is_paid_for_once(service):
    service.answer(CHAT, {"choices": []})
    service.things[CHAT].headers["content-encoding"] = "gzip"
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    _, error = service.run("chat/create_chat_completion", body=body)

    assert isinstance(error, TogetherError)
    assert len(service.asked(CHAT)) == 1


@pytest.mark.parametrize(
    "text",
    [
        b'{"choices": [], "x": ' + b"[" * 900 + b'"\\u0000"' + b"]" * 900 + b"}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
)
def test_an_answer_of_any_depth_is_an_error_of_ours(text, service):
    service.answer(CHAT, text)
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    result, error = service.run("chat/create_chat_completion", body=body)

    assert result is None
    assert isinstance(error, TogetherError)
