"""One exchange: what is sent where, for how long, and how an answer is taken."""

import json
import math

import pytest

from scripts.client import TogetherError, prepare
from scripts.client import request as client_request
from scripts.client.request import (
    MIB,
    SEND_TIMEOUT,
    Request,
    hear,
    heard,
    without_signals,
)
from scripts.client.transport import CONNECT_TIMEOUT
from scripts.resilience import retry
from tests.support.expected_request import main_of
from tests.test_client import OK, answer, auth_for, server
from tools.operations import find

GET = main_of(find("files/get_file"))
CHAT = main_of(find("chat/create_chat_completion"))
BUSY = answer(status="503 Service Unavailable")
BODY = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(retry, "backoff", lambda tries, asked: 0.02)


def table(**properties):
    """A read of /v1/things/{id} that takes these arguments besides."""
    arguments = {"id": {"type": "string", "x-in": "path"}, **properties}
    return {
        "method": "GET",
        "path": "/v1/things/{id}",
        "retry": "read",
        "arguments": {"properties": arguments, "required": ["id"]},
    }


def target(auth, operation, **arguments):
    return Request(auth, operation, arguments).target


AUTH = {"api_key": "k", "base_url": "http://127.0.0.1:9"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is required"),
        (" ", "is required"),
        (".", "must not be '.'"),
        ("..", "must not be '..'"),
        (" .. ", "must not be ' .. '"),
    ],
)
def test_no_part_of_a_path_leads_elsewhere(text, words):
    with pytest.raises(TogetherError) as caught:
        client_request._segment("id", text)

    (problem,) = caught.value.problems
    assert problem["field"] == "id"
    assert problem["problem"] == words


def test_a_part_of_a_path_is_one_part():
    assert target(AUTH, table(), id="a/b c?d") == "/v1/things/a%2Fb%20c%3Fd"


QUERIES = [
    ("a b&c", "q=a+b%26c"),
    (5, "q=5"),
    (True, "q=true"),
    (["a", 5, "b c"], "q=a%2C5%2Cb+c"),
    ({"a": 1, "b": None, "c d": "e"}, "q[a]=1&q[c%20d]=e"),
    ({"a": {"b": [1, 2]}}, "q[a][b]=1%2C2"),
]


@pytest.mark.parametrize(("value", "query"), QUERIES)
def test_a_query_is_written_as_the_service_reads_it(value, query):
    kinds = {"type": ["string", "integer", "boolean", "array", "object"]}
    found = target(AUTH, table(q={**kinds, "x-in": "query"}), id="a", q=value)

    assert found == f"/v1/things/a?{query}"


def test_another_try_is_told_with_its_reason(capsys):
    with server(BUSY, BUSY, OK) as (url, requests):
        GET(auth_for(url), "f")

    said = capsys.readouterr().err.splitlines()
    assert said == [
        "together: 503 Service Unavailable: try 2 in 0.0 s",
        "together: 503 Service Unavailable: try 3 in 0.0 s",
    ]
    assert len(requests) == 3


def test_another_try_after_a_broken_connection_is_told_by_its_kind(capsys):
    with server(b"", OK) as (url, _):
        GET(auth_for(url), "f")

    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("Error: try 2 in 0.0 s")
    assert not line.startswith("together: NoneType")


def test_nothing_is_tried_again_that_could_only_end_too_late(monkeypatch):
    monkeypatch.setattr(client_request, "DEADLINE", 0.01)
    with server(BUSY, OK) as (url, requests):
        with pytest.raises(TogetherError, match="503"):
            GET(auth_for(url), "f")

    assert len(requests) == 1


def limits(monkeypatch, body):
    """The bounds of time that an exchange is given: (for connecting and each piece,
    for reading), and until when."""
    seen = []

    def exchange(method, url, data, headers, timeout, most):
        seen.append((timeout, most))
        raise ConnectionRefusedError

    monkeypatch.setattr(client_request, "http_exchange", exchange)
    monkeypatch.setattr(retry, "pause", lambda *given: None)
    with pytest.raises(TogetherError):
        CHAT(AUTH, body)
    return seen[0]


@pytest.mark.parametrize(
    ("size", "connect"), [(9, CONNECT_TIMEOUT), (MIB + 9, SEND_TIMEOUT)]
)
def test_what_is_large_has_longer_for_each_piece(size, connect, monkeypatch):
    body = {**BODY, "messages": [{"role": "user", "content": "a" * size}]}
    (found, _), most = limits(monkeypatch, body)

    assert found == connect
    assert math.isfinite(most)


SIGNALS = [
    ({"wm_failure": "x", "a": 1}, {"wm_failure_": "x", "a": 1}),
    ({"windmill_content_type": "x", "a": 1}, {"windmill_content_type_": "x", "a": 1}),
    ({"render_all": [1], "a": 1}, {"render_all_": [1], "a": 1}),
    ({"html": "x"}, {"html_": "x"}),
    ({"html": "x", "a": 1}, {"html": "x", "a": 1}),
    ({"table-row": []}, {"table-row_": []}),
    ({"file": {"content": "x"}}, {"file_": {"content": "x"}}),
    ({"file": {"id": "x"}}, {"file": {"id": "x"}}),
    ({"file": "x"}, {"file_": "x"}),
    ([{"html": "x"}], [{"html": "x"}]),
]


@pytest.mark.parametrize(("answer", "result"), SIGNALS)
def test_what_would_tell_windmill_something_is_renamed(answer, result, capsys):
    assert without_signals(answer) == result

    told = capsys.readouterr().err
    assert bool(told) == (answer != result)
    if told:
        (name,) = answer.keys() - result.keys()
        words = "in the answer would mean something to Windmill and got a _ at the end"
        assert told == f"together: {name} {words}\n"


def test_several_that_are_renamed_are_told_together(capsys):
    without_signals({"wm_a": 1, "wm_b": 2})

    assert "together: wm_a, wm_b in the answer" in capsys.readouterr().err


def test_the_last_answer_that_was_paid_for_is_kept():
    read, paid = (
        Request(AUTH, table(), {"id": "a"}),
        Request(AUTH, table(), {"id": "a"}),
    )
    paid.operation = {**paid.operation, "retry": "inference"}
    heard.clear()
    for request, words in ((read, 1), (read, 2), (paid, 3), (read, 4)):
        hear(request, words)
        if words == 2:
            assert heard == [(read, 2)]
    assert heard == [(paid, 3)]
    hear(paid, 5)
    assert heard == [(paid, 5)]
    heard.clear()


def test_an_answer_with_half_of_a_character_is_sent_as_json():
    data = client_request.encode_body({"a": "\ud83d", "b": "\u00e4"})

    assert json.loads(data) == {"a": "\ud83d", "b": "\u00e4"}
    assert data.isascii()


def test_a_step_gets_its_defaults_where_nothing_is_given():
    arguments = {
        "a": {"type": "integer", "default": 5},
        "b": {"type": "string", "default": "x"},
        "c": {"type": "string"},
    }
    step = {"arguments": {"properties": arguments, "required": []}}

    assert prepare(step, {}) == {"a": 5, "b": "x"}
    assert prepare(step, {"a": None, "b": "", "c": "y"}) == {"a": 5, "b": "", "c": "y"}
    assert prepare(step, {"a": 0}) == {"a": 0, "b": "x"}


def test_a_whole_answer_in_place_of_a_stream_that_breaks_off_is_an_error():
    cut = answer(
        b'{"choices": [', headers="content-type: application/json\r\n", length=99
    )
    with server(cut) as (url, _):
        with pytest.raises(TogetherError) as caught:
            CHAT(auth_for(url), {**BODY, "stream": True})

    assert caught.value.type == "connection"
    assert "broke before the answer was complete" in str(caught.value)


def test_a_file_goes_up_signed_or_in_one_request(sandbox, auth):
    for name in ("files/upload_file", "audio/create_transcription"):
        operation = find(name)
        main_of(operation)(auth, **operation.schema["examples"][0])

    kinds = [r.headers.get("content-type", "") for r in sandbox.requests]
    paths = [r.path for r in sandbox.requests]
    assert (
        len([k for k in kinds if k.startswith("multipart/form-data; boundary=")]) == 2
    )
    assert paths[-1] == "/v1/audio/transcriptions"
    assert len(paths) > 2
