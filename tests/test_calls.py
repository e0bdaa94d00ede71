"""The verbs: what each makes of an exchange, and what leaves a step."""

import base64
import copy
import json

import pytest

from scripts.catalog import catalog
from scripts.client import calls
from scripts.client.calls import request_for, run, stream
from scripts.client.errors import TogetherError
from scripts.client.request import Request, last_answer, parse_answer
from scripts.transfer import media_output
from scripts.workspace import storage
from tests.support.expected_request import descriptor, main_of
from tests.support.sound import wav
from tests.test_client import BODY, CHAT, answer, auth_for, server
from tests.test_request import AUTH, reply, table
from tools.operations import find

PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
SECRET = "$" + "var:u/me/key"  # none for Windmill to resolve in this file
NOTE = (
    "A space was put behind the $ in {} texts, which Windmill would have taken for "
    "variables or resources in the next step."
)


@pytest.mark.parametrize(
    ("result", "left", "count"),
    [
        ({"a": SECRET}, {"a": "$ var:u/me/key"}, 1),
        (
            {"a": [SECRET, SECRET], "note": "Two."},
            {"a": ["$ var:u/me/key"] * 2, "note": f"Two. {NOTE.format(2)}"},
            2,
        ),
        ({"a": SECRET, "note": 5}, {"a": "$ var:u/me/key", "note": 5}, 1),
        ([SECRET], ["$ var:u/me/key"], 1),
        ({"a": "b", "note": "c"}, {"a": "b", "note": "c"}, 0),
    ],
)
def test_what_windmill_would_resolve_is_told_where_it_is_changed(
    result, left, count, capsys
):
    given = copy.deepcopy(result)  # run changes it in place
    assert run(lambda auth, table: given, AUTH, table()) == left
    told = f"together: {NOTE.format(count)}\n" if count else ""
    assert capsys.readouterr().err == told


def odd_answer(auth, step, broken):
    if broken != "unheard":
        request = Request(auth, step, {"id": "a"})
        parse_answer(request, reply(b'{"name": "x"}'))
    raise KeyError("choices")


def test_an_answer_that_a_step_cannot_read_is_kept_in_the_error():
    with pytest.raises(TogetherError) as caught:
        run(odd_answer, AUTH, table(), broken="heard")

    assert isinstance(caught.value.__cause__, KeyError)
    assert "(KeyError in odd_answer; GET /v1/things/a)" in str(caught.value)
    assert caught.value.partial == {"name": "x"}


def test_a_fault_of_the_pack_stays_what_it_is():
    last_answer[:] = [("an earlier", "answer")]
    with pytest.raises(KeyError, match="choices"):
        run(odd_answer, AUTH, table(), broken="unheard")
    assert last_answer == []


def test_a_fault_of_the_pack_is_none_of_a_list_of_prices_read_beside_it(sandbox, auth):
    def choose(auth, step):
        read = catalog.listing(auth, None)
        read.join()
        assert read.complete
        raise KeyError("choices")

    with pytest.raises(KeyError, match="choices"):
        run(choose, auth, table())
    assert last_answer == []
    assert sandbox.requests


STREAMED = {**BODY, "stream": True}
EVENT = {"id": "1", "choices": [{"index": 0, "delta": {"content": "Hi"}}]}
ENDED = {"id": "1", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
EVENTS = [f"data: {json.dumps(EVENT)}\n\n", f"data: {json.dumps(ENDED)}\n\n"]
WHOLE = {"id": "1", "choices": [{"index": 0, "message": {"content": "Hi"}}]}


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/event-stream", "".join(EVENTS) + "data: [DONE]\n\n"),
        ("text/event-stream; note=json", "".join(EVENTS) + "data: [DONE]\n\n"),
        (None, "".join(EVENTS) + "data: [DONE]\n\n"),
        ("application/json", "".join(EVENTS) + "data: [DONE]"),
        ("application/json", f"event: message\n{''.join(EVENTS)}data: [DONE]\n\n"),
        ("application/json", f"\n: hello\n\n{''.join(EVENTS)}data: [DONE]\n\n"),
        ("text/html", "".join(EVENTS) + "data: [DONE]\n\n"),
        ("application/json", json.dumps(WHOLE)),
        ("text/html", json.dumps(WHOLE)),
    ],
)
def test_a_stream_is_known_by_its_kind_or_its_beginning(kind, body):
    head = f"content-type: {kind}\r\n" if kind else ""
    with server(answer(body.encode(), headers=head)) as (url, requests):
        found = CHAT(auth_for(url), STREAMED)

    assert found["choices"][0]["message"]["content"] == "Hi"
    assert b"\r\nAccept-Encoding: identity\r\n" in requests[0]


def test_events_under_the_name_of_json_are_not_read_twice():
    """The whole of them was read to see what they are."""
    cut = "".join(EVENTS)[:-30]
    head = "content-type: application/json\r\n"
    with server(answer(cut.encode(), headers=head)) as (url, _):
        with pytest.raises(TogetherError) as caught:
            CHAT(auth_for(url), STREAMED)

    assert caught.value.partial["choices"][0]["message"]["content"] == "Hi"


def test_a_stream_of_bytes_that_was_not_asked_for_is_a_file(sandbox, auth):
    speech = find("audio/create_speech")
    body = {**speech.schema["examples"][0]["body"], "stream": False}

    found = stream(auth, descriptor(speech), body=body)

    assert base64.b64decode(found["file"])


def test_speech_that_was_paid_for_is_delivered_as_that(sandbox, auth, monkeypatch):
    seen = []

    def deliver(*given, **more):
        seen.append((given[1:], more))
        return "delivered"

    monkeypatch.setattr(media_output, "deliver", deliver)
    speech = find("audio/create_speech")
    body = {**speech.schema["examples"][0]["body"], "stream": True}
    body["response_format"] = "raw"

    assert stream(auth, descriptor(speech), body=body) == "delivered"
    assert seen == [(("speech.raw", "result"), {"paid": True})]


def test_pictures_of_a_body_go_as_data_and_those_of_an_answer_are_delivered():
    draw = descriptor(find("images/generate_image"))
    chat = descriptor(find("chat/create_chat_completion"))
    picture = {"label": "Drop a file", "file": PICTURE}
    message = {"role": "user", "content": "hi", "pictures": [{"source": picture}]}

    drawn = request_for(AUTH, draw, {"body": {"model": "m", "prompt": "p"}})
    seen = request_for(AUTH, chat, {"body": {"model": "m", "messages": [message]}})

    assert drawn.deliver is media_output.deliver_items
    assert seen.deliver is None
    sent = b"".join(calls_of(seen.data))
    url = f"data:image/png;base64,{PICTURE}"
    assert json.loads(sent)["messages"][0]["content"][1]["image_url"]["url"] == url


def calls_of(data):
    return [data] if isinstance(data, bytes) else data


def test_files_are_read_with_the_resource_that_the_step_has(monkeypatch):
    taken = []
    monkeypatch.setattr(
        "scripts.transfer.multipart.json_body", lambda *given: taken.append(given)
    )

    calls._with_files("text", {"a": 1}, AUTH)

    assert taken == [("text", {"a": 1}, AUTH)]


def test_a_form_of_several_parts_says_so(sandbox, auth):
    transcribe = main_of(find("audio/create_transcription"))

    transcribe(auth, {"file": base64.b64encode(b"RIFF....WAVE").decode()})

    sent = sandbox.requests[-1]
    assert sent.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert int(sent.headers["content-length"]) == len(sent.body)


def test_a_file_may_go_up_where_bytes_come_back():
    transcribe = {**descriptor(find("audio/create_transcription")), "reply": "binary"}
    speech = descriptor(find("audio/create_speech"))
    arguments = transcribe["arguments"]
    output = speech["arguments"]["properties"]["output"]
    properties = {**arguments["properties"], "output": output}
    transcribe |= {"arguments": {**arguments, "properties": properties}}
    head = "content-type: audio/wav\r\n"
    body = {"file": base64.b64encode(b"RIFF....WAVE").decode(), "model": "m"}
    with server(answer(wav(b"ab" * 800), headers=head)) as (url, requests):
        found = calls.upload(auth_for(url), transcribe | {"filename": "a"}, body=body)

    assert base64.b64decode(found["file"]) == wav(b"ab" * 800)
    assert b"Content-Type: multipart/form-data; boundary=" in requests[0]


@pytest.mark.parametrize("blank", [" ", "\t\n", "\u3000"])
def test_words_that_are_blank_are_refused_by_the_name_of_their_field(blank):
    given = {"prompt": "Hi", "query": blank, "other": blank}
    with pytest.raises(TogetherError) as caught:
        calls.check_words(given, "prompt", "query")

    assert caught.value.problems == [
        {"field": "query", "problem": "is blank: there is nothing to ask"}
    ]


@pytest.mark.parametrize("words", ["Hi", "", None, 5, [" "]])
def test_words_that_are_there_or_left_out_are_none_to_refuse(words):
    assert calls.check_words({"prompt": words}, "prompt", "query") is None


def test_where_bytes_are_to_go_is_looked_at_before_anything_is_sent(monkeypatch):
    def refuse(**given):
        raise TogetherError("no storage")

    monkeypatch.setattr(storage, "check_storage", refuse)
    speech = descriptor(find("audio/create_speech"))
    body = {"model": "m", "input": "Hi", "voice": "v"}

    with pytest.raises(TogetherError, match="no storage"):
        request_for(AUTH, speech, {"body": body, "output": "storage"})
    assert request_for(AUTH, speech, {"body": body}).output == "result"
