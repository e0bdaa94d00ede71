"""Whose certificates are trusted, how long a body may take, and how it is read."""

import gzip
import math
import socket
import ssl
import time
import zlib
from contextlib import suppress
from types import SimpleNamespace

import pytest
import trustme
from urllib3.exceptions import DecodeError, ProtocolError

from scripts.client import TogetherError, transport
from scripts.client.transport import (
    MIB,
    MOST_ERROR_BYTES,
    MOST_HEAD_BYTES,
    Pace,
    TooLargeError,
    Unpacked,
    endless,
    http_exchange,
    names_proxy,
    read_pieces,
    read_whole,
    tls_context,
    too_long,
)
from tests.conftest import KEY
from tests.support.clock import set_clock
from tests.support.expected_request import main_of
from tests.test_client import OK, server
from tools.operations import find

NAMES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
GET = main_of(find("files/get_file"))


@pytest.fixture(autouse=True)
def _bare(monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(transport, "_tls", {})


@pytest.fixture
def authority(tmp_path):
    """Of a server here: (its context, a file with what it is trusted by)."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["h2", "http/1.1"])
    authority.issue_cert("127.0.0.1").configure_cert(context)
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(file)
    return context, file


def get(tls):
    with server(OK, tls=tls) as (url, _):
        auth = {"api_key": KEY, "base_url": url.replace("http:", "https:")}
        return GET(auth, "file-1")


@pytest.mark.parametrize("name", NAMES)
def test_a_bundle_that_the_environment_names_is_trusted(name, authority, monkeypatch):
    context, file = authority
    monkeypatch.setenv(name, str(file))

    assert get(context) == {"ok": True}


def test_the_first_of_several_bundles_counts(authority, tmp_path, monkeypatch):
    context, file = authority
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(other)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(file))
    monkeypatch.setenv("CURL_CA_BUNDLE", str(other))
    monkeypatch.setenv("SSL_CERT_FILE", str(other))

    assert get(context) == {"ok": True}
    assert tls_context() is tls_context()


def test_http_1_1_is_what_is_agreed_on(authority, monkeypatch):
    context, file = authority
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = tls_context().wrap_bio(to_client, to_server, server_hostname="127.0.0.1")
    other = context.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, other) * 2:
        with suppress(ssl.SSLWantReadError):
            side.do_handshake()

    assert client.selected_alpn_protocol() == "http/1.1"


def test_who_is_not_trusted_gets_no_request(authority):
    context, _ = authority
    with pytest.raises(TogetherError) as caught:
        get(context)

    assert "certificate" in str(caught.value).lower()


def test_a_directory_of_certificates_may_be_named(authority, tmp_path, monkeypatch):
    _, file = authority
    place = tmp_path / "certs"
    place.mkdir()
    (place / "ca.pem").write_bytes(file.read_bytes())
    monkeypatch.setenv("SSL_CERT_FILE", str(place))
    given = {}
    load = ssl.SSLContext.load_verify_locations

    def seen(context, **where):
        given.update(where)
        return load(context, **where)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", seen)
    tls_context()

    assert given == {"capath": str(place)}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_bundle_that_cannot_be_read_is_named(name, content, tmp_path, monkeypatch):
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    monkeypatch.setenv(name, str(file))

    with pytest.raises(TogetherError) as caught:
        tls_context()

    words = f"{name} names {file}, which holds no certificates that can be read: "
    assert str(caught.value).startswith(words)
    assert str(caught.value).endswith(".")
    assert caught.value.type == "proxy"
    assert str(caught.value) != f"{words}None."
    assert "[Errno" not in str(caught.value)
    advice = f"Correct {name} in the worker's environment, or unset it."
    assert caught.value.advice == advice


@pytest.mark.parametrize(
    ("names", "directory"), [(["1.0"], True), (["a.pem"], False), ([], False)]
)
def test_the_system_s_directory_is_used_where_it_is_one(
    names, directory, tmp_path, monkeypatch
):
    for name in names:
        (tmp_path / name).touch()
    paths = SimpleNamespace(capath=str(tmp_path))
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)
    context = tls_context()

    # What is read as needed is not counted; requests' own bundle is read at once.
    assert (len(context.get_ca_certs()) == 0) is directory
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_without_a_system_s_directory_requests_bundle_is_used(monkeypatch):
    paths = SimpleNamespace(capath=None)
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)

    assert len(tls_context().get_ca_certs()) > 50


class Answer:
    """What an answer's body is read from."""

    def __init__(self):
        self.reader = SimpleNamespace(most=None, until=None)
        self._original_response = self


def test_a_body_may_take_its_time_while_its_bytes_come(monkeypatch):
    now = [100.0]
    set_clock(monkeypatch, transport, monotonic=lambda: now[0])
    monkeypatch.setattr(transport, "PACE_BYTES", 10)
    monkeypatch.setattr(transport, "PACE_SECONDS", 5.0)
    monkeypatch.setattr(transport, "TRANSFER_SECONDS", 12.0)
    first, second = Answer(), Answer()
    pace = Pace()

    pace.keep(first, 0)
    assert first.reader.until == first.reader.most == 105.0
    now[0] = 104.0
    pace.keep(first, 9)  # too few bytes for more time
    assert first.reader.until == 105.0
    pace.keep(first, 10)
    assert first.reader.until == 109.0
    now[0] = 104.5
    pace.keep(first, 19)  # since the last time
    assert first.reader.until == 109.0
    pace.keep(second, 10)  # another connection has its own time
    assert second.reader.until == 109.5
    now[0] = 109.0
    pace.keep(second, 20)
    assert second.reader.until == 112.0  # and never more than for all of it
    assert not pace.is_lost()
    now[0] = 112.5
    with pytest.raises(TimeoutError, match="the answer took too long"):
        pace.keep(second, 21)
    assert pace.is_lost()


def test_only_a_body_of_no_known_length_can_be_endless(monkeypatch):
    monkeypatch.setattr(transport, "MOST_UNKNOWN_BYTES", 3 << 30)

    assert not too_long(None, 3 << 30)
    assert too_long(None, (3 << 30) + 1)
    assert not too_long(9, 4 << 30)
    error = endless("a.bin")
    assert str(error) == "a.bin: it has more than 3 GiB and does not say how many."
    assert error.type == "too_large"
    assert error.advice == "Give a source that says its length (Content-Length)."


@pytest.mark.parametrize("name", ["http_proxy", "HTTPS_PROXY", "All_Proxy"])
def test_a_proxy_is_named_in_any_case(name, monkeypatch):
    assert not names_proxy()
    monkeypatch.setenv(name, "")
    assert not names_proxy()
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert names_proxy()


class Response:
    """An answer whose body comes in these pieces; an exception among them is raised."""

    def __init__(self, *pieces, status=200, coding=None):
        self.status, self.reason, self.pieces = status, "OK", list(pieces)
        self.headers = {"content-encoding": coding} if coding else {}
        self.reader = SimpleNamespace(most=None, until=None)
        self._original_response = self
        self.asked, self.closed, self.released = [], 0, 0

    def read1(self, size, decode_content=True):
        self.asked.append((size, decode_content))
        piece = self.pieces.pop(0) if self.pieces else b""
        if isinstance(piece, Exception):
            raise piece
        return piece

    def close(self):
        self.closed += 1

    def release_conn(self):
        self.released += 1


@pytest.mark.parametrize("most", [None, 5.0])
def test_an_exchange_is_carried_with_its_last_moment(most, monkeypatch):
    seen = []

    def exchange(*given):
        seen.append((given, transport._exchange.most))
        return Response()

    carrier = SimpleNamespace(exchange=exchange)
    monkeypatch.setattr(transport, "_carriers", {"http://h:1": carrier})

    found = http_exchange("GET", "http://h:1/a//b", b"x", {"a": "b"}, (1.0, 2.0), most)

    assert found.status == 200
    assert seen == [(("GET", "/a//b", b"x", {"a": "b"}, (1.0, 2.0)), most)]
    assert transport._exchange.most is None
    assert (found.closed, found.released) == (0, 0)


@pytest.mark.parametrize("fault", [ValueError("odd"), OverflowError("odd")])
def test_an_answer_that_makes_no_sense_is_told(fault, monkeypatch):
    def exchange(*given):
        raise fault

    carrier = SimpleNamespace(exchange=exchange)
    monkeypatch.setattr(transport, "_carriers", {"http://h": carrier})

    with pytest.raises(ProtocolError) as caught:
        http_exchange("GET", "http://h/", None, {}, (1.0, 2.0), 9.0)
    assert str(caught.value) == "the answer makes no sense: odd"
    assert transport._exchange.most is None


def test_after_an_interim_answer_a_connection_is_given_up(monkeypatch):
    interim = Response(status=103)
    carrier = SimpleNamespace(exchange=lambda *given: interim)
    monkeypatch.setattr(transport, "_carriers", {"http://h": carrier})

    with pytest.raises(ProtocolError) as caught:
        http_exchange("GET", "http://h/", None, {}, (1.0, 2.0))
    assert str(caught.value) == "the answer is 103, an interim one"
    assert (interim.closed, interim.released) == (1, 1)


PACKED = gzip.compress(b"hello", mtime=0)
RAW_DEFLATE = zlib.compress(b"hello")[2:-4]


@pytest.mark.parametrize(
    ("coding", "pieces", "body"),
    [
        (None, [b"he", b"l", b"lo"], b"hello"),
        ("identity", [b"hello"], b"hello"),
        (" Identity ", [b"hello"], b"hello"),
        ("gzip", [PACKED], b"hello"),
        ("GZIP", [PACKED[:9], PACKED[9:]], b"hello"),
        ("x-gzip", [PACKED], b"hello"),
        ("gzip", [PACKED + PACKED], b"hellohello"),
        ("gzip", [PACKED + b"\0" * 9], b"hello"),
        ("deflate", [zlib.compress(b"hello")], b"hello"),
        ("deflate", [RAW_DEFLATE], b"hello"),
        ("gzip", [], b""),
        (None, [], b""),
    ],
)
def test_a_body_is_read_unpacked(coding, pieces, body):
    response = Response(*pieces, coding=coding)

    assert read_whole(response, 7.0) == body
    assert (response.reader.most, response.reader.until) == (7.0, 7.0)
    assert (response.closed, response.released) == (0, 1)
    plain = coding is None or coding.strip().lower() == "identity"
    assert set(response.asked) == {(65536, plain)}


def test_a_raw_deflate_is_whole_though_zlib_holds_its_end_back():
    lost = []
    for length in range(65_536, 66_536):  # above what is asked for at a time
        packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        packed = packer.compress(b"a" * length) + packer.flush()
        for pieces in ([packed], [packed[:-1], packed[-1:]]):
            response = Response(*pieces, coding="deflate")
            if read_whole(response, 7.0) != b"a" * length:
                lost.append(length)
        with pytest.raises(OSError, match="cut short"):
            read_whole(Response(packed[:-1], coding="deflate"), 7.0)

    assert lost == []


def test_a_compressed_body_unfolds_no_further_than_is_asked():
    body = Unpacked(Response(gzip.compress(b"0" * 1_000_000), coding="gzip"), "gzip")

    pieces = [body.read(1000) for _ in range(1000)]

    assert {len(piece) for piece in pieces} == {1000}
    assert body.read(1000) == b""


@pytest.mark.parametrize(
    ("coding", "pieces", "words"),
    [
        (None, [b"pla", b"in"], b"plain"),
        ("identity", [b"\0\xff"], b"\0\xff"),
        (" GZIP ", [PACKED], b"hello"),
        ("gzip", [PACKED[:-3]], b"hello"),
        ("deflate", [zlib.compress(b"hello")], b"hello"),
        ("deflate", [RAW_DEFLATE], b"hello"),
        ("gzip", [b"plain"], b"plain"),
        ("gzip", [b"\0plain"], b""),
        ("gzip", [b"caf\xe9"], b""),
        ("br", [b"plain"], b"plain"),
        ("br", [b"\xe9"], b""),
        ("gzip", [], b""),
        ("deflate", [], b""),
        ("gzip", [gzip.compress(b"0" * 9_000_000)], b"0" * MOST_ERROR_BYTES),
        (None, [b"cut", OSError("cut")], b"cut"),
        (None, [b"cut", ValueError("odd")], b"cut"),
        (None, [b"x" * MOST_ERROR_BYTES, b"y", b"never read"], b"x" * MOST_ERROR_BYTES),
    ],
)
def test_the_words_of_a_refusal_are_read_as_far_as_they_come(coding, pieces, words):
    response = Response(*pieces, coding=coding)

    assert transport._read_error(response, 7.0) == words
    assert (response.reader.most, response.reader.until) == (7.0, 7.0)
    whole = pieces[-1:] != [b"never read"] and not isinstance(
        (pieces or [b""])[-1], Exception
    )
    assert (response.closed, response.released) == ((0, 1) if whole else (1, 1))
    assert set(response.asked) == {(65536, False)}


def test_a_body_without_a_last_moment_has_the_one_before():
    response = Response(b"a")
    response.reader.most = 3.0

    assert list(read_pieces(response)) == [b"a"]
    assert (response.reader.most, response.reader.until) == (3.0, None)


BROKEN = [
    ("br", [b"x"], DecodeError, "the answer's coding 'br' was not asked for"),
    ("y" * 30, [], DecodeError, f"the answer's coding '{'y' * 20}' was not asked for"),
    (None, [ValueError("odd")], ProtocolError, "the answer's length makes no sense"),
    (None, [OverflowError("odd")], ProtocolError, "the answer's length makes no sense"),
    (None, [b"a", OSError("cut")], OSError, "cut"),
    ("gzip", [PACKED[:-3]], OSError, "the answer's compressed body is cut short"),
    ("gzip", [b"no gzip at all"], DecodeError, "the answer's compression is damaged"),
    ("gzip", [PACKED + b"X" * 9], DecodeError, "the answer's compression is damaged"),
    ("deflate", [b"x" * 9], DecodeError, "the answer's compression is damaged"),
]


@pytest.mark.parametrize(("coding", "pieces", "kind", "words"), BROKEN)
def test_a_body_that_breaks_is_told_and_its_connection_given_up(
    coding, pieces, kind, words
):
    response = Response(*pieces, coding=coding)

    with pytest.raises(kind) as caught:
        read_whole(response, 7.0)
    assert str(caught.value).startswith(words)
    assert (response.closed, response.released) == (1, 1)


def test_an_answer_is_read_up_to_a_bound_and_an_error_cut_there(monkeypatch):
    monkeypatch.setattr(transport, "MOST_ANSWER_BYTES", 2 * MIB)
    half = b"a" * MIB
    fits, more = Response(half, half), Response(half, half, b"b", b"c")
    piece = b"e" * (MOST_ERROR_BYTES - 1)
    error, moved = Response(piece, b"xy", b"z", status=400), Response(piece, status=300)
    once = Response(piece + b"xyz", status=500)

    assert read_whole(fits, 9.0) == half + half
    with pytest.raises(TooLargeError) as caught:
        read_whole(more, 9.0)
    assert str(caught.value) == "the answer has more than 2 MiB"
    assert (more.closed, more.pieces) == (1, [b"c"])
    assert read_whole(error, 9.0) == piece + b"x"
    assert (error.closed, error.pieces) == (1, [b"z"])
    assert read_whole(moved, 9.0) == piece
    assert read_whole(once, 9.0) == piece + b"x"


@pytest.fixture
def wire():
    """(A socket that a reader reads from, its other end)."""
    ours, other = socket.socketpair()
    yield ours, other
    ours.close()
    other.close()


def test_a_head_has_its_time_from_its_first_byte_and_its_bounds(wire, monkeypatch):
    ours, other = wire
    ours.settimeout(50.0)
    reader = transport._Reader(ours, None)
    assert (reader.most, reader.until, reader.room) == (math.inf, None, MOST_HEAD_BYTES)

    other.sendall(b"HTTP")
    buffer = bytearray(4)
    assert reader.readinto(buffer) == 4
    assert bytes(buffer) == b"HTTP"
    other.sendall(b" ")
    reader.room = 1
    assert reader.readinto(bytearray(1)) == 1  # the last that there is room for
    reader.room = MOST_HEAD_BYTES - 4
    assert 0 < reader.until - time.monotonic() <= transport.HEAD_SECONDS
    assert reader.room == MOST_HEAD_BYTES - 4
    assert ours.gettimeout() == 50.0

    other.sendall(b"/1.1")
    reader.room = 3
    with pytest.raises(OSError, match=r"^the answer's head has no end$"):
        reader.readinto(buffer)


@pytest.mark.parametrize("most", [None, 30.0])
def test_what_is_left_of_the_time_is_all_that_is_waited(wire, most):
    ours, other = wire
    ours.settimeout(50.0)
    until = None if most is None else time.monotonic() + most
    reader = transport._Reader(ours, until)
    other.sendall(b"ab")

    assert reader.readinto(bytearray(1)) == 1
    assert ours.gettimeout() == 50.0 if most is None else 0 < ours.gettimeout() <= most
    assert reader.until <= (until or math.inf)
    reader.until = time.monotonic() + 0.5
    assert reader.readinto(bytearray(1)) == 1
    assert 0 < ours.gettimeout() <= 0.5
    with pytest.raises(TimeoutError, match="the answer took too long"):
        reader.readinto(bytearray(1))
    with pytest.raises(TimeoutError, match="the answer took too long"):
        reader.readinto(bytearray(1))


def test_a_socket_s_own_silence_is_told_as_that(wire):
    ours, _ = wire
    ours.settimeout(0.05)
    reader = transport._Reader(ours, None)

    with pytest.raises(TimeoutError) as caught:
        reader.readinto(bytearray(1))
    assert str(caught.value) == "timed out"


def test_a_head_that_is_cut_short_is_told_and_a_body_just_ends(wire):
    ours, other = wire
    other.sendall(b"H")
    other.close()
    head, body = transport._Reader(ours, None), transport._Reader(ours, None)

    assert head.readinto(bytearray(4)) == 1
    with pytest.raises(OSError, match=r"^the answer's head is cut short$"):
        head.readinto(bytearray(4))
    body.room = math.inf
    assert body.readinto(bytearray(4)) == 0


LENGTHS = [
    ("content-length: 2\r\n", True),
    ("content-length: 2\r\ncontent-length: 2\r\n", True),
    ("content-length: 2\r\ncontent-length: 3\r\n", False),
    ("content-length: +2\r\n", False),
    ("content-length: \u00b2\r\n", False),
    (f"content-length: {'0' * 17}2\r\n", True),
    (f"content-length: {'0' * 18}2\r\n", False),
    ("transfer-encoding: Chunked\r\n", True),
    ("transfer-encoding: gzip\r\n", False),
    ("", True),
]


@pytest.mark.parametrize(("headers", "sense"), LENGTHS)
def test_the_length_of_an_answer_is_one_or_it_makes_no_sense(headers, sense, wire):
    ours, other = wire
    body = "2\r\nhi\r\n0\r\n\r\n" if "hunked" in headers else "hi"
    head = f"HTTP/1.1 200 OK\r\n{headers}\r\n{body}"
    other.sendall(head.encode("latin-1"))
    other.close()
    transport._exchange.most = until = time.monotonic() + 30
    found = transport.Answer(ours)
    transport._exchange.most = None

    if sense:
        found.begin()
        assert found.read() == b"hi"
        assert found.reader.most == found.reader.until == until
        assert found.reader.room == math.inf
    else:
        with pytest.raises(transport.http.client.HTTPException) as caught:
            found.begin()
        assert str(caught.value) == "the answer's length makes no sense"


def test_what_an_error_says_is_kept_however_it_ends():
    cut = Response(b"no", OSError("cut"), status=300)

    assert read_whole(cut, 7.0) == b"no"


def test_an_answer_to_head_has_no_body():
    near, far = socket.socketpair()
    with near, far:
        far.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n")
        found = transport.Answer(near, method="HEAD")
        found.begin()
        assert found.read() == b""
        found.close()
