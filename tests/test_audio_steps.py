# ruff: noqa: RUF001, the signs of other languages are what is tested
"""Recordings become text and subtitles, texts become sound."""

import base64
import io
import re
import wave
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.client import TogetherError
from scripts.speech.audio_steps import joined, sentences
from scripts.speech.subtitle_files import subtitles
from tests.support.expected_request import main_of
from tools.models import model
from tools.operations import find
from tools.sandbox import Fault, tone

TRANSCRIBE = main_of(find("audio/transcribe_recording"))
SPEAK = main_of(find("audio/speak_text"))
WHISPER, KOKORO = model("transcription"), model("speech")
LONG = " ".join(f"This is sentence number {n} of a long text." for n in range(120))


def test_a_recording_becomes_text_and_subtitles(sandbox, auth):
    recording = base64.b64encode(tone()).decode()

    found = TRANSCRIBE(auth, {"file": recording, "filename": "m.wav"}, WHISPER)

    assert found["text"] == "Good morning. Shall we start?"
    assert found["srt"] == (
        "1\n00:00:00,000 --> 00:00:01,600\nGood morning.\n\n"
        "2\n00:00:01,900 --> 00:00:04,200\nShall we start?\n"
    )
    assert found["vtt"].startswith("WEBVTT\n\n00:00:00.000 --> 00:00:01.600\n")
    assert found["duration"] == 4.2
    (request,) = [r for r in sandbox.requests if r.method == "POST"]
    assert tone() in request.body
    assert b'filename="m.wav"' in request.body


def test_an_address_is_left_to_the_service(sandbox, auth):
    TRANSCRIBE(auth, "https://example.com/a.mp3", WHISPER, language="de")

    (request,) = [r for r in sandbox.requests if r.method == "POST"]
    assert b"https://example.com/a.mp3" in request.body
    assert b'name="language"\r\n\r\nde' in request.body


@pytest.mark.parametrize(
    ("recording", "words"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(60), "image/png and no recording"),
        (b"<html><p>Log in", "text/html"),
        (b'{"error": "none"}', "JSON"),
        (b"PK\3\4" + bytes(60), "archive"),
        (
            "# Zoë's notes: who said what, and when, in so many words. ".encode() * 2,
            "text",
        ),
        ([{"a": 1}], "JSON"),
    ],
)
@pytest.mark.parametrize("place", ["given", "stored"])
def test_what_is_no_recording_is_not_sent(
    recording, words, place, sandbox, workspace, auth
):
    if isinstance(recording, bytes) and place == "stored":
        workspace.put("a.mp3", recording)
        recording = {"s3": "a.mp3"}
    elif isinstance(recording, bytes):
        file = base64.b64encode(recording).decode()
        recording = {"file": file, "filename": "a.mp3"}
    with pytest.raises(TogetherError, match=words) as caught:
        TRANSCRIBE(auth, recording)

    assert caught.value.problems[0]["field"] == "recording"
    assert not [r for r in sandbox.requests if r.method == "POST"]


def test_a_stored_recording_is_asked_for_once_and_sent_whole(sandbox, workspace, auth):
    workspace.put("a.wav", tone())

    TRANSCRIBE(auth, {"s3": "a.wav"})

    (request,) = [r for r in sandbox.requests if r.method == "POST"]
    assert tone() in request.body
    assert len([r for r in workspace.requests if "download" in r.path]) == 1


def test_speakers_are_told_apart(sandbox, auth):
    part = {"speaker_id": "SPEAKER_1", "start": 0, "end": 1, "text": " Hi ", "id": 0}
    sandbox.answers["create_transcription"] = lambda _: {
        "text": "Hi",
        "speaker_segments": [{**part, "words": []}],
    }

    found = TRANSCRIBE(auth, "https://example.com/a.mp3", WHISPER, speakers=True)

    segment = {"start": 0, "end": 1, "text": "Hi", "speaker": "SPEAKER_1"}
    assert found["segments"] == [segment]
    assert "SPEAKER_1: Hi" in found["srt"]
    assert found["cost_usd"] is None
    assert found["cost_note"]


SEGMENTS = st.lists(
    st.builds(
        lambda start, length, text: {
            "start": start,
            "end": start + length,
            "text": text,
        },
        st.floats(0, 90_000),
        st.floats(0.1, 600),
        st.text(max_size=300).map(lambda text: " ".join(text.split())),
    ),
    max_size=5,
)


@pytest.mark.parametrize(
    ("said", "vtt"),
    [
        ("a --> b", "a --&gt; b"),
        ("a--->b <-- c", "a---&gt;b &lt;-- c"),
        ("&gt; -> >", "&amp;gt; -> >"),
    ],
)
def test_no_word_of_a_cue_begins_times(said, vtt):
    segment = {"start": 0, "end": 1, "text": said, "speaker": "A -->\n\nB"}

    _, _, times, line = subtitles([segment], "vtt").splitlines()

    assert (times, line) == ("00:00:00.000 --> 00:00:01.000", f"A --&gt; B: {vtt}")
    assert subtitles([segment], "srt").splitlines()[2:] == [f"A --> B: {said}"]


@given(SEGMENTS, st.sampled_from(["srt", "vtt"]))
def test_subtitles_lose_no_word_and_stay_in_time(segments, kind):
    text = subtitles(segments, kind)

    spoken = "".join("".join(s["text"].split()) for s in segments)
    times = re.findall(r"^([\d:.,]+) --> ([\d:.,]+)$", text, re.MULTILINE)
    lines = [
        line
        for line in text.split("\n")
        if " --> " not in line and not (kind == "srt" and line.isdigit())
    ]
    if kind == "vtt":
        lines = [unescape(line) for line in lines]
    written = "".join("".join(line.split()) for line in lines).removeprefix("WEBVTT")
    if not any(line.isdigit() for line in spoken.split()) and kind == "vtt":
        assert written == spoken
    assert all(start <= end for start, end in times)
    assert bool(times) == any(segment["text"] for segment in segments)


def test_a_long_text_is_spoken_in_parts_and_joined(sandbox, auth):
    found = SPEAK(auth, LONG, KOKORO, format="wav")

    with wave.open(io.BytesIO(base64.b64decode(found["file"]))) as whole:
        frames = whole.getnframes()
    with wave.open(io.BytesIO(tone())) as one:
        assert frames == one.getnframes() * found["parts"]
    spoken = [r.json for r in sandbox.requests if r.path == "/v1/audio/speech"]
    assert found["parts"] == len(spoken) > 1
    assert all(len(body["input"]) <= 1500 for body in spoken)
    assert found["voice"] == "af_alloy"
    assert "audio controls" in found["html"]


def test_a_text_that_costs_more_than_its_budget_is_not_spoken(sandbox, priced):
    def refused(auth, budget):
        with pytest.raises(TogetherError, match=r"Budget in USD \(budget_usd\) ") as e:
            SPEAK(auth, LONG, KOKORO, budget_usd=budget)
        assert not [r for r in sandbox.requests if r.method == "POST"]
        return e.value

    assert refused(priced(KOKORO), 1e9).type == "budget_unknown"
    auth = priced(KOKORO, perMillionCharacters=4)
    error = refused(auth, 0.0001)
    assert error.type == "budget_reached"
    exact = error.estimated_cost_usd
    found = SPEAK(auth, LONG, KOKORO, budget_usd=exact)
    assert found["cost_usd"] == exact == pytest.approx(4e-6 * found["characters"])


def test_without_storage_for_it_a_text_is_not_spoken(sandbox, auth, workspace):
    workspace.helpers = False
    with pytest.raises(TogetherError, match=r"Nothing was sent: Output \(output\)"):
        SPEAK(auth, LONG, KOKORO, output="storage")

    assert not [r for r in sandbox.requests if r.method == "POST"]


def test_a_text_without_a_word_is_not_spoken(sandbox, auth):
    with pytest.raises(TogetherError, match="text holds no word") as caught:
        SPEAK(auth, "\n \n", "m", voice="x", budget_usd=1)

    assert caught.value.problems[0]["field"] == "text"
    assert not sandbox.requests


def test_the_sound_can_be_stored(sandbox, auth, workspace):
    found = SPEAK(auth, "Hi.", KOKORO, voice="af_heart", output="storage")

    assert found["filename"] == "speech.mp3"  # as the sandbox speaks
    assert ("", found["s3"]) in workspace.objects
    assert not [r for r in sandbox.requests if r.path == "/v1/voices"]


@pytest.mark.parametrize(
    ("voices", "first"),
    [
        (["alloy"], "alloy"),
        ([None, {}, {"id": None, "name": "Ada"}], "Ada"),
        ([{"id": "af_x", "name": "Ada"}], "af_x"),
    ],
)
def test_the_first_voice_is_found_in_every_shape(voices, first, sandbox, auth):
    sandbox.answers["list_voices"] = lambda _: {
        "data": [{"model": KOKORO, "voices": voices}]
    }
    assert SPEAK(auth, "Hello.", model=KOKORO)["voice"] == first


@pytest.mark.parametrize("voices", [{"a": 1}, [{}], [5], "alloy"])
def test_voices_without_a_name_ask_for_one(voices, sandbox, auth):
    sandbox.answers["list_voices"] = lambda _: {
        "data": [{"model": KOKORO, "voices": voices}]
    }
    with pytest.raises(TogetherError, match="voice is required"):
        SPEAK(auth, "Hello.", model=KOKORO)


def test_a_model_without_voices_asks_for_one(sandbox, auth):
    with pytest.raises(TogetherError, match="voice") as caught:
        SPEAK(auth, "Hi.", "acme/speaks")

    assert [problem["field"] for problem in caught.value.problems] == ["voice"]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("你好。世界很大！是吗？是。", ["你好。", "世界很大！", "是吗？是。"]),
        ("他说：「好。」然后走了。", ["他说：「好。」", "然后走了。"]),
        ("一二三四，五六七八，九", ["一二三四，", "五六七八，九"]),
        ("好。One two. Six.", ["好。One", "two.", "Six."]),
        ("A. B. C. D.", ["A. B.", "C. D."]),
    ],
)
def test_a_text_is_cut_behind_the_stops_of_its_language(text, pieces):
    assert sentences(text, 7 if text[0] in "他一" else 5) == pieces


def test_a_recording_without_a_byte_is_not_sent(sandbox, auth):
    create = main_of(find("audio/create_transcription"))

    with pytest.raises(TogetherError, match="0 bytes"):
        create(auth, {"model": "m", "file": {"file": "", "filename": "a.mp3"}})
    assert not sandbox.requests


@given(st.text(max_size=400), st.integers(5, 60))
def test_a_text_is_cut_without_losing_a_word(text, most):
    pieces = sentences(text, most)

    assert "".join("".join(p.split()) for p in pieces) == "".join(text.split())
    assert all(0 < len(piece) <= most for piece in pieces)


def test_sound_files_are_joined_by_their_kind():
    tagged = b"ID3\x04\x00\x00\x00\x00\x00\x03abc\xff\xfbframes"

    assert joined([tagged, tagged], "mp3") == tagged + b"\xff\xfbframes"
    assert joined([b"ab", b"cd"], "raw") == b"abcd"
    with pytest.raises(TogetherError, match="part 2"):
        joined([tone(rate=24000), tone(rate=16000)], "wav")


def test_a_long_text_ends_by_itself_with_what_was_spoken(sandbox, auth):
    """Four parts at a time; the first ones are answered when the time is over."""
    sandbox.faults.append(
        Fault("/v1/audio/speech", 429, times=4, headers={"retry-after": "1.2"})
    )
    with pytest.raises(TogetherError, match="stop_after_seconds") as caught:
        SPEAK(auth, LONG * 4, KOKORO, format="wav", stop_after_seconds=1)

    error = caught.value
    assert (error.type, error.part) == ("deadline", 5)
    assert [part["filename"] for part in error.partial["parts"]] == [
        f"speech-{number}.wav" for number in range(1, 5)
    ]


def test_a_recording_that_cannot_be_read_is_told_by_the_name_that_the_step_has(
    auth, workspace
):
    with pytest.raises(TogetherError, match=r"^recording cannot be read") as caught:
        main_of(find("audio/transcribe_recording"))(
            auth, recording={"s3": "gone.mp3"}, model=model("transcription")
        )

    assert caught.value.problems[0]["field"] == "recording"
