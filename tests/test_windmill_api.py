"""The tools' client of Windmill's API, against a server that is told what to say."""

import http.server
import json
import socket
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

import pytest

from tools.local.server_thread import handling
from tools.workspace.windmill_api import PAGE, ApiError, WindmillApi

TOKEN = "wm_token_0123456789"


@contextmanager
def serving(answer):
    """A server that answers with what answer(method, path, query, body) gives: status,
    content type, body, and further headers; yields a client of it, and what it got."""
    got = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            place = urlsplit(self.path)
            query = {k: v[0] for k, v in parse_qs(place.query).items()}
            size = int(self.headers.get("content-length") or 0)
            body = self.rfile.read(size)
            got.append((self.command, self.path, dict(self.headers), body))
            status, kind, said, *more = answer(self.command, place.path, query, body)
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(said)))
            for name, value in more:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(said)

        do_POST = do_DELETE = do_GET  # noqa: N815, named by the standard library

        def log_message(self, *_):
            pass

    with handling(Handler) as url:
        yield WindmillApi(url, "w", TOKEN), got


def said(value):
    return 200, "application/json", json.dumps(value).encode()


def test_paths_are_of_the_workspace_or_of_the_server():
    with serving(lambda *_: said({})) as (api, got):
        api.get("folders/get/a b")
        api.get("/version")
    assert [path for _, path, _, _ in got] == [
        "/api/w/w/folders/get/a%20b",
        "/api/version",
    ]


def test_the_token_is_sent_and_no_netrc_takes_its_place(tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with serving(lambda *_: said({})) as (api, got):
        api.post("jobs/run/p/f/a/b", {"x": 1})
    (request,) = got
    assert request[2]["Authorization"] == f"Bearer {TOKEN}"
    assert json.loads(request[3]) == {"x": 1}
    assert TOKEN not in repr(vars(api))


def test_a_call_that_takes_no_body_has_none():
    with serving(lambda *_: said("done")) as (api, got):
        api.post("scripts/delete/p/f/a/b")
    ((_, _, headers, body),) = got
    assert (headers["Content-Length"], body) == ("0", b"")


def test_a_refusal_says_what_windmill_said_and_no_token():
    refusal = 403, "text/plain", b"Not authorized: Require admin privileges"
    with (
        serving(lambda *_: refusal) as (api, _),
        pytest.raises(
            ApiError, match="DELETE folders/delete/x: 403: Not authorized"
        ) as caught,
    ):
        api.delete("folders/delete/x")
    assert caught.value.status == 403
    assert TOKEN not in str(caught.value)


def test_what_a_closed_connection_lost_is_asked_again_if_it_changes_nothing():
    lost = []

    def answer(method, path, query, body):
        lost.append(method)
        if lost.count(method) == 1:
            raise ConnectionAbortedError  # the handler ends, and closes the connection
        return said({})

    with serving(answer) as (api, _):
        assert api.get("folders/get/a") == {}
        for change in (lambda: api.post("jobs/run/p/a"), lambda: api.delete("a/b")):
            with pytest.raises(ApiError, match="without response"):
                change()
    assert lost == ["GET", "GET", "POST", "DELETE"]


def test_a_server_that_is_not_there_is_said_so():
    with socket.socket() as deaf:  # holds its port, and listens to nobody
        deaf.bind(("127.0.0.1", 0))
        api = WindmillApi(f"http://127.0.0.1:{deaf.getsockname()[1]}", "w", TOKEN)
        with pytest.raises(ApiError, match="refused") as caught:
            api.get("/version")
    assert caught.value.status is None


def test_a_redirect_is_not_followed():
    moved = 301, "text/plain", b"", ("location", "https://b.example/api/version")
    with (
        serving(lambda *_: moved) as (api, got),
        pytest.raises(ApiError, match=r"has moved to https://b\.example"),
    ):
        api.post("jobs/run/p/f/a/b")
    assert len(got) == 1


@pytest.mark.parametrize(
    ("location", "told"),
    [
        (f"https://b.example/x?t={TOKEN}", "https://b.example/x"),
        (f"https://b.example/x#{TOKEN}", "https://b.example/x"),
        (f"https://b.example/{TOKEN}/x", "https://b.example/***/x"),
        ("https://me:pw12345@b.example/x", "https://b.example/x"),
        ("//me:pw12345@b.example/x", "//b.example/x"),
        ("/login", "/login"),
    ],
)
def test_where_a_server_has_moved_to_is_told_without_secrets(location, told):
    moved = 302, "text/plain", b"", ("location", location)
    with serving(lambda *_: moved) as (api, _), pytest.raises(ApiError) as caught:
        api.get("x")
    assert str(caught.value) == f"GET x: 302: the server has moved to {told}"


@pytest.mark.parametrize("shown", range(len(TOKEN)))
def test_a_long_refusal_is_cut_and_shows_no_part_of_the_token(shown):
    long = 500, "text/plain", b"-" * (2000 - shown) + TOKEN.encode()
    with serving(lambda *_: long) as (api, _), pytest.raises(ApiError) as caught:
        api.get("x")
    assert len(caught.value.words) <= 2000
    assert set(caught.value.words) <= {"-", "*"}


def test_what_is_not_there_is_none_and_no_error():
    with serving(lambda *_: (404, "text/plain", b"not found")) as (api, _):
        assert api.find("resources/get/f/a/b") is None
        with pytest.raises(ApiError):
            api.get("resources/get/f/a/b")


@pytest.mark.parametrize("text", ["CE v1.713.1", "v1.713.1", "EE v1.713.1-3-gab12"])
def test_the_version_is_its_number(text):
    with serving(lambda *_: (200, "text/plain", text.encode())) as (api, _):
        assert api.version() == "1.713.1"


def test_lists_are_read_to_their_end_and_hold_what_was_asked_for():
    paths = [f"f/a/{number}" for number in range(PAGE + 1)] + ["f/ab/1"]

    def answer(_, path, query, __):
        assert path == "/api/w/w/scripts/list"
        assert query["include_without_main"] == "true"
        first = (int(query["page"]) - 1) * PAGE
        return said([{"path": path} for path in paths[first : first + PAGE]])

    with serving(answer) as (api, _):
        assert sorted(api.entries("scripts", "f/a/")) == sorted(paths[:-1])
