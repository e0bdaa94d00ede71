"""The connections that exchanges go over: read in pieces, kept, given up."""

import http.client
import select
import socket
import threading
from types import SimpleNamespace

import pytest
from urllib3.exceptions import HTTPError

from scripts.client.carrier import BLOCK, CarriedAnswer, Carrier
from tests.test_client import answer, server


class Raw:
    """An answer as http.client has it; its body comes in these pieces."""

    status, reason = 200, "OK"

    def __init__(self, *pieces, length=None, stays=True):
        self.headers = {"a": "b"}
        self.pieces, self.length = list(pieces), length
        self.will_close = not stays
        self.sizes, self.closed = [], False

    def read1(self, size):
        self.sizes.append(size)
        piece = self.pieces.pop(0) if self.pieces else b""
        if isinstance(piece, Exception):
            raise piece
        if len(piece) > size:
            self.pieces.insert(0, piece[size:])
            piece = piece[:size]
        if self.length is not None:
            self.length -= len(piece)
        return piece

    def isclosed(self):
        return self.closed

    def close(self):
        self.closed = True


class Connection:
    sock = "a socket"
    closed = False

    def close(self):
        self.closed = True


def carried(*pieces, **more):
    """(The answer, the connections that are kept, its own connection)."""
    carrier = Carrier("http://host", http.client.HTTPResponse, None)
    connection = Connection()
    return (
        CarriedAnswer(carrier, connection, Raw(*pieces, **more)),
        carrier.idle,
        connection,
    )


def test_an_answer_is_what_came():
    found, _, _ = carried()

    assert (found.status, found.reason, found.headers) == (200, "OK", {"a": "b"})
    assert found._original_response is found.raw


@pytest.mark.parametrize(
    ("amount", "taken", "sizes"),
    [
        (None, b"abcde", [BLOCK] * 4),
        (9, b"abcde", [9, 7, 5, 4]),
        (4, b"abcd", [4, 2]),
        (3, b"abc", [3, 1]),
        (1, b"a", [1]),
        (0, b"", []),
    ],
)
def test_as_many_bytes_are_read_as_are_asked_for(amount, taken, sizes):
    found, _, _ = carried(b"ab", b"cd", b"e")

    assert found.read(amount) == taken
    assert found.raw.sizes == sizes


def test_what_comes_at_once_is_read_at_once():
    found, _, _ = carried(b"ab", b"cd")

    assert found.read1() == b"ab"
    assert found.read1(1) == b"c"
    assert found.raw.sizes == [BLOCK, 1]


def test_a_connection_is_kept_once_the_whole_answer_was_read():
    found, idle, connection = carried(b"ab", b"c", length=3)

    assert found.read1() == b"ab"
    assert idle == []
    assert found.read1() == b"c"  # of a known length, that is the end
    assert idle == [connection]
    found.release_conn()
    found.close()
    assert (idle, connection.closed) == ([connection], False)


def test_an_answer_of_no_known_length_ends_with_nothing():
    found, idle, connection = carried(b"ab", b"cd")

    found.drain_conn()

    assert (idle, found.raw.closed) == ([connection], True)
    assert found.raw.sizes == [BLOCK] * 3


@pytest.mark.parametrize("how", ["unread", "closes", "gone", "closed"])
def test_a_connection_that_cannot_serve_again_is_closed(how):
    found, idle, connection = carried(b"ab", length=2, stays=how != "closes")
    if how == "gone":
        connection.sock = None
    if how in ("closes", "gone"):
        found.read()
    elif how == "unread":
        found.release_conn()
    else:
        found.close()

    assert (idle, connection.closed) == ([], True)
    assert found.raw.closed == (how != "unread")


@pytest.mark.parametrize(
    ("pieces", "length", "words"),
    [
        ((b"ab",), 5, "3 more expected"),
        ((b"ab", OSError("cut")), 5, "cut"),
        ((b"ab", http.client.HTTPException("odd")), None, "odd"),
    ],
)
def test_a_body_that_breaks_off_gives_its_connection_up(pieces, length, words):
    found, idle, connection = carried(*pieces, length=length)

    with pytest.raises(HTTPError, match=words):
        found.read()

    assert (idle, connection.closed) == ([], True)


def exchange(carrier, data=None, timeout=(5.0, 5.0)):
    return carrier.exchange("GET", "/a", data, {}, timeout)


def test_a_connection_is_opened_where_none_waits_and_counted():
    stays = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"
    with server(stays) as (url, requests):
        carrier = Carrier(url, http.client.HTTPResponse, None)
        assert carrier.opened == 0
        first, second = exchange(carrier), exchange(carrier)
        assert carrier.opened == 2
        assert [first.read(), second.read()] == [b"hi", b"hi"]
        assert len(carrier.idle) == 2
        first.connection = None
        for one in carrier.idle:  # until the server has hung up
            assert select.select([one.sock], [], [], 60)[0]
        assert exchange(carrier).read() == b"hi"

    assert carrier.opened == 3
    assert len(requests) == 3
    assert requests[0].startswith(b"GET /a HTTP/1.1\r\n")


@pytest.mark.parametrize("secure", [True, False])
def test_a_host_that_does_not_answer_is_given_up_in_time(secure):
    """Before anything is sent where TLS is agreed upon, and after it else."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        kind = "https" if secure else "http"
        url = f"{kind}://127.0.0.1:{listener.getsockname()[1]}"
        carrier = Carrier(url, http.client.HTTPResponse, lambda: None)
        ended = []

        def ask():
            try:
                exchange(carrier, timeout=(0.2, 0.2))
            except HTTPError as error:
                ended.append(error)

        thread = threading.Thread(target=ask, daemon=True)
        thread.start()
        thread.join(60)

    assert len(ended) == 1
    assert carrier.idle == []


def test_a_connection_waits_as_long_as_each_part_of_an_exchange_may():
    stays = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi"
    with server(stays) as (url, _):
        carrier = Carrier(url, http.client.HTTPResponse, None)
        found = exchange(carrier, timeout=(4.0, 5.0))

        assert found.connection.timeout == 4.0
        assert found.connection.sock.gettimeout() == 5.0
        assert found.read() == b"hi"


def test_a_connection_that_the_server_ends_is_not_kept():
    with server(answer(b"hi")) as (url, _):
        carrier = Carrier(url, http.client.HTTPResponse, None)

        assert exchange(carrier).read() == b"hi"
    assert carrier.idle == []


def test_a_kept_connection_waits_as_long_as_this_exchange_says():
    waits = []
    carrier = Carrier("http://host", http.client.HTTPResponse, None)
    kept = SimpleNamespace(
        sock=SimpleNamespace(settimeout=waits.append),
        request=lambda *given: waits.append(given),
        getresponse=Raw,
    )
    carrier.connection = lambda seconds: kept

    found = carrier.exchange("GET", "/a", b"x", {"b": "c"}, (1.0, 2.0))

    assert waits == [1.0, ("GET", "/a", b"x", {"b": "c"}), 2.0]
    assert found.status == 200


class Raced(list):
    """Connections that another thread takes first."""

    def pop(self):
        self.clear()
        raise IndexError


def test_where_another_thread_was_quicker_a_connection_is_opened():
    with server(answer(b"Hi")) as (url, _):
        carrier = Carrier(url, http.client.HTTPResponse, None)
        carrier.idle = Raced([Connection()])
        found = carrier.exchange("GET", "/", None, {}, (1.0, 2.0))

        assert found.read() == b"Hi"
    assert carrier.opened == 1
