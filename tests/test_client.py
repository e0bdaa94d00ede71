"""The helper against servers that die, hang or lie."""

import base64
import gzip
import importlib
import json
import re
import select
import socket
import ssl
import threading
import time
import traceback
import zlib
from contextlib import contextmanager
from functools import partial

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from scripts.client import TogetherError, call, stream, transport
from scripts.client import request as client_request
from scripts.client.asked_for import listed
from scripts.replies import live_text
from scripts.replies import pages as replies_pages
from scripts.replies import sse as replies_sse
from scripts.resilience import retry
from tests.conftest import KEY
from tests.support.expected_request import main_of
from tests.support.trusted_tls import trusted_tls
from tools.operations import find, operations
from tools.sandbox import Fault

KEYED_OPERATION = next(o for o in operations() if "idempotency_key" in o.arguments)
CHAT = main_of(find("chat/create_chat_completion"))
CREATE = main_of(find("batches/create_batch"))
GET = main_of(find("files/get_file"))
KEYED = main_of(KEYED_OPERATION)
KEYED_LEAST = KEYED_OPERATION.schema["examples"][0]
MESSAGES = [{"role": "user", "content": "hi"}]
BODY = {"model": "m", "messages": MESSAGES}
BATCH = find("batches/create_batch").schema["examples"][0]["body"]


def test_the_public_names_are_few():
    package = importlib.import_module("scripts.client")

    for name in package.PLACES:
        assert getattr(package, name).__name__ == name
    assert len(package.PLACES) <= 9  # a script or a step of ours needs no more
    with pytest.raises(AttributeError, match=r"'scripts\.client' has no attribute 'a'"):
        assert package.a
    with pytest.raises(ImportError, match="cannot import name 'Request'"):
        exec("from scripts.client import Request")


@contextmanager
def server(*answers, tls=None):
    """A server that gives each connection's request the next of the answers.

    An answer is bytes to send before closing, or a function of the socket. Yields
    (base_url, requests).
    """
    listener = socket.create_server(("127.0.0.1", 0))
    requests = []
    answers = list(answers)

    def serve():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            try:
                if tls:
                    connection = tls.wrap_socket(connection, server_side=True)
                data = b""
                while b"\r\n\r\n" not in data:
                    data += connection.recv(65536)
                head, _, body = data.partition(b"\r\n\r\n")
                length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
                while length and len(body) < int(length[1]):
                    body += connection.recv(65536)
                requests.append(head + b"\r\n\r\n" + body)
                answer = answers.pop(0) if len(answers) > 1 else answers[0]
                if callable(answer):
                    answer(connection)
                else:
                    connection.sendall(answer)
            except OSError:
                pass
            finally:
                connection.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    scheme = "https" if tls else "http"
    try:
        yield f"{scheme}://127.0.0.1:{listener.getsockname()[1]}", requests
    finally:
        listener.close()


def answer(body=b"{}", status="200 OK", headers="", length=None):
    length = len(body) if length is None else length
    head = f"HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n"
    return f"{head}{headers}\r\n".encode() + body


OK = answer(b'{"ok": true}')
SOON = "retry-after-ms: 1\r\n"


def auth_for(url):
    return {"api_key": KEY, "base_url": url}


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    """Waits as the helper would choose them, but a thousand times shorter."""
    monkeypatch.setattr(retry, "backoff", lambda tries, asked: 0.001)


CUT = answer(b'{"ok": tr', length=500)
BROKEN = {
    "cut body": (CUT, "broke"),
    "closed at once": (b"", "broke"),
    "html": (answer(b"<html><title>Oops</title></html>"), "web page titled 'Oops'"),
    "empty": (answer(b""), "empty"),
    "not json": (answer(b"hello"), "hello"),
    "redirect": (
        answer(b"", "302 Found", "location: http://127.0.0.1:1/elsewhere\r\n"),
        "redirects",
    ),
    "garbage": (b"\x00\x01\x02\r\n\r\n", "failed|broke"),
    "wrong length": (answer(b'{"ok": true}', length=4), "{"),
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("create", [False, True])
def test_a_broken_exchange_is_the_one_error(name, create):
    bytes_sent, words = BROKEN[name]
    with server(bytes_sent) as (url, requests):
        call_it = (
            partial(CREATE, auth_for(url), BATCH)
            if create
            else partial(GET, auth_for(url), "file-1")
        )
        with pytest.raises(TogetherError, match=words) as caught:
            call_it()

    error = caught.value
    assert json.loads(json.dumps(vars(error))) == vars(error)
    assert len(requests) == error.tries
    assert KEY not in "".join(traceback.format_exception(error)) + repr(vars(error))
    if create:
        assert error.ambiguous
        assert len(requests) == 1
        assert "batches/list_batches" in error.advice


def test_a_create_that_was_carried_out_and_dropped_is_not_sent_again():
    done = []

    def act_and_drop(connection):
        done.append(1)

    with server(act_and_drop) as (url, requests):
        with pytest.raises(TogetherError, match="not known whether"):
            CREATE(auth_for(url), BATCH)

    assert len(done) == len(requests) == 1


def test_inference_is_sent_again_after_a_drop():
    with server(b"", CUT, answer(b'{"error": "x"}', "500 Oops"), OK) as (url, requests):
        assert CHAT(auth_for(url), BODY) == {"ok": True}

    assert len(requests) == 4


@pytest.mark.parametrize("status", ["400 Bad", "401 No", "402 Pay", "404 No", "409 No"])
def test_a_refusal_is_final(status):
    with server(answer(b"{}", status)) as (url, requests):
        with pytest.raises(TogetherError, match=status[:3]) as caught:
            CHAT(auth_for(url), BODY)

    assert len(requests) == 1
    assert caught.value.status == int(status[:3])


@pytest.mark.parametrize(
    ("create", "status", "headers", "tries"),
    [
        (False, "429 Slow", "", 4),
        (True, "429 Slow", SOON, 4),
        (True, "500 Oops", SOON, 1),
        (True, "502 Oops", "", 1),
        (True, "503 Busy", "", 1),
        (True, "503 Busy", SOON, 4),
        (True, "503 Busy", "x-should-retry: true\r\n", 4),
        (True, "429 Slow", "x-should-retry: false\r\n", 1),
        (False, "408 Slow", "", 4),
        (False, "400 Bad", "x-should-retry: true\r\n", 4),
        (False, "500 Oops", "x-should-retry: false\r\n", 1),
        (False, "429 Slow", "retry-after: 3600\r\n", 1),
    ],
)
def test_what_is_tried_again(create, status, headers, tries):
    with server(answer(b"{}", status, headers)) as (url, requests):
        with pytest.raises(TogetherError):
            CREATE(auth_for(url), BATCH) if create else CHAT(auth_for(url), BODY)

    assert len(requests) == tries


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "3"}, 3.0),
        ({}, None),
    ],
)
def test_how_long_the_server_asks_to_wait(headers, seconds):
    assert seconds == retry.retry_after(headers)


def test_a_connection_that_cannot_be_made_is_tried_again_for_creates():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"

    with pytest.raises(TogetherError, match="no connection") as caught:
        CREATE(auth_for(url), BATCH)

    assert caught.value.tries == retry.MAX_TRIES
    assert caught.value.ambiguous is False


def test_a_server_that_never_accepts_is_given_up(monkeypatch):
    for place in ("client.request", "resilience.explain"):
        monkeypatch.setattr(f"scripts.{place}.CONNECT_TIMEOUT", 0.2)
    monkeypatch.setattr(retry, "MAX_TRIES", 1)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(address)
        with pytest.raises(TogetherError, match=r"no connection within 0\.2 s"):
            GET(auth_for(f"http://127.0.0.1:{address[1]}"), "f")
        for one in waiting:
            one.close()


def test_silence_is_given_up(monkeypatch):
    monkeypatch.setitem(client_request.READ_TIMEOUT, "creates", 0.2)
    release = threading.Event()
    with server(lambda connection: release.wait(60)) as (url, requests):
        with pytest.raises(TogetherError, match="silent") as caught:
            CREATE(auth_for(url), BATCH)
        release.set()

    assert caught.value.ambiguous
    assert len(requests) == 1


SHAPES = [
    (b'{"error": {"message": "no", "type": "t", "param": null, "code": "c"}}', "no"),
    (b'{"error": "plain words"}', "plain words"),
    (b'{"code": "c", "message": "flat", "param": "p", "type": "t"}', "flat"),
    (b'{"message": "only"}', "only"),
    (b'{"status": "running"}', "running"),
    (b'{"file_id": "file-7"}', "file-7"),
    (b'{"field": "is wrong"}', "is wrong"),
    (b"plain text", "plain text"),
    (b"", "empty"),
    (b'["a"]', "a"),
]


@pytest.mark.parametrize(("body", "words"), SHAPES)
def test_the_server_s_words_are_in_the_message(body, words):
    headers = "x-request-id: r-1\r\n"
    with server(answer(body, "422 Unprocessable", headers)) as (url, _):
        with pytest.raises(TogetherError) as caught:
            CHAT(auth_for(url), BODY)

    assert words in str(caught.value)
    assert "422 Unprocessable" in str(caught.value)
    assert caught.value.request_id == "r-1"


def test_a_key_that_the_server_echoes_is_masked():
    body = json.dumps({"error": {"message": f"bad key {KEY}", "type": KEY}}).encode()
    with server(answer(body, "401 Unauthorized")) as (url, _):
        with pytest.raises(TogetherError) as caught:
            CHAT(auth_for(url), BODY)

    assert KEY not in str(caught.value) + repr(vars(caught.value))


def test_the_key_does_not_follow_a_download_to_another_host():
    download = main_of(find("files/download_file"))
    content = answer(b"data", headers='content-disposition: x; filename="../a.txt"\r\n')
    with server(content) as (there, seen):
        moved = answer(b"", "302 Found", f"location: {there}/signed\r\n")
        with server(moved) as (url, _):
            found = download(auth_for(url), "file-1")

    assert base64.b64decode(found["file"]) == b"data"
    assert found["filename"] == "a.txt"
    assert KEY.encode() not in seen[0]
    assert b"authorization" not in seen[0].lower()


@pytest.mark.parametrize("key", ["a\nX-Other: 1", "caf\u00e9", "\x7f"])
def test_what_no_header_can_carry_is_refused(key, sandbox, auth):
    with pytest.raises(TogetherError, match="idempotency_key must be printable ASCII"):
        KEYED(auth, **{**KEYED_LEAST, "idempotency_key": key})

    assert not sandbox.requests


@pytest.mark.parametrize(
    ("status", "followed"),
    [("300", False), ("301", True), ("308", True), ("309", False)],
)
def test_only_a_redirect_of_a_download_is_followed(status, followed):
    download = main_of(find("files/download_file"))
    with server(answer(b"data")) as (there, _):
        moved = answer(b"", f"{status} Moved", f"location: {there}/signed\r\n")
        with server(moved) as (url, requests):
            got = told(download, auth_for(url))
            plain = told(GET, auth_for(url))

    assert (base64.b64encode(b"data").decode() in str(got)) is followed
    assert ("the server redirects" in str(got)) is not followed
    assert "the server redirects" in str(plain)
    assert len(requests) == 2


def told(run, auth):
    """What a script makes of a file, or its error."""
    try:
        return run(auth, "file-1")
    except TogetherError as error:
        return error


@pytest.mark.parametrize("suffix", ["", "/", "/v1", "/v1/", "/v2"])
def test_a_base_url_may_end_in_a_version(suffix, sandbox):
    GET({"api_key": KEY, "base_url": sandbox.url + suffix}, "file-1")

    assert sandbox.requests[-1].path == "/v1/files/file-1"


def test_netrc_does_not_replace_the_key(sandbox, auth, tmp_path, monkeypatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(netrc))

    GET(auth, "file-1")

    assert sandbox.requests[-1].headers["authorization"] == f"Bearer {KEY}"


def test_the_environment_s_proxy_is_used(monkeypatch, sandbox):
    monkeypatch.setattr(transport, "_carriers", {})
    with server(OK) as (proxy, requests):
        monkeypatch.setenv("http_proxy", proxy.replace("//", "//me:secret@"))
        assert GET(auth_for("http://together.example"), "f") == {"ok": True}

    assert requests[0].startswith(b"GET http://together.example/v1/files/f ")
    assert b"proxy-authorization" in requests[0].lower()


def test_an_untrusted_certificate_is_refused(tmp_path, monkeypatch):
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(bundle)
    monkeypatch.setattr(transport, "_carriers", {})
    monkeypatch.setattr(transport, "_tls", {})
    with server(OK, tls=context) as (url, requests):
        with pytest.raises(TogetherError, match="not trusted"):
            GET(auth_for(url), "f")
        assert not requests
        monkeypatch.setattr(transport, "_carriers", {})
        monkeypatch.setattr(transport, "_tls", {})
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
        assert GET(auth_for(url), "f") == {"ok": True}
        with pytest.raises(TogetherError, match="not trusted"):
            GET(auth_for(url.replace("127.0.0.1", "localhost")), "f")


def test_a_create_whose_answer_breaks_in_tls_may_have_been_carried_out(
    tmp_path, monkeypatch
):
    context = trusted_tls(monkeypatch, tmp_path, "127.0.0.1")

    def garble(connection):
        socket.socket.sendall(connection, b"no record of TLS at all")

    with server(garble, tls=context) as (url, requests):
        with pytest.raises(TogetherError) as caught:
            CREATE(auth_for(url), BATCH)

    assert len(requests) == 1
    assert caught.value.ambiguous


def test_a_project_is_found_from_the_key_once(sandbox, auth, monkeypatch):
    monkeypatch.setattr(client_request, "_projects", {})
    update = main_of(find("endpoints/update_project_endpoint"))

    for _ in range(2):
        update(auth, "ep-1", {"name": "n", "etag": "e"}, updateMask="name")

    paths = [request.path for request in sandbox.requests]
    assert paths[0] == "/v3/whoami"
    assert len(paths) == 3
    assert "{project_id}" not in paths[1]
    assert sandbox.requests[-1].query == "updateMask=name"


def test_an_organization_s_key_needs_the_project_named(monkeypatch):
    monkeypatch.setattr(client_request, "_projects", {})
    update = main_of(find("endpoints/update_project_endpoint"))
    with server(answer(b'{"type": "org_api_key"}')) as (url, _):
        with pytest.raises(TogetherError, match="project_id is required") as caught:
            update(auth_for(url), "ep-1", {"name": "n"})

    (problem,) = caught.value.problems
    assert problem["field"] == "project_id"
    assert problem["problem"].startswith("is required")
    words = "projects/list_projects shows the projects of the organization."
    assert caught.value.advice == words


@pytest.mark.parametrize(
    ("headers", "more"),
    [("", {}), ("x-together-file-id: file-9\r\n", {"file_id": "file-9"})],
)
def test_an_answer_that_leads_elsewhere_is_where_it_leads(headers, more):
    upload = main_of(find("files/request_file_upload"))
    example = find("files/request_file_upload").schema["examples"][0]
    place = "http://127.0.0.1:9/put?signature=x"
    redirect = answer(b"", "302 Found", f"Location: {place}\r\n{headers}")
    with server(redirect) as (url, requests):
        found = upload(auth_for(url), **example)

    assert found == {"location": place, **more}
    assert len(requests) == 1


def test_an_idempotency_key_is_made_and_given_back(sandbox, auth):
    step = main_of(find("rl/create_optim_step"))
    sandbox.faults.append(Fault("optim-step", 500))

    with pytest.raises(TogetherError) as caught:
        step(auth, "s-1", {})

    sent = sandbox.requests[-1].headers["idempotency-key"]
    assert sent == caught.value.idempotency_key
    assert sent in caught.value.advice
    step(auth, "s-1", {}, idempotency_key="mine")
    assert sandbox.requests[-1].headers["idempotency-key"] == "mine"


HARD = [
    ("Infinity War", "Infinity War"),
    ("NaN", "NaN"),
    ("a\x00b", "a\ufffdb"),
    ("\ud83d", "\ufffd"),
    ("\U0001f600", "\U0001f600"),
]


@pytest.mark.parametrize(("text", "kept"), HARD)
def test_what_a_model_wrote_comes_back_as_json_can_hold_it(text, kept, capsys):
    with server(answer(json.dumps({"text": text, text: [1]}).encode())) as (url, _):
        found = CHAT(auth_for(url), BODY)

    assert found == {"text": kept, kept: [1]}
    assert ("replaced" in capsys.readouterr().err) == (text != kept)


def test_numbers_that_are_none_become_text():
    with server(answer(b'{"loss": NaN, "top": -Infinity, "n": 1e999}')) as (url, _):
        found = CHAT(auth_for(url), BODY)

    assert found["loss"] == "NaN"
    assert found["top"] == "-Infinity"
    json.dumps(found, allow_nan=False)


def test_a_body_that_is_not_json_is_refused(sandbox, auth):
    with pytest.raises(TogetherError, match="finite"):
        CHAT(auth, {**BODY, "extra": float("nan")})

    assert not sandbox.requests


# --- streams -----------------------------------------------------------------------

EVENTS = [
    {
        "id": "1",
        "object": "chat.completion.chunk",
        "created": 5,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "delta": {"role": "assistant", "content": "Hel", "token_id": 7},
                "logprobs": -0.5,
                "top_logprobs": {"Hel": -0.5},
            }
        ],
    },
    {"id": "1", "choices": [], "usage": None},
    {
        "id": "1",
        "choices": [{"index": 1, "delta": {"content": "B"}, "finish_reason": "stop"}],
    },
    {
        "id": "1",
        "choices": [{"index": 0, "delta": {"content": "lo\nyou", "reasoning": "hm"}}],
    },
    {
        "id": "1",
        "choices": [
            {
                "index": 0,
                "delta": {
                    "tool_calls": [
                        {
                            "index": 1,
                            "id": "b",
                            "type": "function",
                            "function": {"name": "g", "arguments": ""},
                        },
                        {
                            "index": 0,
                            "id": "a",
                            "type": "function",
                            "function": {"name": "f", "arguments": '{"x"'},
                        },
                    ]
                },
            }
        ],
    },
    {
        "id": "1",
        "choices": [
            {
                "index": 0,
                "delta": {
                    "tool_calls": [{"index": 0, "function": {"arguments": ": 1}"}}],
                    "content": None,
                },
                "finish_reason": "tool_calls",
            }
        ],
        "usage": {"total_tokens": 9},
    },
]
WHOLE = {
    "object": "chat.completion",
    "id": "1",
    "created": 5,
    "model": "m",
    "usage": {"total_tokens": 9},
    "choices": [
        {
            "index": 0,
            "finish_reason": "tool_calls",
            "message": {
                "role": "assistant",
                "content": "Hello\nyou",
                "reasoning": "hm",
                "tool_calls": [
                    {
                        "index": 0,
                        "id": "a",
                        "type": "function",
                        "function": {"name": "f", "arguments": '{"x": 1}'},
                    },
                    {
                        "index": 1,
                        "id": "b",
                        "type": "function",
                        "function": {"name": "g", "arguments": ""},
                    },
                ],
            },
            "logprobs": {
                "tokens": ["Hel"],
                "token_logprobs": [-0.5],
                "token_ids": [7],
                "top_logprobs": [{"Hel": -0.5}],
            },
        },
        {
            "index": 1,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": "B"},
        },
    ],
}


def events(found, end="\n", done="data: [DONE]"):
    parts = [f"data: {json.dumps(event)}{end}{end}" for event in found]
    return (": hello" + end + "".join(parts) + done + end + end).encode()


def sse(body, chunked=False):
    kind = "content-type: text/event-stream\r\n"
    if not chunked:
        return f"HTTP/1.1 200 OK\r\n{kind}\r\n".encode() + body
    head = f"HTTP/1.1 200 OK\r\n{kind}transfer-encoding: chunked\r\n\r\n".encode()
    parts = [body[i : i + 7] for i in range(0, len(body), 7)]
    return head + b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in parts) + b"0\r\n\r\n"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("chunked", [True, False])
def test_a_stream_is_the_answer_without_streaming(end, chunked, capsys):
    with server(sse(events(EVENTS, end), chunked)) as (url, _):
        found = CHAT(auth_for(url), {**BODY, "n": 2, "stream": True})

    shown = capsys.readouterr().out.splitlines()
    assert WHOLE == found
    assert all(line.startswith("WM_STREAM: ") for line in shown)
    text = "".join(line.removeprefix("WM_STREAM: ") for line in shown)
    assert text.replace("\\n", "\n") == "Hello\nyou"


SAID = json.dumps(WHOLE).encode()
COME = events(EVENTS)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", SAID),
        ("application/json; charset=utf-8", b" \r\n" + SAID),
        ("text/html", SAID),
        ("application/json", json.dumps(WHOLE, indent=2).encode()),
        ("application/json", json.dumps(WHOLE).replace(", ", ",\n\n").encode()),
        ("application/json", json.dumps(WHOLE).replace(", ", ",\r\n\r\n").encode()),
        ("application/json", COME),
        ("text/html", COME),
        ("text/event-stream", COME),
        ("text/event-stream; of=json", COME),
        ("application/octet-stream", COME),
        (None, COME),
    ],
)
def test_a_stream_is_told_by_what_came_not_by_what_it_is_called(kind, body):
    named = f"content-type: {kind}\r\n" if kind else ""
    with server(answer(body, headers=named)) as (url, _):
        found = CHAT(auth_for(url), {**BODY, "n": 2, "stream": True})

    assert found == WHOLE


def test_a_page_in_place_of_a_stream_is_an_error():
    page = answer(b"<html>Log in</html>", headers="content-type: text/html\r\n")
    with (
        server(page) as (url, seen),
        pytest.raises(TogetherError, match=r"web page|HTML"),
    ):
        CHAT(auth_for(url), {**BODY, "stream": True})

    assert len(seen) == 1


@given(st.data())
def test_events_do_not_depend_on_how_they_are_cut(data):
    end = data.draw(st.sampled_from(["\n", "\r\n", "\r"]))
    raw = (
        events([{"a": "\u00e9"}, {"b": 2}], end)
        + f"data: x{end}data: y{end}{end}".encode()
    )

    def cut():
        rest = raw
        while rest:
            size = data.draw(st.integers(1, 40))
            yield rest[:size]
            rest = rest[size:]

    found = [event for event, _ in replies_sse.Events(cut())]

    assert [
        *(json.dumps({k: v}) for k, v in (("a", "\u00e9"), ("b", 2))),
        "[DONE]",
        "x\ny",
    ] == found


def test_the_sandbox_streams_what_it_answers(sandbox, auth, capsys):
    for name in ("chat/create_chat_completion", "completions/create_completion"):
        operation = find(name)
        body = {**operation.schema["examples"][0]["body"], "n": 2}
        plain = main_of(operation)(auth, body)

        streamed = main_of(operation)(auth, {**body, "stream": True})

        for one, other in zip(plain["choices"], streamed["choices"], strict=True):
            assert one.get("text") == other.get("text")
            assert one["finish_reason"] == other["finish_reason"]
            if "message" in one:
                assert one["message"]["content"] == other["message"]["content"]
        assert plain["usage"] == streamed["usage"]


def test_streamed_speech_is_a_file(sandbox, auth):
    operation = find("audio/create_speech")
    body = operation.schema["examples"][0]["body"]

    plain = main_of(operation)(auth, body)
    streamed = main_of(operation)(
        auth, {**body, "stream": True, "response_format": "raw"}
    )

    assert plain["file"] == streamed["file"]


ERROR = {"error": {"message": "overloaded", "type": "server_error", "code": 503}}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (events(EVENTS[:1], done=": bye"), "without \\[DONE\\]|broke"),
        (events([EVENTS[0], ERROR]), "overloaded"),
        (events(EVENTS[:1], done="data: {broken"), "200 OK: {broken"),
    ],
)
def test_a_broken_stream_keeps_what_had_arrived(body, words):
    with server(sse(body)) as (url, requests):
        with pytest.raises(TogetherError, match=words) as caught:
            CHAT(auth_for(url), {**BODY, "stream": True})

    message = caught.value.partial["choices"][0]["message"]
    assert message["content"] == "Hel"
    assert len(requests) == 1


def test_a_server_that_does_not_stream_still_answers():
    with server(answer(b'{"a": 1}', headers="content-type: application/json\r\n")) as (
        url,
        _,
    ):
        assert CHAT(auth_for(url), {**BODY, "stream": True}) == {"a": 1}


def test_a_refused_stream_is_an_error(sandbox, auth):
    sandbox.faults.append(Fault("chat", 401))

    with pytest.raises(TogetherError, match="401"):
        CHAT(auth, {**BODY, "stream": True})


def test_halves_of_a_character_meet(capsys):
    halves = [
        {"choices": [{"index": 0, "delta": {"content": half}}]}
        for half in ("\ud83d", "\ude00")
    ]
    with server(sse(events(halves))) as (url, _):
        found = CHAT(auth_for(url), {**BODY, "stream": True})

    assert found["choices"][0]["message"]["content"] == "\U0001f600"
    assert "\U0001f600" in capsys.readouterr().out


@pytest.mark.parametrize("chunked", [True, False])
def test_a_piece_is_shown_before_the_next_arrives(chunked, monkeypatch):
    """The reader has each piece while the server waits for it: no block is filled."""
    shown = threading.Event()
    monkeypatch.setattr(live_text.LiveText, "add", lambda self, text: shown.set())
    missed = []

    def one_by_one(connection):
        head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
        head += "transfer-encoding: chunked\r\n\r\n" if chunked else "\r\n"
        connection.sendall(head.encode())
        for piece in [*EVENTS[:1] * 5, None]:
            text = (
                "data: [DONE]\n\n"
                if piece is None
                else f"data: {json.dumps(piece)}\n\n"
            )
            shown.clear()
            data = text.encode()
            connection.sendall(b"%x\r\n%s\r\n" % (len(data), data) if chunked else data)
            if piece and not shown.wait(60):
                missed.append(text)
        if chunked:
            connection.sendall(b"0\r\n\r\n")

    with server(one_by_one) as (url, _):
        CHAT(auth_for(url), {**BODY, "stream": True})

    assert not missed


# --- files -------------------------------------------------------------------------


def test_a_recording_goes_as_a_file_or_as_an_address(sandbox, auth):
    transcribe = main_of(find("audio/create_transcription"))
    sound = base64.b64encode(b"RIFF....WAVE").decode()

    transcribe(auth, {"file": sound, "timestamp_granularities": ["word", "segment"]})
    sent = sandbox.requests[-1].body
    transcribe(auth, {"file": "https://example.com/a.mp3"})
    linked = sandbox.requests[-1].body

    assert b'filename="file.wav"' in sent
    assert sent.count(b'name="timestamp_granularities[]"') == 2
    assert sent.index(b"timestamp") < sent.index(b'name="file"')
    assert b"https://example.com/a.mp3" in linked
    assert b"filename" not in linked
    with pytest.raises(TogetherError, match=r"body\.file"):
        transcribe(auth, {"file": "not base64!"})


def test_a_warm_process_keeps_its_connection(sandbox, auth):
    carrier = transport.carrier_for(sandbox.url)
    before = carrier.opened
    for _ in range(5):
        GET(auth, "file-1")
        CHAT(auth, {**BODY, "stream": True})

    assert carrier.opened - before <= 1


def test_a_connection_that_the_server_closed_is_not_used_again(monkeypatch):
    monkeypatch.setattr(transport, "_carriers", {})
    kept = b'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"id": 1}'
    with server(kept) as (url, requests):
        for _ in range(2):
            CREATE(auth_for(url), BATCH)
            (idle,) = transport.carrier_for(url).idle
            assert select.select([idle.sock], [], [], 10)[0]  # its end has come

    assert len(requests) == 2


PACKED = {
    "gzip": gzip.compress(b'{"ok": ') + gzip.compress(b"true}"),
    "deflate": zlib.compress(b'{"ok": true}'),
}


@pytest.mark.parametrize("coding", PACKED)
def test_a_packed_answer_is_unpacked(coding):
    headers = f"content-encoding: {coding}\r\n"
    with server(answer(PACKED[coding], headers=headers)) as (url, requests):
        assert CHAT(auth_for(url), BODY) == {"ok": True}

    assert b"accept-encoding: gzip, deflate\r\n" in requests[0].lower()


def test_an_answer_that_is_packed_wrong_is_one_error():
    headers = "content-encoding: gzip\r\n"
    with server(answer(b'{"ok": true}', headers=headers)) as (url, _):
        with pytest.raises(
            TogetherError, match="compression cannot be undone"
        ) as caught:
            CREATE(auth_for(url), BATCH)

    assert caught.value.ambiguous


@pytest.mark.parametrize("length", [5, 10, 20, len(PACKED["gzip"]) - 1])
def test_a_packed_answer_that_is_cut_short_says_so(length):
    headers = "content-encoding: gzip\r\n"
    with server(answer(PACKED["gzip"][:length], headers=headers)) as (url, _):
        with pytest.raises(TogetherError, match="compressed body is cut short"):
            CREATE(auth_for(url), BATCH)


def test_a_long_wait_is_left_to_the_flow(monkeypatch):
    slept = []
    monkeypatch.setattr(time, "sleep", slept.append)
    with server(answer(b"{}", "429 Slow", "retry-after: 61\r\n")) as (url, _):
        with pytest.raises(TogetherError) as caught:
            CHAT(auth_for(url), BODY)

    assert not slept
    assert caught.value.retry_after == 61


def test_call_and_stream_take_the_same_table(sandbox, auth):
    table = CHAT.__globals__["OPERATION"]

    assert call(auth, table, body=BODY) == stream(auth, table, body=BODY)


# --- pages -------------------------------------------------------------------------

LIST = main_of(find("models/list_supported_models"))


def page(entries, cursor=None):
    return answer(json.dumps({"data": entries, "next_cursor": cursor}).encode())


def test_pages_are_fetched_until_there_are_no_more():
    pages = page([{"id": 1}], "c1"), page([{"id": 2}], "c2"), page([{"id": 3}])
    with server(*pages) as (url, requests):
        found = LIST(auth_for(url), limit=1, max_pages=9)

    assert found == {"data": [{"id": 1}, {"id": 2}, {"id": 3}], "next_cursor": None}
    assert [b"after=c1" in r for r in requests] == [False, True, False]
    assert len(requests) == 3
    assert all(b"limit=1" in r and b"max_pages" not in r for r in requests)


@pytest.mark.parametrize("odd", [b"null", b"[]", b'"x"', b'{"error": "kaput"}'])
def test_a_page_that_is_none_keeps_those_before(odd):
    with server(page([{"id": 1}], "c1"), answer(odd)) as (url, _):
        with pytest.raises(TogetherError) as caught:
            LIST(auth_for(url), max_pages=9)

    assert json.dumps(caught.value.partial).count('"id": 1') == 1


def test_a_cursor_may_be_a_number():
    with server(page([{"id": 1}], 7), page([{"id": 2}])) as (url, requests):
        LIST(auth_for(url), max_pages=9)

    assert b"after=7" in requests[1]


def test_pages_stop_where_the_user_says_and_can_go_on():
    with server(page([1], "c1"), page([2], "c2"), page([3])) as (url, requests):
        assert LIST(auth_for(url)) == {"data": [1], "next_cursor": "c1"}
        found = LIST(auth_for(url), max_pages=1, after="c1")

    assert found["next_cursor"] == "c2"
    assert len(requests) == 2


def test_pages_stop_before_they_are_too_many(monkeypatch):
    monkeypatch.setattr(replies_pages, "MAX_ENTRIES", 2)
    with server(page([1], "c"), page([2], "d")) as (url, requests):
        found = LIST(auth_for(url), max_pages=50)

    assert found["data"] == [1, 2]
    assert found["next_cursor"] == "d"
    assert len(requests) == 2


@pytest.mark.parametrize(
    "pages",
    [
        [page([{"id": 1}], "c"), page([{"id": 2}], "c")],
        [page([{"id": 1}], "c"), page([{"id": 1}], "d")],
        [page([{"id": 1}], "c"), page({"id": 2}, "d")],
        [page({"id": 1}, "c")],
    ],
)
def test_a_list_that_does_not_move_on_is_no_whole_list(pages):
    with server(*pages) as (url, requests):
        with pytest.raises(TogetherError, match="cannot be read on") as caught:
            LIST(auth_for(url), max_pages=50)

    assert caught.value.type == "invalid_answer"
    assert '"id": 1' in json.dumps(caught.value.partial)
    assert len(requests) <= 2


def test_the_list_of_an_answer_is_its_data():
    first = {"errors": [], "data": [{"id": 1}], "next_cursor": "c"}
    second = {"errors": [], "data": [{"id": 2}, None], "next_cursor": None}
    with server(*(answer(json.dumps(one).encode()) for one in (first, second))) as (
        url,
        _,
    ):
        found = LIST(auth_for(url), max_pages=9)

    assert found["data"] == [{"id": 1}, {"id": 2}, None]


def test_a_server_without_pages_gives_its_list_once(capsys):
    sessions = main_of(find("rl/list_training_sessions"))
    whole = {"data": [{"id": "a"}, None, {"id": "b"}, None]}
    with server(answer(json.dumps(whole).encode())) as (url, requests):
        found = sessions(auth_for(url), max_pages=9)

    assert found == whole
    assert b"after=b" in requests[1]
    assert len(requests) == 2
    assert "knows no pages" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "kept", "told"),
    [
        ([{"id": "a"}], ["a"], ""),
        ({"data": [{"id": "a"}, None, "b", {"id": 3}, {}]}, ["a"], "4 of 5 entries"),
        ({"data": None, "object": "list"}, [], ""),
        ({"data": [{"id": "a"}], "next_cursor": "c"}, ["a"], "goes on"),
    ],
)
def test_what_is_listed_is_what_there_is(given, kept, told, capsys):
    assert [one["id"] for one in listed(given, "id")] == kept
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("given", [{"data": {"id": "a"}}, {"total": 0}, None, "x"])
def test_what_is_no_list_is_no_empty_one(given):
    with pytest.raises(TogetherError, match="none in the answer") as caught:
        listed(given)
    assert caught.value.type == "invalid_answer"


def test_a_failed_page_keeps_those_before_it():
    with server(page([1], "c1"), answer(b"{}", "400 Bad")) as (url, _):
        with pytest.raises(TogetherError) as caught:
            LIST(auth_for(url), max_pages=2)

    assert caught.value.partial == {"data": [1], "next_cursor": "c1"}


def test_pages_may_go_on_by_the_last_id():
    sessions = main_of(find("rl/list_training_sessions"))
    name = next(
        name
        for name, value in find("rl/list_training_sessions").schema["x-reply"].items()
        if isinstance(value, list)
    )
    bodies = ([{"id": "a"}], [{"id": "b"}], [])
    pages = [answer(json.dumps({name: body}).encode()) for body in bodies]
    with server(*pages) as (url, requests):
        found = sessions(auth_for(url), max_pages=5)

    assert found == {name: [{"id": "a"}, {"id": "b"}]}
    assert b"after=a" in requests[1]
    assert b"after=b" in requests[2]


def echo():
    """The answer of a gateway that debugs: it tells the request's headers."""
    told = {"headers": {"Authorization": f"Bearer {KEY}"}, KEY: [f"a {KEY} b", 5]}
    body = {"choices": [{"message": {"content": f"say {KEY}"}}], "debug": told}
    return answer(json.dumps({"data": [], **body}).encode())


@pytest.mark.parametrize("call", [CHAT, GET, LIST], ids=["chat", "batch", "list"])
def test_a_key_that_a_gateway_echoes_is_in_no_answer(call):
    given = {"file_id": "f"} if call is GET else {"body": BODY} if call is CHAT else {}
    with server(echo()) as (url, _):
        found = call(auth_for(url), **given)

    text = json.dumps(found)
    assert KEY not in text
    if call is not LIST:
        assert found["debug"]["headers"] == {"Authorization": "Bearer ***"}
        assert found["debug"]["***"] == ["a *** b", 5]


def test_the_shortest_key_that_is_one_is_in_no_answer():
    with server(answer(b'{"id": "a 12345678"}')) as (url, _):
        assert GET({"api_key": "12345678", "base_url": url}, "f") == {"id": "a ***"}


def test_a_short_key_spoils_no_answer():
    with server(answer(b'{"id": "text"}')) as (url, _):
        assert GET({"api_key": "text", "base_url": url}, "text") == {"id": "text"}


def test_a_key_in_a_reason_phrase_is_not_in_the_log(capsys):
    busy = answer(b"{}", f"503 no worker for {KEY}", SOON)
    with server(busy, OK) as (url, _):
        GET(auth_for(url), "b")

    log = capsys.readouterr().err
    assert "503 no worker for ***" in log
    assert KEY not in log
