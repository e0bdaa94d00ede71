"""A gateway that debugs may tell what it was sent: the API key is in nothing that comes
of it, in whatever way the answer spells it."""

import json

import pytest
from websockets.sync.server import serve

from scripts.chat.map_rows import main as map_rows
from scripts.client import TogetherError
from scripts.client import request as client_request
from scripts.client.request import Request
from scripts.client.resource import without_key
from scripts.operations import operation
from scripts.replies.live_text import LiveText
from scripts.resilience import retry
from tests.support.expected_request import main_of
from tests.support.sound import wav
from tests.test_client import answer, server
from tools.local.server_thread import running
from tools.operations import find

KEY = "tgp_v1_Ab/Cd0123456789"
CHAT = main_of(find("chat/create_chat_completion"))
GET = main_of(find("files/get_file"))
DOWNLOAD = main_of(find("files/download_file"))
SPEAK = main_of(find("audio/create_speech"))
PLACE = main_of(find("files/request_file_upload"))
HEAR = main_of(find("audio/connect_realtime_transcription"))
BODY = {"model": "m", "messages": [{"role": "user", "content": "Say it."}]}
STREAMED = {**BODY, "stream": True}
SPELLINGS = {
    "plain": KEY,
    "slash": KEY.replace("/", "\\/"),
    "one escape": KEY.replace("_", "\\u005f", 1),
    "escapes": "".join(f"\\u{ord(letter):04X}" for letter in KEY),
}
spelled = pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(retry, "backoff", lambda tries, asked: 0.001)


def auth_for(url):
    return {"api_key": KEY, "base_url": url}


def echoed(message, spelling, finish="stop"):
    """The bytes of a chat answer in which KEY is spelled so; a text that is JSON itself
    spells it so, too."""
    choice = {"index": 0, "message": message, "finish_reason": finish}
    whole = {"choices": [choice], "usage": {}, f"x {KEY}": [{"said": [KEY]}]}
    text = json.dumps(whole).replace(KEY, spelling)
    return text.replace("NESTED", spelling.replace("\\", "\\\\")).encode()


SAID = {"role": "assistant", "content": f"You sent Bearer {KEY}."}
ARGUMENTS = {"name": "look", "arguments": '{"key": "NESTED"}'}
CALLING = {"content": None, "tool_calls": [{"id": "c", "function": ARGUMENTS}]}


def letters(value):
    """All that a result says; what is JSON, told as text, as whoever reads it does."""
    text = json.dumps(value)
    arguments = [
        json.dumps(json.loads(call["function"]["arguments"]))
        for choice in value.get("choices", ())
        for call in choice.get("message", {}).get("tool_calls", ())
    ]
    return text + "".join(arguments)


def everything(error, capsys):
    """All that an error says, and the log."""
    return str(error) + json.dumps(vars(error)) + "".join(capsys.readouterr())


@spelled
def test_the_key_is_in_no_answer(spelling):
    for message in (SAID, CALLING):
        with server(answer(echoed(message, spelling))) as (url, _):
            found = CHAT(auth_for(url), BODY)

        assert KEY not in letters(found)
        assert found["x ***"] == [{"said": ["***"]}]

    assert json.loads(
        found["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"]
    ) == {"key": "***"}


@pytest.mark.parametrize("coding", ["utf-16", "utf-16-be", "utf-32-le"])
def test_the_key_is_in_no_answer_of_wide_characters(coding):
    body = echoed(SAID, KEY).decode().encode(coding)
    with server(answer(body)) as (url, _):
        found = CHAT(auth_for(url), BODY)

    assert found["choices"][0]["message"]["content"] == "You sent Bearer ***."


@spelled
def test_the_key_is_in_no_row(spelling, capsys):
    with server(answer(echoed(SAID, spelling))) as (url, _):
        found = map_rows(auth_for(url), "{{a}}", [{"a": 1}], "m")

    assert found["rows"][0]["answer"] == "You sent Bearer ***."
    assert KEY not in json.dumps(found) + "".join(capsys.readouterr())


@spelled
@pytest.mark.parametrize("status", ["400 Bad", "200 OK"])
def test_the_key_is_in_no_reason_of_a_row_without_an_answer(status, spelling, capsys):
    body = echoed(SAID, spelling, "error")
    if status != "200 OK":
        body = f'{{"error": {{"message": "bad key {spelling}", "type": "x"}}}}'.encode()
    with server(answer(body, status)) as (url, _):
        with pytest.raises(TogetherError) as caught:
            map_rows(auth_for(url), "{{a}}", [{"a": 1}], "m")

    assert KEY not in everything(caught.value, capsys)
    if status != "200 OK":
        assert "bad key ***" in json.dumps(caught.value.partial)


@spelled
def test_the_key_is_in_no_error(spelling, capsys):
    body = f'{{"error": {{"message": "bad key {spelling}", "{spelling}": 1}}}}'.encode()
    page = f"<html><title>bad key {spelling}</title>".encode()
    for told in (body, body[:-2], page, body.decode()[:-2].encode("utf-16")):
        with server(answer(told, "400 Bad")) as (url, _):
            with pytest.raises(TogetherError, match=r"bad key \*\*\*") as caught:
                CHAT(auth_for(url), BODY)

        assert KEY not in everything(caught.value, capsys)


def framed(*pieces, done=True):
    """The bytes of a stream of such pieces of content."""
    choices = [{"index": 0, "delta": {"content": piece}} for piece in pieces]
    if done:
        choices.append({"index": 0, "delta": {}, "finish_reason": "stop"})
    events = [f"data: {json.dumps({'choices': [one]})}\n\n" for one in choices]
    text = "".join(events) + ("data: [DONE]\n\n" if done else "")
    return answer(text.encode(), headers="content-type: text/event-stream\r\n")


def cut(text, size):
    return [text[start : start + size] for start in range(0, len(text), size)]


def shown(capsys):
    lines = capsys.readouterr().out.splitlines()
    return "".join(line.removeprefix("WM_STREAM: ") for line in lines)


@spelled
def test_the_key_is_in_no_stream(spelling, capsys):
    stream = framed("I say KEY!").replace(b"KEY", spelling.encode())
    stream = stream.replace(b"content-length", b"x-length")
    with server(stream) as (url, _):
        found = CHAT(auth_for(url), STREAMED)

    assert found["choices"][0]["message"]["content"] == "I say ***!"
    assert shown(capsys) == "I say ***!"


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 21])
def test_the_key_is_in_no_stream_that_brings_it_in_pieces(size, capsys):
    text = f"To tgp_v1 I said {KEY}, {KEY}{KEY} and tgp_"
    with server(framed(*cut(text, size))) as (url, _):
        found = CHAT(auth_for(url), STREAMED)

    clean = "To tgp_v1 I said ***, ****** and tgp_"
    assert found["choices"][0]["message"]["content"] == clean
    assert shown(capsys) == clean


def test_arguments_in_pieces_are_without_the_key():
    text = json.dumps({"key": KEY}).replace("/", "\\/").replace("_", "\\u005f")
    calls = [[{"index": 0, "function": {"arguments": one}}] for one in cut(text, 4)]
    calls[0][0] |= {"id": "c", "type": "function"}
    calls[0][0]["function"]["name"] = "look"
    choices = [{"index": 0, "delta": {"tool_calls": one}} for one in calls]
    choices.append({"index": 0, "delta": {}, "finish_reason": "tool_calls"})
    events = [f"data: {json.dumps({'choices': [one]})}\n\n" for one in choices]
    body = "".join([*events, "data: [DONE]\n\n"]).encode()
    headers = "content-type: text/event-stream\r\n"
    with server(answer(body, headers=headers)) as (url, _):
        found = CHAT(auth_for(url), STREAMED)

    (call,) = found["choices"][0]["message"]["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == {"key": "***"}


def test_what_had_arrived_of_a_stream_that_broke_is_without_the_key(capsys):
    with server(framed(*cut(f"I say {KEY}.", 4), done=False)) as (url, _):
        with pytest.raises(TogetherError) as caught:
            CHAT(auth_for(url), STREAMED)

    assert "I say ***." in json.dumps(caught.value.partial)
    assert KEY not in everything(caught.value, capsys)


def test_the_key_is_not_shown_wherever_it_is_cut(capsys):
    text = f"not {KEY}, not"
    for place in range(len(text)):
        show = LiveText(KEY)
        show.add(text[:place])
        show.add(text[place:])
        show.end()
        assert shown(capsys) == "not ***, not"


def test_text_that_ends_as_the_key_begins_waits_for_what_comes(capsys):
    show = LiveText(KEY)
    show.add("It")
    show.add(" is so")
    show.add(" tgp_")
    lines = ["I", "t is so", " "]
    assert capsys.readouterr().out.splitlines() == [f"WM_STREAM: {x}" for x in lines]
    show.end()
    assert capsys.readouterr().out == "WM_STREAM: tgp_\n"


def test_a_key_of_a_few_letters_holds_no_text_back(capsys):
    show = LiveText("tgp")
    show.add("tg")
    assert capsys.readouterr().out == "WM_STREAM: tg\n"


@spelled
def test_the_key_is_in_no_transcript(spelling, brief_silence, capsys):
    kind = "conversation.item.input_audio_transcription."
    said = f'"transcript": "I hear {spelling}", "item_id": "{spelling}"'
    failed = f'"event_type": "completed", "error": {{"message": "no {spelling}"}}'
    processed = '"processed_ms": 1e9'
    events = (
        f'{{"type": "{kind}completed", {said}}}',
        f'{{"type": "{kind}failed", {failed}}}',
        f'{{"type": "input_audio_buffer.processed", {processed}}}',
    )

    def talk(socket):
        socket.send('{"type": "session.created"}')
        for message in socket:
            if json.loads(message)["type"].endswith("commit"):
                break
        for event in events:
            socket.send(event)
        for _ in socket:
            pass

    with serve(talk, "127.0.0.1", 0) as listening, running(listening):
        port = listening.socket.getsockname()[1]
        auth = auth_for(f"http://127.0.0.1:{port}")
        found = HEAR(auth, "m", "pcm_s16le_16000", "AAAA" * 20)

    assert found["text"] == "I hear ***"
    assert found["segments"][1]["error"] == {"message": "no ***"}
    assert KEY not in json.dumps(found) + shown(capsys)


def test_what_is_kept_of_an_answer_that_is_no_json_does_not_end_within_the_key():
    words = "x" * (client_request.MOST_KEPT_BYTES - 10)
    with server(answer(f"{words}{KEY} and so on and on".encode())) as (url, _):
        with pytest.raises(TogetherError) as caught:
            CHAT(auth_for(url), BODY)

    assert caught.value.partial == f"{words}*** and so"


def test_the_key_is_in_no_name_of_a_file():
    key = KEY.replace("/", "-")
    name = f"content-disposition: x; filename*=UTF-8''%74{key[1:]}.wav\r\n"
    headers = f"{name}content-type: audio/wav\r\n"
    with server(answer(wav(bytes(100)), headers=headers)) as (url, _):
        auth = {"api_key": key, "base_url": url}
        body = {"model": "m", "input": "Hi.", "voice": "v"}
        names = [DOWNLOAD(auth, "f")["filename"], SPEAK(auth, body)["filename"]]

    assert names == ["___.wav"] * 2  # a name has no *


def test_the_key_is_in_no_place_to_which_a_file_shall_go():
    place = f"location: https://x.example/{KEY}\r\nx-together-file-id: {KEY}\r\n"
    with server(answer(b"", "302 Found", place)) as (url, _):
        found = PLACE(
            auth_for(url),
            {"file_name": "a", "file_type": "jsonl", "purpose": "fine-tune"},
        )

    assert found == {"location": "https://x.example/***", "file_id": "***"}


def test_the_key_is_in_no_reason_phrase_of_a_download():
    with server(answer(b"x", f"201 {KEY}")) as (url, _):
        with pytest.raises(TogetherError, match=r"answers 201 \*\*\*") as caught:
            DOWNLOAD(auth_for(url), "f")

    assert KEY not in json.dumps(vars(caught.value))


@pytest.mark.parametrize("data", [b'{"x": "a\\n\\"b\\" \\u4f60"}', b"[0.5, 1]"])
def test_the_values_of_an_answer_without_the_key_are_not_walked(data):
    values = json.loads(data)
    asked = Request(auth_for("http://x"), operation("files/get_file"), {"file_id": "f"})

    assert asked.without_key(values, data) is values


@pytest.mark.parametrize("key", [KEY, 'a"b\\\\c/d\\e', "\\" * 9])
def test_a_key_of_any_signs_is_masked(key):
    told = json.dumps(key)
    asked = Request(
        {"api_key": key, "base_url": "http://x"},
        operation("files/get_file"),
        {"file_id": "f"},
    )

    assert asked.without_key(json.loads(told), told.encode()) == "***"
    escapes = "".join(f"\\u{ord(sign):04x}" for sign in key)
    assert without_key(key, f'"{escapes}"') == '"***"'
    twice = json.dumps(f'"{escapes}"')
    assert without_key(key, twice) == '"\\"***\\""'
    assert without_key(key, "a\\/b \\u0041") == "a\\/b \\u0041"
