"""One exchange: what is sent where, for how long, and how an answer is taken."""

import json
import math
import time

import pytest

from scripts.client import TogetherError, prepare
from scripts.client import request as client_request
from scripts.client.endings import ERROR_MEMBERS
from scripts.client.request import (
    ALONE_WITH_ERROR,
    MIB,
    MOST_KEPT_BYTES,
    MOST_SECONDS,
    READ_TIMEOUT,
    SEND_TIMEOUT,
    Request,
    half_character,
    hear,
    last_answer,
    parse_answer,
    parse_whole,
    without_signals,
)
from scripts.client.resource import HOST
from scripts.client.transport import CONNECT_TIMEOUT, USER_AGENT, Reply
from scripts.client.validate import FileValue
from scripts.operations import operation
from scripts.resilience import retry
from tests.conftest import KEY
from tests.support.clock import set_clock
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
        client_request._path_segment("id", text)

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
    ([], "q="),
    ({"a": 1, "b": None, "c d": "e"}, "q[a]=1&q[c%20d]=e"),
    ({"a": {"b": [1, 2]}}, "q[a][b]=1%2C2"),
]


@pytest.mark.parametrize(("value", "query"), QUERIES)
def test_a_query_is_written_as_the_service_reads_it(value, query):
    kinds = {"type": ["string", "integer", "boolean", "array", "object"]}
    found = target(AUTH, table(q={**kinds, "x-in": "query"}), id="a", q=value)

    assert found == f"/v1/things/a?{query}"


def test_each_argument_goes_where_its_schema_says():
    places = table(
        q={"type": "string", "x-in": "query"},
        page={"type": "string", "x-in": "query", "x-wire": "page_token"},
        key={"type": "string", "x-in": "header", "x-wire": "X-Key"},
        kept={"type": "string"},
    )
    given = {"id": "a", "q": "b", "page": "c", "key": "d", "kept": "e"}

    request = Request(AUTH, places, given)

    assert request.target == "/v1/things/a?q=b&page_token=c"
    assert request.headers["X-Key"] == "d"
    assert request.arguments == given
    assert target(AUTH, places, id="a") == "/v1/things/a"


HEADERS = {
    "Authorization": "Bearer k",
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate",
    "User-Agent": USER_AGENT,
}


def test_what_every_request_says():
    body = {"body": {"type": "object"}}
    read, sent = table(), {**table(**body), "method": "POST", "accept": "text/plain"}

    asked = Request(AUTH, read, {"id": "a"})
    told = Request(AUTH, sent, {"id": "a", "body": {"a": "\u00e4", "b": [1]}})

    assert asked.headers == HEADERS
    assert (asked.method, asked.data, asked.body) == ("GET", None, {})
    assert (asked.idempotency_key, asked.output, asked.tries) == (None, None, 0)
    more = {"Accept": "text/plain", "Content-Type": "application/json"}
    assert told.headers == {**HEADERS, **more}
    assert told.data == '{"a":"\u00e4","b":[1]}'.encode()


def test_a_request_that_could_be_repeated_has_a_key_of_its_own():
    key = {"type": "string", "x-in": "header", "x-wire": "Idempotency-Key"}
    keyed = table(idempotency_key=key)

    made = [Request(AUTH, keyed, {"id": "a"}) for _ in range(2)]
    given = Request(AUTH, keyed, {"id": "a", "idempotency_key": "mine"})

    assert len({request.idempotency_key for request in made}) == 2
    for request in (*made, given):
        assert request.headers == {
            **HEADERS,
            "Idempotency-Key": request.idempotency_key,
        }
    assert [len(request.idempotency_key) for request in made] == [32, 32]
    assert given.idempotency_key == "mine"


@pytest.mark.parametrize(
    ("place", "given", "output"),
    [
        ("result", {}, "storage"),
        ("result", {"output": "result"}, "result"),
        ("query", {"output": "x"}, None),
    ],
)
def test_where_bytes_go_is_an_argument(place, given, output):
    choice = {"type": "string", "x-in": place, "default": "storage"}

    request = Request(AUTH, table(output=choice), {"id": "a", **given})

    assert request.output == output


def test_an_operation_may_have_a_host_of_its_own():
    keyed, elsewhere = {"api_key": "k"}, {**table(), "host": "https://models.example"}

    assert Request(keyed, elsewhere, {"id": "a"}).base == "https://models.example"
    assert Request(keyed, table(), {"id": "a"}).base == HOST
    assert Request(AUTH, elsewhere, {"id": "a"}).base == AUTH["base_url"]


HALF = "holds half of a character: it is no text"


@pytest.mark.parametrize(
    ("given", "field", "words"),
    [
        ({"id": ".."}, "id", "must not be '..'"),
        ({"id": "a", "key": "a\nb"}, "key", "must be printable ASCII"),
        ({"id": "a", "key": "\u00e9"}, "key", "must be printable ASCII"),
        ({"id": "a", "key": "b\ud800"}, "key", "must be printable ASCII"),
        ({"id": "a\ud800"}, "id", HALF),
        ({"id": "a", "states": ["b", "\udc00c"]}, "states", HALF),
        ({"id": "a", "filter": {"name": "\ud83d"}}, "filter", HALF),
    ],
)
def test_what_cannot_be_put_in_its_place_is_refused_by_name(given, field, words):
    key = {"type": "string", "x-in": "header", "x-wire": "X-Key"}
    states = {"type": "array", "items": {"type": "string"}, "x-in": "query"}
    by = {"type": "object", "x-in": "query"}

    with pytest.raises(TogetherError) as caught:
        Request(AUTH, table(key=key, states=states, filter=by), given)

    assert caught.value.problems == [{"field": field, "problem": words}]


def test_files_of_a_body_are_read_by_who_is_asked_to():
    class Body:
        length = 5

    body = Body()
    taken = []
    operation = table(body={"type": "object", "properties": {"a": {"x-file": "uri"}}})
    given = {"id": "a", "body": {"a": {"s3": "x"}}}

    def with_files(text, files, auth):
        taken.append((json.loads(text), [file.field for file in files.values()], auth))
        return body

    request = Request(AUTH, operation, given, with_files)
    apart = Request(AUTH, {**operation, "content": "multipart"}, given, with_files)

    ((text, fields, auth),) = taken
    assert (list(text), fields, auth) == (["a"], ["body.a"], AUTH)
    assert request.data is body
    told = {"Content-Type": "application/json", "Content-Length": "5"}
    assert request.headers == {**HEADERS, **told}
    assert (apart.data, apart.headers) == (None, HEADERS)


PROJECT = {"type": "string", "x-in": "path"}
IN_PROJECT = {**table(project_id=PROJECT), "path": "/v2/{project_id}/{id}"}


def test_a_project_is_what_the_key_tells_or_the_user():
    with server(answer(b'{"project": {"id": "p"}}')) as (url, requests):
        auth = auth_for(url)
        asked = [Request(auth, IN_PROJECT, {"id": "a"}) for _ in range(2)]
        named = Request(auth, IN_PROJECT, {"id": "a", "project_id": "q"})

    assert [request.target for request in asked] == ["/v2/p/a"] * 2
    assert asked[0].arguments == {"id": "a", "project_id": "p"}
    assert named.target == "/v2/q/a"
    assert len(requests) == 1
    assert f"Authorization: Bearer {KEY}\r\n".encode() in requests[0]


def test_a_project_that_the_key_does_not_tell_is_asked_for():
    whole = answer(b'{"user": {"id": "u"}, "project": null}')
    with server(whole) as (url, requests):
        with pytest.raises(TogetherError) as caught:
            Request(auth_for(url), IN_PROJECT, {"id": "a"})

    problem = "is required: this key belongs to no single project"
    assert str(caught.value) == f"project_id {problem}"
    assert caught.value.type == "invalid_argument"
    assert caught.value.problems == [{"field": "project_id", "problem": problem}]
    advice = "projects/list_projects shows the projects of the organization."
    assert caught.value.advice == advice
    assert len(requests) == 1


def test_another_try_is_told_with_its_reason(capsys):
    with server(BUSY, BUSY, OK) as (url, requests):
        GET(auth_for(url), "f")

    said = capsys.readouterr().err.splitlines()
    assert said == [
        "together: 503 Service Unavailable (GET /v1/files/f): try 2 in 0.0 s",
        "together: 503 Service Unavailable (GET /v1/files/f): try 3 in 0.0 s",
    ]
    assert len(requests) == 3


def test_another_try_is_told_without_what_was_asked_for(capsys):
    find_all = main_of(find("evaluations/list_evaluations"))
    with server(BUSY, BUSY, BUSY, BUSY) as (url, _):
        with pytest.raises(TogetherError) as caught:
            find_all(auth_for(url), limit=3)

    said = capsys.readouterr().err.splitlines()[0]
    assert "503 Service Unavailable (GET /v1/evaluation): try 2 in" in said
    assert (caught.value.method, caught.value.path) == ("GET", "/v1/evaluation")
    assert "(GET /v1/evaluation). " in str(caught.value)


def test_another_try_after_a_broken_connection_is_told_in_words(capsys):
    with server(b"", OK) as (url, _):
        GET(auth_for(url), "f")

    (line,) = capsys.readouterr().err.splitlines()
    assert line == (
        "together: the connection broke before the answer was complete "
        "(GET /v1/files/f): try 2 in 0.0 s"
    )


def test_nothing_is_tried_again_that_could_only_end_too_late(monkeypatch):
    monkeypatch.setattr(client_request, "DEADLINE", 0.01)
    with server(BUSY, OK) as (url, requests):
        with pytest.raises(TogetherError, match="503"):
            GET(auth_for(url), "f")

    assert len(requests) == 1


def test_an_exchange_ends_when_its_class_says(monkeypatch):
    set_clock(monkeypatch, client_request, monotonic=lambda: 1000.0)

    (_, silence), most = limits(monkeypatch, BODY)

    assert silence == READ_TIMEOUT["inference"]
    assert most == 1000.0 + MOST_SECONDS["inference"]


@pytest.mark.parametrize("streaming", [True, False])
def test_what_leads_elsewhere_is_read_by_then_too(streaming, monkeypatch):
    moved = reply(b"", 300, location="/a")
    read = []
    monkeypatch.setattr(client_request, "http_exchange", lambda *given: moved)
    monkeypatch.setattr(
        client_request, "read_whole", lambda *given: read.append(given) or b"moved"
    )
    request = Request(AUTH, {**table(), "reply": "binary"}, {"id": "a"})

    with pytest.raises(TogetherError):
        request.send(streaming)

    ((response, until),) = read
    assert response is moved
    assert 0 < until - time.monotonic() <= MOST_SECONDS["read"]
    assert request.tries == 1


def test_an_answer_in_place_of_a_stream_is_read_by_then_too(monkeypatch):
    read = []
    monkeypatch.setattr(
        client_request, "read_whole", lambda *given: read.append(given) or b"x"
    )
    request = Request(AUTH, table(), {"id": "a"})

    assert client_request.read_body(request, "response") == b"x"
    ((response, until),) = read
    assert response == "response"
    assert 0 < until - time.monotonic() <= MOST_SECONDS["read"]


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


def reply(data=b"", status=200, **headers):
    class Response:
        reason = "OK"

    Response.status = status
    Response.headers = {name.replace("_", "-"): text for name, text in headers.items()}
    return Reply(Response, data)


PLAIN = "text/plain; charset=utf-8"
MEANT = [
    ("json", reply(b'{"a": 1}'), {"a": 1}),
    ("json", reply(b"", 204), None),
    ("none", reply(b""), None),
    ("none", reply(b"", 204), None),
    ("none", reply(b"done"), None),
    ("none", reply(b'{"a": 1}'), {"a": 1}),
    ("text", reply(b" one,two\n"), "one,two"),
    ("text", reply(b"X-rays\n"), "X-rays"),
    ("text", reply(b'{"a": 1}'), {"a": 1}),
    ("text", reply(b"<b>x</b>", content_type=PLAIN), "<b>x</b>"),
    ("text", reply(b"[10:00] started", content_type="Text/Plain"), "[10:00] started"),
    ("redirect", reply(b"", 302, location="/a"), {"location": "/a"}),
    ("redirect", reply(b"", 300, location="/a"), {"location": "/a"}),
    ("redirect", reply(b'{"a": 1}'), {"a": 1}),
    ("json", reply(b'{"html": "x"}'), {"html_": "x"}),
]


@pytest.mark.parametrize(("kind", "got", "meant"), MEANT)
def test_what_an_answer_means_depends_on_what_is_expected(kind, got, meant):
    # One that is paid for, or what a thread of another test reads may take its place.
    kept = got.data[:1] == b"{"
    retry = "inference" if kept else "read"
    request = Request(AUTH, {**table(), "reply": kind, "retry": retry}, {"id": "a"})
    last_answer.clear()

    assert parse_answer(request, got) == meant
    own = [answer for asked, answer in last_answer if asked is request]
    assert own == ([json.loads(got.data)] if kept else [])
    last_answer.clear()


def test_who_delivers_gets_the_answer_without_signals_and_says_the_result():
    request = Request(AUTH, table(), {"id": "a"})
    request.deliver = lambda *given: given

    assert parse_answer(request, reply(b'{"html": "x"}')) == (request, {"html_": "x"})
    request.operation = {**table(), "reply": "redirect"}
    moved = reply(b"", 302, location="/a", x_together_file_id="f")
    assert parse_answer(request, moved) == (request, {"location": "/a", "file_id": "f"})


@pytest.mark.parametrize(
    ("kind", "got"),
    [
        ("json", reply(b"")),
        ("json", reply(b"done")),
        ("json", reply(b"", 201)),
        ("json", reply(b"done", content_type=PLAIN)),
        ("text", reply(b"")),
        ("text", reply(b" \n", content_type=PLAIN)),
        ("text", reply(b"<html>", content_type="text/html")),
        ("text", reply(b'{"a": ', content_type="application/json")),
        ("text", reply(b"[1, ")),
    ],
)
def test_an_answer_that_is_not_what_is_expected_is_an_error(kind, got):
    request = Request(AUTH, {**table(), "reply": kind}, {"id": "a"})

    with pytest.raises(TogetherError) as caught:
        parse_answer(request, got)

    assert caught.value.status == got.status


THING = {"error": "broke", "id": "x", "status": "failed"}
BORE = [
    ("inference", {"error": "x"}, True),
    ("inference", THING, True),
    ("inference", {"error": None, "choices": [{}]}, False),
    ("read", THING, False),
    ("read", {"error": "x"}, True),
    ("read", {"error": {"message": "x"}, "code": 5, "request_id": "r"}, True),
    ("read", dict.fromkeys(("error", *ALONE_WITH_ERROR), "x"), True),
    ("read", {"error": "", "message": "x"}, False),
    ("read", {"message": "x"}, False),
    ("read", {"status": "failed", "message": "x"}, False),
    ("read", {"detail": "x"}, True),
    ("read", dict.fromkeys(ERROR_MEMBERS - {"data"}, "x") | {"data": None}, True),
    ("creates", {"message": "x"}, True),
    ("creates", {"message": "x", "data": {"job_id": "x"}}, False),
    ("mutates", {"message": "x"}, False),
    ("read", {"object": "error", "message": "x", "id": "x"}, True),
    ("read", {"object": "list", "data": []}, False),
    ("read", [{"error": "x"}], True),
    ("inference", [{"error": "x"}, {"a": 1}], True),
    ("inference", {"error": {"message": "x"}, "choices": [{"text": "a"}]}, True),
    ("creates", {"success": False}, True),
    ("creates", {"success": False, "id": "x"}, False),
    ("read", {"message": "x", "status": "failed", "object": "o", "data": []}, False),
    ("read", [{"error": "x"}, {"error": "y"}], False),
    ("read", [THING], False),
    ("read", ["error"], False),
    ("read", [], False),
    ("read", "error", False),
    ("read", None, False),
]


@pytest.mark.parametrize(("retry", "got", "wrong"), BORE)
def test_an_error_is_told_from_a_thing_that_tells_of_one(retry, got, wrong):
    request = Request(AUTH, {**table(), "retry": retry}, {"id": "a"})
    try:
        found = parse_answer(request, reply(json.dumps(got).encode()))
    except TogetherError as error:
        found = error

    assert isinstance(found, TogetherError) == wrong
    if not wrong:
        assert found == got
    assert client_request._bears_error(got, retry) == wrong


@pytest.mark.parametrize(
    ("kind", "status", "place", "ends"),
    [
        ("binary", 301, True, True),
        ("redirect", 302, True, True),
        ("binary", 308, True, True),
        ("binary", 309, True, False),
        ("binary", 300, True, False),
        ("binary", 302, False, False),
        ("json", 302, True, False),
    ],
)
def test_only_what_may_lead_elsewhere_does(kind, status, place, ends):
    request = Request(AUTH, {**table(), "reply": kind}, {"id": "a"})
    headers = {"location": "/a"} if place else {}

    assert request.redirects(reply(b"", status, **headers)) == ends


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
    last_answer.clear()
    for request, words in ((read, 1), (read, 2), (paid, 3), (read, 4)):
        hear(request, words)
        if words == 2:
            assert last_answer == [(read, 2)]
    assert last_answer == [(paid, 3)]
    hear(paid, 5)
    assert last_answer == [(paid, 5)]
    last_answer.clear()


def test_an_answer_with_half_of_a_character_is_sent_as_json():
    data = client_request.encode_body({"a": "\ud83d", "b": ["\u00e4", 1]})

    assert data == rb'{"a":"\ud83d","b":["\u00e4",1]}'


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (float("nan"), "Out of range float values are not JSON compliant: nan"),
        ({1, 2}, "set is no JSON"),
        (FileValue("x", "a", "uri"), "FileValue is no JSON"),
    ],
)
def test_a_body_that_is_no_json_is_refused_with_the_reason(value, words):
    with pytest.raises(TogetherError) as caught:
        client_request.encode_body({"a": value})

    (problem,) = caught.value.problems
    assert problem["field"] == "body"
    assert problem["problem"] in (
        f"is not JSON ({words}); numbers must be finite",
        # as an older Python says it
        f"is not JSON ({words.partition(': nan')[0]}); numbers must be finite",
    )


@pytest.mark.parametrize("text", ["a", "\ud83d"])
def test_files_in_a_body_are_handed_on_by_what_stands_for_them(text):
    first, second = FileValue("1", "a", "uri"), FileValue("2", "b", "base64")
    taken = []

    def with_files(*given):
        taken.append(given)
        return "made"

    body = {"a": first, "b": {"c": [second, text]}}

    assert client_request.encode_body(body, AUTH, with_files) == "made"
    ((told, marks, auth),) = taken
    assert list(marks.values()) == [first, second]
    one, two = marks
    assert json.loads(told) == {"a": one, "b": {"c": [two, text]}}
    assert (len(one), len(two), auth) == (32, 32, AUTH)
    assert client_request.encode_body({"a": 1}, AUTH, with_files) == b'{"a":1}'


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


def chat_request():
    """A question to a model, that was sent."""
    asked = Request(AUTH, operation("chat/create_chat_completion"), {"body": BODY})
    asked.tries = 1
    return asked


SAID = {"message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}
BROKEN = [
    {"choices": []},
    {"choices": None, "warm": 1},
    {"choices": "Hi"},
    {"choices": [None, {}, 5]},
    {"choices": [SAID, {**SAID, "error": {"message": "out of memory"}}]},
    {"choices": [{**SAID, "finish_reason": "error"}, SAID]},
]


@pytest.mark.parametrize("said", BROKEN)
def test_choices_that_are_none_or_broke_off_are_no_answer(said):
    with pytest.raises(TogetherError) as caught:
        parse_whole(chat_request(), reply(json.dumps(said).encode()))

    error = caught.value
    assert (error.type, error.path) == ("broken_answer", "/v1/chat/completions")
    assert error.partial == said


@pytest.mark.parametrize(
    "said",
    [
        {"choices": [SAID]},
        {"choices": [SAID, {}, {**SAID, "error": {"code": 0, "message": ""}}]},
        {"output": "Hi"},
    ],
)
def test_an_answer_whose_choices_are_whole_is_given_as_it_is(said):
    assert parse_whole(chat_request(), reply(json.dumps(said).encode())) == said


def answered(retry, kind=None):
    """A request of a retry class that was sent, whose answer is of a kind."""
    more = {"reply": kind} if kind else {}
    asked = Request(AUTH, {**table(), "retry": retry, **more}, {"id": "a"})
    asked.tries = 1
    return asked


LACKING = [
    ("inference", None, {}),
    ("inference", None, {"id": "x", "usage": {"total_tokens": 1}}),
    ("inference", None, dict.fromkeys(client_request.AROUND, 1)),
    ("inference", None, []),
    ("inference", None, "words"),
    ("inference", "text", ""),
    ("creates", None, {}),
    ("creates", None, []),
    ("creates", None, ["x"]),
    ("creates", None, "x"),
]


@pytest.mark.parametrize(("retry", "kind", "said"), LACKING)
def test_what_is_paid_for_or_made_is_in_the_answer(retry, kind, said):
    data = reply(json.dumps(said).encode())

    with pytest.raises(TogetherError) as caught:
        client_request.check_answer(answered(retry, kind), said, data)

    kept = said if isinstance(said, dict) and said else None
    assert (caught.value.status, caught.value.partial) == (200, kept)
    assert caught.value.type == "invalid_answer"


@pytest.mark.parametrize(
    "said", [{"data": []}, {"choices": None}, {"id": "x", "output": {}, "b64": None}]
)
def test_a_model_s_answer_with_nothing_in_it_is_none(said):
    data = reply(json.dumps(said).encode())

    with pytest.raises(TogetherError) as caught:
        client_request.check_answer(answered("inference"), said, data)

    assert (caught.value.type, caught.value.partial) == ("broken_answer", said)


@pytest.mark.parametrize(
    ("retry", "kind", "said"),
    [
        ("inference", None, {"text": ""}),
        ("inference", None, {"data": [1]}),
        ("inference", "text", "words"),
        ("creates", None, {"id": "x"}),
        ("creates", None, {"status": "ok"}),
        ("creates", "text", "x"),
        ("read", None, []),
        ("read", None, {}),
        ("read", None, {"data": []}),
        ("mutates", None, {}),
        ("mutates", None, None),
    ],
)
def test_an_answer_that_may_say_so_little_is_one(retry, kind, said):
    data = reply(json.dumps(said).encode())

    client_request.check_answer(answered(retry, kind), said, data)  # raises nothing
    with pytest.raises(TogetherError, match="out of memory"):
        client_request.check_answer(
            answered(retry, kind), ERROR, reply(json.dumps(ERROR).encode())
        )


ERROR = {"error": {"message": "out of memory"}}


def test_words_in_place_of_json_are_kept_where_they_were_paid_for():
    for retry_class, kept in (("read", None), ("inference", "half an ans")):
        request = Request(AUTH, {**table(), "retry": retry_class}, {"id": "a"})
        request.tries = 1
        with pytest.raises(TogetherError) as caught:
            parse_answer(request, reply(b"half an ans"))
        assert caught.value.partial == kept


def test_words_that_are_cut_within_a_character_are_kept_to_it():
    request = Request(AUTH, {**table(), "retry": "inference"}, {"id": "a"})
    request.tries = 1
    half = MOST_KEPT_BYTES // 2

    with pytest.raises(TogetherError) as caught:
        parse_answer(request, reply(f"a{'é' * half}".encode()))

    assert caught.value.partial == f"a{'é' * (half - 1)}\ufffd"


def test_half_of_a_character_in_a_name_is_told_as_json_spells_it():
    problem = "holds half of a character: it is no text"
    told = half_character("n\ud800.a")

    assert told.problems == [{"field": r"n\ud800.a", "problem": problem}]


def test_json_in_place_of_sound_is_an_error_that_has_it():
    body = {"model": "m", "input": "Hi", "voice": "v"}
    asked = Request(AUTH, operation("audio/create_speech"), {"body": body})
    asked.tries = 1

    with pytest.raises(TogetherError) as caught:
        parse_whole(asked, reply(b'{"said": "no sound today"}'))

    assert caught.value.partial == {"said": "no sound today"}
    assert caught.value.status == 200


@pytest.mark.parametrize(
    ("asked", "came", "told"),
    [
        (None, [SAID], ""),
        (1, [], ""),
        (2, [SAID, SAID], ""),
        (2, [SAID], "together: 1 of the 2 answers asked for came\n"),
        (3, None, "together: 0 of the 3 answers asked for came\n"),
        (True, [], ""),
        ("3", [SAID], ""),
    ],
)
def test_fewer_answers_than_were_asked_for_are_told(asked, came, told, capsys):
    request = chat_request()
    request.body = {**BODY, "n": asked}
    client_request.count_choices(request, {"choices": came})

    assert capsys.readouterr().err == told


@pytest.mark.parametrize(
    ("body", "count"),
    [({"n": 2}, 2), ({"n": 1}, 1), ({"n": 0}, 1), ({}, 1), ([{"n": 2}], 1), (None, 1)],
)
def test_one_answer_is_asked_for_where_nothing_says_more(body, count):
    request = chat_request()
    request.body = body

    assert client_request.choices_asked(request) == count


def test_the_words_of_an_answer_are_read_whatever_its_bytes_are():
    assert reply(b"caf\xe9 \xc3\xa9").text() == "caf\ufffd \u00e9"


@pytest.fixture
def warned_request():
    client_request.warnings_logged.clear()
    about = chat_request()
    about.key = KEY
    yield about
    client_request.warnings_logged.clear()
    client_request.last_answer.clear()


@pytest.mark.parametrize(
    ("warning", "told"),
    [
        ({"warnings": ["max_tokens is  lowered", "x"]}, "max_tokens is lowered; x"),
        ({"warning": {"message": "two\nlines"}}, "two lines"),
        ({"warnings": [{"code": 7}]}, '[{"code": 7}]'),
        ({"warning": f"the key {KEY}"}, "the key ***"),
        ({"warning": "x" * 9000}, "x" * 500),
    ],
)
def test_a_warning_beside_an_answer_is_told_once(warning, told, warned_request, capsys):
    for _ in range(3):
        client_request.hear(warned_request, {"choices": [], **warning})

    assert capsys.readouterr().err == f"together: the service warns: {told}\n"


@pytest.mark.parametrize(
    "answer", [{"warnings": []}, {"warning": ""}, {}, ["warnings"]]
)
def test_an_answer_without_a_warning_tells_none(answer, warned_request, capsys):
    client_request.hear(warned_request, answer)

    assert capsys.readouterr().err == ""


def test_warnings_are_not_told_without_end(warned_request, capsys):
    for number in range(30):
        client_request.hear(warned_request, {"warning": f"the {number}th"})
    told = capsys.readouterr().err.splitlines()

    most = client_request.MOST_WARNINGS
    assert told[:most] == [
        f"together: the service warns: the {number}th" for number in range(most)
    ]
    assert told[most:] == ["together: what else it warns of is not told"]


def test_an_answer_that_is_read_piece_by_piece_has_the_deadline_of_its_reader():
    with server(OK) as (url, _):
        request = Request(auth_for(url), table(), {"id": "a"})
        found = request.send(streaming=True)

        assert found._original_response.reader.most == math.inf
        assert found.read() == b'{"ok": true}'
