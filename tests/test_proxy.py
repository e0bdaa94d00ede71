"""The helper through the proxy that the environment names."""

import socket
import threading
from contextlib import contextmanager

import pytest

from scripts.chat.map_rows import main as map_rows
from scripts.client import TogetherError, transport
from scripts.embeddings.rank_passages import main as rank_passages
from scripts.resilience import retry
from tests.support.trusted_tls import trusted_tls
from tests.test_client import BATCH, CREATE, GET, OK, SOON, answer, auth_for, server

LOGIN = b"proxy-authorization: basic bwu6c2vjcmv0"  # me:secret


@pytest.fixture
def tls(monkeypatch, tmp_path):
    """What a server of this machine needs, whose authority is trusted."""
    return trusted_tls(monkeypatch, tmp_path, "127.0.0.1", "api.example")


@pytest.fixture(autouse=True)
def _fresh(monkeypatch):
    monkeypatch.setattr(transport, "_carriers", {})
    monkeypatch.setattr(retry, "backoff", lambda tries, asked: 0.001)


@contextmanager
def tunnel(target, tls=None):
    """A proxy that leads every CONNECT to one target; yields (its place, heads)."""
    listener = socket.create_server(("127.0.0.1", 0))
    heads = []

    def pipe(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass
        finally:
            for end in (source, sink):
                end.close()

    def serve():
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            if tls:
                near = tls.wrap_socket(near, server_side=True)
            head = b""
            while b"\r\n\r\n" not in head:
                head += near.recv(65536)
            heads.append(head)
            far = socket.create_connection(target)
            near.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            for ends in ((near, far), (far, near)):
                threading.Thread(target=pipe, args=ends, daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}", heads
    finally:
        listener.close()


def place(url):
    host, port = url.rsplit("/", 1)[1].split(":")
    return host, int(port)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_request_over_tls_goes_through_a_tunnel(scheme, tls, monkeypatch):
    secure = tls if scheme == "https" else None
    with (
        server(OK, tls=tls) as (url, requests),
        tunnel(place(url), secure) as (proxy, heads),
    ):
        monkeypatch.setenv("https_proxy", f"{scheme}://me:secret@{proxy}")
        assert GET(auth_for("https://api.example"), "f") == {"ok": True}

    assert heads[0].startswith(b"CONNECT api.example:443 HTTP/1.")
    assert LOGIN in heads[0].lower()
    assert requests[0].startswith(b"GET /v1/files/f HTTP/1.1")
    assert LOGIN not in requests[0].lower()
    assert b"authorization: bearer" not in heads[0].lower()


def test_the_host_behind_a_tunnel_must_be_trusted(tls, monkeypatch):
    with (
        server(OK, tls=tls) as (url, requests),
        tunnel(place(url)) as (proxy, _),
    ):
        monkeypatch.setenv("https_proxy", proxy)
        with pytest.raises(TogetherError, match="not trusted"):
            GET(auth_for("https://other.example"), "f")

    assert not requests


def test_a_proxy_may_speak_tls_itself(tls, monkeypatch):
    with server(OK, tls=tls) as (proxy, requests):
        monkeypatch.setenv("http_proxy", proxy.replace("//", "//me:secret@"))
        assert GET(auth_for("http://together.example"), "f") == {"ok": True}

    assert requests[0].startswith(b"GET http://together.example/v1/files/f HTTP/1.1")
    assert b"\r\nhost: together.example\r\n" in requests[0].lower()
    assert LOGIN in requests[0].lower()


def test_a_proxy_that_refuses_is_named_and_nothing_was_sent(monkeypatch):
    with server(answer(b"no", "407 Proxy Authentication Required", SOON)) as (proxy, _):
        monkeypatch.setenv("https_proxy", proxy)
        with pytest.raises(TogetherError, match="proxy cannot be reached") as caught:
            CREATE(auth_for("https://api.example"), BATCH)

    assert not caught.value.ambiguous
    assert "proxy settings" in caught.value.advice


@pytest.mark.parametrize(
    "proxy",
    [
        "socks5://me:secret@127.0.0.1:1",
        "http://me:secret@host:8o8o",
        "http://me:secret@[:",
    ],
)
@pytest.mark.parametrize(
    "use",
    [
        lambda auth: CREATE(auth, BATCH),
        lambda auth: map_rows(auth, "{{text}}", ["a"], "m"),
        lambda auth: rank_passages(auth, "q", {"url": "http://93.184.216.34/x"}, "m"),
    ],
    ids=["call", "lanes", "fetch"],
)
def test_a_proxy_that_cannot_be_used_is_said_without_its_password(
    use, proxy, monkeypatch
):
    monkeypatch.setenv("http_proxy", proxy)
    with pytest.raises(TogetherError, match=r"proxy .* cannot be used") as caught:
        use(auth_for("http://api.example"))

    assert "http://host:port" in str(caught.value)
    assert "secret" not in str(vars(caught.value)) + str(caught.value)
    assert not caught.value.ambiguous


def test_hosts_that_the_environment_excepts_are_reached_directly(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with server(OK) as (url, requests):
        assert GET(auth_for(url), "f") == {"ok": True}

    assert requests[0].startswith(b"GET /v1/files/f ")
