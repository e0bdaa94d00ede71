"""Addresses that somebody else names: which are reached, and how."""

import ipaddress
import socket
from types import SimpleNamespace

import pytest
import urllib3

from scripts.client import TogetherError, transport
from scripts.transfer import public_fetch
from scripts.transfer.public_fetch import fetch, reach_of
from tests.support.trusted_tls import trusted_tls
from tests.test_client import KEY, answer, server

HERE = frozenset(("http", "loopback", "private"))


def resolves(monkeypatch, **names):
    """Let names mean addresses; the rest of them is the machine's own matter."""
    genuine = socket.getaddrinfo
    asked = []

    def getaddrinfo(host, port, *words, **more):
        asked.append(host)
        meaning = names.get(host.split(".")[0] if isinstance(host, str) else "")
        if meaning is None:
            return genuine(host, port, *words, **more)
        address = meaning.pop(0) if len(meaning) > 1 else meaning[0]
        return genuine(address, port, *words, **more)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "0.0.0.0",
        "10.1.2.3",
        "172.31.0.1",
        "192.168.0.1",
        "100.64.0.1",
        "[fc00::1]",
        "169.254.169.254",
        "[fe80::1]",
        "[::ffff:169.254.169.254]",
        "100.100.100.200",
        "168.63.129.16",
        "[fd00:ec2::254]",
        "224.0.0.1",
        "255.255.255.255",
        "[::]",
        "[ff02::1]",
        "192.0.0.192",
    ],
)
def test_an_address_that_is_not_public_is_refused(host):
    with pytest.raises(TogetherError, match=r"body\.file was not used") as caught:
        fetch("GET", f"http://{host}/secret?signature=s3cr3t", what="body.file")

    assert "s3cr3t" not in str(caught.value)
    assert caught.value.problems[0]["field"] == "body.file"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("file:///etc/passwd", "http"),
        ("ftp://example.com/x", "http"),
        ("http:///x", "host"),
        ("http://[::1/x", "no URL"),
        ("http://a:b:c/", "no URL"),
        ("http://name.invalid/", "not known"),
    ],
)
def test_what_is_no_web_address_is_refused(url, words):
    with pytest.raises(TogetherError, match=words):
        fetch("GET", url)


@pytest.mark.parametrize(
    ("base", "opened"),
    [
        ("", set()),
        ("https://8.8.8.8", set()),
        ("http://8.8.8.8", {"http"}),
        ("https://10.0.0.7/v1", {"private"}),
        ("http://127.0.0.1:1", {"http", "loopback", "private"}),
        ("http://169.254.169.254", {"http"}),
        ("https://name.invalid", set()),
    ],
)
def test_the_resource_s_own_base_url_opens_its_own_networks(base, opened):
    assert reach_of({"api_key": KEY, "base_url": base}) == opened


def test_a_metadata_service_stays_closed_to_all():
    for host in ("169.254.169.254", "[fd00:ec2::254]", "100.100.100.200"):
        with pytest.raises(TogetherError, match="no file is fetched from"):
            fetch("GET", f"http://{host}/", reach=HERE)


def test_one_address_among_public_ones_is_enough_to_refuse(monkeypatch):
    def getaddrinfo(host, port, *_, **__):
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in ("93.184.216.34", "10.0.0.1")
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    with pytest.raises(TogetherError, match="on a private network"):
        fetch("GET", "https://files.example/")


def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch):
    with server(answer(b"data")) as (url, seen):
        port = url.rsplit(":", 1)[1]
        asked = resolves(monkeypatch, files=["127.0.0.1", "127.0.0.99"])
        response = fetch("GET", f"http://files.example:{port}/a?b", reach=HERE)

        assert response.read() == b"data"
        assert asked.count("files.example") == 1
        assert b"GET /a?b HTTP/1.1" in seen[0]
        assert f"Host: files.example:{port}".encode() in seen[0]


def test_the_certificate_must_be_the_name_s(monkeypatch, tmp_path):
    context = trusted_tls(monkeypatch, tmp_path, "files.example")
    resolves(monkeypatch, files=["127.0.0.1"], other=["127.0.0.1"])
    with server(answer(b"data"), tls=context) as (url, _):
        port = url.rsplit(":", 1)[1]
        found = fetch("GET", f"https://files.example:{port}/", reach=HERE).read()
        with pytest.raises(urllib3.exceptions.SSLError, match="mismatch"):
            fetch("GET", f"https://other.example:{port}/", reach=HERE)

    assert found == b"data"
    assert transport.tls_context().check_hostname


def moved(target, status="302 Found"):
    return answer(b"", status, f"location: {target}\r\n")


def test_each_redirect_is_checked(monkeypatch):
    private = moved("http://10.0.0.1/secret")
    metadata = moved("http://169.254.169.254/latest/meta-data/")
    elsewhere = moved("ftp://example.com/")
    with server(private, metadata, elsewhere) as (url, seen):
        for words in ("private network", "no file is fetched from", "http"):
            with pytest.raises(TogetherError, match=words):
                fetch("GET", f"{url}/a", reach=frozenset(("loopback",)))

    assert len(seen) == 3


@pytest.mark.parametrize(
    ("location", "asked"),
    [
        ("/café.csv".encode(), b"/caf%C3%A9.csv"),
        ("/café.csv".encode("latin-1"), b"/caf%E9.csv"),
        (b"/caf%C3%A9.csv?a=%20b", b"/caf%C3%A9.csv?a=%20b"),
        ("table.csv?name=Zoë".encode(), b"/table.csv?name=Zo%C3%AB"),
    ],
)
def test_a_redirect_leads_to_its_very_bytes(location, asked):
    target = moved("@").replace(b"@", location)
    with server(target, answer(b"rows")) as (url, seen):
        assert fetch("GET", f"{url}/a", reach=HERE).read() == b"rows"

    assert seen[1].split(b" ")[1] == asked


def test_a_redirect_to_what_is_no_url_is_refused():
    with server(moved("http://[::1")) as (url, _):
        with pytest.raises(TogetherError, match="redirects to what is no URL"):
            fetch("GET", f"{url}/a", reach=HERE)


def test_https_never_becomes_http(monkeypatch, tmp_path):
    context = trusted_tls(monkeypatch, tmp_path, "127.0.0.1")
    with server(answer(b"plain")) as (plain, _):
        with server(moved(plain), tls=context) as (url, _):
            with pytest.raises(TogetherError, match="from https to http"):
                fetch("GET", url, reach=frozenset(("loopback",)))
            assert fetch("GET", url, reach=HERE).read() == b"plain"


def test_a_signed_address_must_be_https():
    with pytest.raises(TogetherError, match="is not https"):
        fetch("PUT", "http://8.8.8.8/bucket", https=True, body=b"")


def test_a_redirect_keeps_the_method_and_the_body_and_drops_secrets():
    headers = {"Content-Length": "4", "Authorization": "Basic x", "X-Kept": "yes"}
    with server(answer(b"")) as (there, later):
        target = moved(f"{there}/b", "307 Temporary Redirect")
        with server(moved("/again"), target) as (url, first):
            fetch("PUT", f"{url}/a", reach=HERE, headers=headers, body=[b"da", b"ta"])

    assert [r.split(b" HTTP")[0] for r in first] == [b"PUT /a", b"PUT /again"]
    assert b"Basic x" in first[1]
    assert later[0].startswith(b"PUT /b HTTP/1.1\r\n")
    assert later[0].endswith(b"\r\n\r\ndata")
    assert b"X-Kept: yes" in later[0]
    assert b"Basic x" not in later[0]


def test_a_circle_of_redirects_ends():
    with server(moved("/a")) as (url, seen):
        with pytest.raises(TogetherError, match="more than 10 times"):
            fetch("GET", f"{url}/a", reach=HERE)

    assert len(seen) == public_fetch.MAX_REDIRECTS + 1


def test_a_login_in_the_address_goes_to_its_host_alone():
    with server(answer(b"")) as (there, later):
        with server(moved(there)) as (url, first):
            fetch("GET", url.replace("//", "//me:p%40ss@"), reach=HERE)

    assert b"Basic bWU6cEBzcw==" in first[0]
    assert b"Basic" not in later[0]


@pytest.mark.parametrize("login", ["me:p\u20ac", "me:p%E2%82%AC"])
def test_a_login_beyond_latin_is_sent_as_utf_8(login):
    with server(answer(b"")) as (url, seen):
        fetch("GET", url.replace("//", f"//{login}@"), reach=HERE)

    assert b"Authorization: Basic bWU6cOKCrA==\r\n" in seen[0]


def test_a_proxy_of_the_environment_is_used(monkeypatch):
    monkeypatch.setattr(transport, "_carriers", {})
    with server(answer(b"by proxy")) as (proxy, seen):
        monkeypatch.setenv("http_proxy", proxy)
        found = fetch("GET", "http://name.invalid/a", reach=HERE).read()
        with pytest.raises(TogetherError, match="private"):
            fetch("GET", "http://10.0.0.1/a")

    assert found == b"by proxy"
    assert seen[0].startswith(b"GET http://name.invalid/a HTTP/1.1")


def test_the_next_address_is_tried_when_one_is_dead(monkeypatch):
    with server(answer(b"alive")) as (url, _):

        def getaddrinfo(host, port, *_, **__):
            return [
                (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
                for address in ("127.0.0.2", "127.0.0.1")
            ]

        port = url.rsplit(":", 1)[1]
        with monkeypatch.context() as patched:
            patched.setattr(public_fetch, "socket", socket_with(getaddrinfo))
            found = fetch("GET", f"http://files.example:{port}/", reach=HERE).read()

    assert found == b"alive"


def socket_with(getaddrinfo):
    return SimpleNamespace(getaddrinfo=getaddrinfo, SOCK_STREAM=socket.SOCK_STREAM)


def test_addresses_are_told_apart():
    kinds = {
        "8.8.8.8": "public",
        "2606:4700::1111": "public",
        "127.8.8.8": "loopback",
        "::1": "loopback",
        "10.255.0.1": "private",
        "169.254.0.1": "closed",
    }

    assert {text: public_fetch._kind(text) for text in kinds} == kinds
    assert ipaddress.ip_address("168.63.129.16").is_global
