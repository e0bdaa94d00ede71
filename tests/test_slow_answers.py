"""Servers that send one byte after another, each in time, and never come to an end.

Each would hold a job for ever if nothing but silence ended an exchange.
"""

import socket
import threading
from contextlib import contextmanager
from itertools import chain, repeat

import pytest

from scripts.client import TogetherError, request, transport
from scripts.download import download
from scripts.resilience import retry
from scripts.workspace import api
from tests.conftest import KEY
from tests.support.expected_request import main_of
from tools.operations import find

PAUSE = 0.02  # between two bytes: far less than any silence that is borne
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
CHUNKED = HEAD + b"transfer-encoding: chunked\r\n\r\n"
EVENTS = CHUNKED.replace(b"application/json", b"text/event-stream")
LENGTH = HEAD + b"content-length: 100000\r\n\r\n"
# What comes at once, and what comes again and again, a byte or a piece at a time.
ENDLESS = {
    "status line": (b"HTTP/1.1 200 ", b"O"),
    "a header": (HEAD + b"x-long: ", b"a"),
    "headers": (HEAD, b"x-more: a\r\n"),
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a body": (LENGTH, b" "),
    "chunks": (CHUNKED, b"1\r\n \r\n"),
    "the size of a chunk": (CHUNKED, b"0"),
    "trailers": (CHUNKED + b"2\r\n{}\r\n0\r\n", b"x-more: a\r\n"),
}
ERRORS = {
    "an error's body": (b"HTTP/1.1 400 No\r\ncontent-length: 9999\r\n\r\n", b"a"),
    "an error's chunk": (
        b"HTTP/1.1 404 No\r\ntransfer-encoding: chunked\r\n\r\n",
        b"0",
    ),
}
PINGS = {"pings": (EVENTS, b"7\r\n: ping\n\r\n"), "an event": (EVENTS, b"1\r\na\r\n")}


@contextmanager
def dripping(begin, again, first=()):
    """A server that answers so, after the answers of `first`; yields its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()
    first = list(first)

    def serve(connection):
        with connection:
            try:
                data = b""
                while b"\r\n\r\n" not in data:
                    data += connection.recv(65536)
                if first:
                    connection.sendall(first.pop(0))
                    return
                for piece in chain([begin], repeat(again)):
                    connection.sendall(piece)
                    if over.wait(PAUSE):
                        return
            except OSError:
                pass

    def accept():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        over.set()
        listener.close()


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    """The bounds of seconds, shorter."""
    monkeypatch.setattr(transport, "HEAD_SECONDS", 0.1)
    monkeypatch.setattr(transport, "PACE_SECONDS", 0.1)
    monkeypatch.setattr(download, "ERROR_SECONDS", 0.1)
    monkeypatch.setattr(download, "BARREN", 2)
    monkeypatch.setattr(api, "MOST_SECONDS", 0.1)
    for kind in request.MOST_SECONDS:  # in place: other modules hold it too
        monkeypatch.setitem(request.MOST_SECONDS, kind, 0.15)
    monkeypatch.setattr(retry, "backoff", lambda tries, asked: 0.001)


def run(script, url, **arguments):
    """Run a script against a server; return the error that it must end with."""
    auth = {"api_key": KEY, "base_url": url}
    with pytest.raises(TogetherError) as caught:
        main_of(find(script))(auth, **arguments)
    return caught.value


def cases(*kinds):
    return [
        pytest.param(*case, id=name) for kind in kinds for name, case in kind.items()
    ]


@pytest.mark.parametrize(("begin", "again"), cases(ENDLESS))
@pytest.mark.parametrize(
    ("script", "arguments"),
    [
        ("files/get_file", {"file_id": "f"}),
        ("batches/create_batch", find("batches/create_batch").schema["examples"][0]),
    ],
)
def test_an_answer_without_end_ends(script, arguments, begin, again):
    with dripping(begin, again) as url:
        error = run(script, url, **arguments)

    assert "the answer took too long" in str(error)
    assert error.ambiguous is (script == "batches/create_batch")


@pytest.mark.parametrize(("begin", "again"), cases(ENDLESS, PINGS))
def test_a_stream_without_end_ends(begin, again):
    messages = [{"role": "user", "content": "hi"}]
    body = {"model": "m", "messages": messages, "stream": True}
    with dripping(begin, again) as url:
        error = run("chat/create_chat_completion", url, body=body)

    assert "too long" in str(error)


@pytest.mark.slow
@pytest.mark.parametrize(("begin", "again"), cases(ENDLESS))
def test_rows_without_an_end_are_cut_off(begin, again):
    with dripping(begin, again) as url:
        error = run(
            "chat/map_rows",
            url,
            model="m",
            template="{{a}}",
            rows=[{"a": "1"}],
            timeout_seconds=1,
        )

    assert "the answer took too long" in error.partial["rows"][0]["answer_error"]


@pytest.mark.parametrize(("begin", "again"), cases(ENDLESS, ERRORS))
def test_a_download_without_end_ends(begin, again):
    with dripping(begin, again) as url:
        error = run("files/download_file", url, file_id="f")

    assert "the answer took too long" in str(error) or error.status in (400, 404)


@pytest.mark.parametrize(("begin", "again"), cases(ENDLESS, ERRORS))
def test_a_file_by_address_without_end_ends(begin, again):
    with dripping(begin, again) as url:
        error = run("files/read_rows", url, rows={"url": f"{url}/t.csv"})

    assert error.problems[0]["field"] == "rows"


@pytest.mark.parametrize(("begin", "again"), cases(ENDLESS, ERRORS))
def test_an_answer_of_windmill_without_end_ends(begin, again, monkeypatch):
    with dripping(begin, again) as url:
        monkeypatch.setenv("WM_TOKEN", "t")
        monkeypatch.setenv("WM_WORKSPACE", "w")
        monkeypatch.setenv("BASE_INTERNAL_URL", url)
        with pytest.raises(TogetherError, match=r"too long|\(Windmill"):
            api.ask_windmill("GET", "state", "The state cannot be read")


@pytest.fixture
def leisurely_pace(monkeypatch):
    """A byte in half a second is pace enough."""
    monkeypatch.setattr(transport, "PACE_BYTES", 1)
    monkeypatch.setattr(transport, "PACE_SECONDS", 0.5)


def test_a_body_may_take_any_time_as_long_as_it_comes(leisurely_pace):
    body = b"HTTP/1.1 200 OK\r\ncontent-length: 30\r\n\r\n"
    with dripping(body, b"a") as url:
        auth = {"api_key": KEY, "base_url": url}
        found = main_of(find("files/download_file"))(auth, file_id="f")

    assert found["file"]


def test_a_body_that_comes_on_and_on_ends_too(leisurely_pace, monkeypatch):
    monkeypatch.setattr(transport, "TRANSFER_SECONDS", 0.5)
    with dripping(LENGTH, b"a") as url:
        error = run("files/download_file", url, file_id="f", output="result")

    assert error.type == "connection"
    assert 0 < error.received < 100


def test_a_body_without_a_length_ends_somewhere(leisurely_pace, monkeypatch):
    monkeypatch.setattr(transport, "MOST_UNKNOWN_BYTES", 10)
    with dripping(CHUNKED, b"1\r\na\r\n") as url:
        error = run("files/download_file", url, file_id="f", output="result")

    assert error.type == "too_large"
