"""What servers, gateways and networks do to an answer: every fault of the matrix.

FAULTS names them. A fault takes the good answer and yields what goes over the wire
instead of it, see tests/support/fault_server.py.
"""

import gzip
import itertools
import json
import socket
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import formatdate
from functools import cache

from tests.support.fault_server import (
    HOLD,
    KEEP,
    RESET,
    Good,
    chunked,
    cut_places,
    reset,
)

NOTHING = object()
SLOW = 0.2  # seconds between two bytes of what drips: below every limit of silence
MIB = 1 << 20
JSON = {"content-type": "application/json"}
SSE = {"content-type": "text/event-stream"}


@dataclass
class Fault:
    """One fault.

    form      which answers it is for: any, json, sse or bytes
    harmless  the answer is right in spite of it, and must be taken for that
    says      what the answer says in place of the good one, as a value of JSON, or a
              function of that one and a result which tells whether it says so: a raw
              operation may return it
    error     what it says is an error, which must not be taken for an answer
    early     done before the request's body is read
    tls       the name of what happens to TLS
    """

    name: str
    send: Callable[[Good], Iterator]
    form: str = "any"
    harmless: bool = False
    says: object = NOTHING
    error: bool = False
    early: Callable | None = None
    tls: str | None = None

    @property
    def group(self) -> str:
        return self.name.split(":")[0]


FAULTS: dict[str, Fault] = {}


def fault(name: str, send: Callable | None, **more: object) -> None:
    assert name not in FAULTS, name
    FAULTS[name] = Fault(name, send or (lambda good: iter(())), **more)


def sends(*steps: object) -> Callable:
    """A fault that does not depend on the good answer."""
    return lambda good: iter(steps)


def whole(data: Callable) -> Callable:
    """A fault that is bytes made of the good answer, after which all goes on."""
    return lambda good: iter((data(good), KEEP))


def cut(data: Callable, end: object) -> Callable:
    """A fault that is bytes made of the good answer, and then the end."""
    return lambda good: iter((data(good), *([] if end is None else [end])))


ENDS = {"closed": None, "reset": RESET, "silent": HOLD}


def instead(
    body: bytes, status: str = "200 OK", kind: str = "application/json", **headers: str
) -> Callable:
    """A fault that answers with something else, well framed."""
    return whole(
        lambda good: Good(body, status, {"content-type": kind}).head(**headers) + body
    )


def drip(data: bytes, pause: float = SLOW) -> Iterator:
    for byte in data:
        yield bytes([byte])
        yield pause


def for_ever(piece: bytes, pause: float | None = None) -> Iterator:
    while True:
        yield piece
        if pause:
            yield pause


# --- the connection ----------------------------------------------------------------

fault("connection: closed at once", sends())
fault("connection: reset at once", sends(RESET))
fault("connection: silent", sends(HOLD))
fault("connection: closed before the request is read", None, early=lambda c: True)
fault(
    "connection: reset before the request is read",
    None,
    early=lambda c: reset(c) or True,
)


def _refuse(connection: socket.socket) -> bool:
    body = b'{"error": {"message": "too large"}}'
    connection.sendall(Good(body, "413 Too Large").head(connection="close") + body)
    connection.shutdown(socket.SHUT_WR)
    return True


fault("connection: refused before the request is read", None, early=_refuse)
fault(
    "connection: closed after a good answer",
    lambda good: iter((good.whole(),)),
    harmless=True,
)
fault(
    "connection: says that it closes",
    lambda good: iter((good.head(connection="close") + good.body,)),
    harmless=True,
)
fault("connection: says that it closes, and does not", lambda good: iter(
    (good.head(connection="close") + good.body, HOLD)), harmless=True)  # fmt: skip

# --- timing ------------------------------------------------------------------------

fault("time: late", lambda good: iter((SLOW, good.whole(), KEEP)), harmless=True)
fault(
    "time: body late",
    lambda good: iter((good.head(), SLOW, good.body, KEEP)),
    harmless=True,
)
fault(
    "time: a byte at a time",
    lambda good: itertools.chain((bytes([b]) for b in good.whole()), [KEEP]),
    harmless=True,
)
fault("time: head drips", lambda good: drip(good.head() * 9))
fault("time: body drips", lambda good: itertools.chain(
    [good.head(10_000)], drip(good.body + b" " * 10_000)))  # fmt: skip
fault("time: chunked body drips", lambda good: itertools.chain(
    [good.head("", transfer_encoding="chunked")], for_ever(b"1\r\n \r\n", SLOW)))  # fmt: skip
fault("time: error drips", lambda good: itertools.chain(
    [Good(b"", "500 Oops").head(10_000)], for_ever(b" ", SLOW)))  # fmt: skip
fault("time: head without end", lambda good: itertools.chain(
    [good.head("")[:-2]], (b"x-%d: y\r\n" % i for i in itertools.count())))  # fmt: skip
fault("time: head without end, slowly", lambda good: itertools.chain(
    [good.head("")[:-2]], for_ever(b"x: y\r\n", SLOW)))  # fmt: skip
fault("time: body without end", lambda good: itertools.chain(
    [good.head("")], for_ever(b" " * 65536)))  # fmt: skip
fault("time: chunked body without end", lambda good: itertools.chain(
    [good.head("", transfer_encoding="chunked")],
    for_ever(b"10000\r\n" + b" " * 65536 + b"\r\n")))  # fmt: skip
fault("time: error without end", lambda good: itertools.chain(
    [Good(b"", "500 Oops").head("")], for_ever(b"x" * 65536)))  # fmt: skip
fault("time: refusal without end", lambda good: itertools.chain(
    [Good(b"", "400 Bad").head("")], for_ever(b"x" * 65536)))  # fmt: skip

# --- the status line ---------------------------------------------------------------

for _name, _line in {
    "protocol 1.0": b"HTTP/1.0 200 OK",
    "no reason": b"HTTP/1.1 200",
    "no reason, a blank": b"HTTP/1.1 200 ",
    "a reason in Latin-1": b"HTTP/1.1 200 Tr\xe8s bien",
}.items():
    fault(f"status line: {_name}", whole(
        lambda good, line=_line: line + good.whole()[len("HTTP/1.1 200 OK"):]
        if good.status == "200 OK" else good.whole()), harmless=True)  # fmt: skip
for _name, _line in {
    "protocol 2.0": b"HTTP/2.0 200 OK",
    "protocol 9": b"HTTP/9 200 OK",
    "no protocol": b"200 OK",
    "another protocol": b"ICY 200 OK",
    "status 99": b"HTTP/1.1 099 Odd",
    "status 1000": b"HTTP/1.1 1000 Odd",
    "status -200": b"HTTP/1.1 -200 Odd",
    "status abc": b"HTTP/1.1 abc OK",
    "no status": b"HTTP/1.1",
    "status 2OO": b"HTTP/1.1 2OO OK",
    "a huge reason": b"HTTP/1.1 200 " + b"x" * 70_000,
    "blank lines first": b"\r\n\r\nHTTP/1.1 200 OK",
    "NUL": b"HTTP/1.1 200 O\0K",
}.items():
    fault(f"status line: {_name}", cut(
        lambda good, line=_line: line + good.head()[good.head().index(b"\r\n"):]
        + good.body, None))  # fmt: skip
fault("status line: HTTP/0.9, a body alone", cut(lambda good: good.body, None))
fault("status line: binary", sends(bytes(range(256)) * 20))
fault("status line: TLS", sends(b"\x15\x03\x01\x00\x02\x02\x46"))
fault("status line: SSH", sends(b"SSH-2.0-OpenSSH_9.7\r\n", HOLD))
fault(
    "status line: HTTP/2 settings", sends(b"\0\0\x12\4\0\0\0\0\0\0\3\0\0\0\x64", HOLD)
)
fault("status line: never ends", lambda good: itertools.chain(
    [b"HTTP/1.1 200 "], for_ever(b"x" * 65536)))  # fmt: skip
fault("status line: drips", lambda good: itertools.chain(
    [b"HTTP/1.1 200 "], for_ever(b"x", SLOW)))  # fmt: skip
for _place in cut_places(Good(b"{}").head()):
    for _end, _step in ENDS.items():
        fault(f"head: {_end} {_place}", cut(
            lambda good, p=_place: good.head()[: cut_places(good.head())[p]],
            _step))  # fmt: skip

# --- interim answers ---------------------------------------------------------------

HINT = b"HTTP/1.1 %d Wait\r\nlink: </a>\r\n\r\n"
fault("interim: 100", whole(lambda good: HINT % 100 + good.whole()), harmless=True)
fault(
    "interim: 100 twenty times",
    whole(lambda good: HINT % 100 * 20 + good.whole()),
    harmless=True,
)
for _code in (101, 102, 103, 199):
    fault(f"interim: {_code}", whole(lambda good, c=_code: HINT % c + good.whole()))
    fault(f"interim: {_code} and silence", sends(HINT % _code, HOLD))
fault("interim: 100 and silence", sends(HINT % 100, HOLD))
fault("interim: 100 and the end", sends(HINT % 100))
fault("interim: 100 without end", lambda good: for_ever(HINT % 100))
fault("interim: 100 without end, slowly", lambda good: for_ever(HINT % 100, SLOW))
fault("interim: 103 without end", lambda good: for_ever(HINT % 103))
fault("interim: 100 whose headers have no end", lambda good: itertools.chain(
    [b"HTTP/1.1 100 Wait\r\n"], for_ever(b"x: y\r\n")))  # fmt: skip

# --- headers and lengths -----------------------------------------------------------

for _name, _more in {
    "blanks around values": {"x-a": "  b  "},
    "90 of them": {f"x-{n}": "y" for n in range(90)},
    "an empty one": {"x-a": ""},
    "one in Latin-1": {"x-a": "\xe9"},
}.items():
    fault(f"headers: {_name}", whole(
        lambda good, more=_more: Good(good.body, good.status,
                                      {**more, **good.headers}).whole()),
        harmless=True)  # fmt: skip
fault("headers: in capitals", whole(
    lambda good: Good(good.body, good.status,
                      {k.upper(): v for k, v in good.headers.items()}).whole()),
    harmless=True)  # fmt: skip
for _name, _line in {
    "one without a colon": b"nonsense\r\n",
    "one folded": b"x-a: b\r\n c\r\n",
    "one with NUL": b"x-a: b\0c\r\n",
    "one without a name": b": b\r\n",
    "a blank in a name": b"x a: b\r\n",
    "200 of them": b"x-a: b\r\n" * 200,
    "a line of 70,000 bytes": b"x-a: " + b"y" * 70_000 + b"\r\n",
    "bare CR": b"x-a: b\rc: d\r\n",
    "bytes that are no text": b"x-a: \xff\xfe\xc3\r\n",
}.items():
    fault(f"headers: {_name}", cut(
        lambda good, line=_line: good.head()[:-2] + line + b"\r\n" + good.body,
        None))  # fmt: skip
fault("headers: lines end with LF alone", cut(
    lambda good: good.head().replace(b"\r\n", b"\n") + good.body, None),
    harmless=True)  # fmt: skip
fault("headers: none", cut(lambda good: b"HTTP/1.1 200 OK\r\n\r\n" + good.body, None))
fault("length: none, closed", cut(
    lambda good: good.head("") + good.body, None), harmless=True)  # fmt: skip
fault("length: none, silent", cut(lambda good: good.head("") + good.body, HOLD))
fault("length: none, reset", cut(lambda good: good.head("") + good.body, RESET))
fault("length: twice the same", whole(
    lambda good: good.head(x="y").replace(b"x: y", b"content-length: %d"
                                          % len(good.body)) + good.body),
    harmless=True)  # fmt: skip
for _name, _length in {
    "negative": "-1",
    "no number": "abc",
    "a fraction": "12.5",
    "hexadecimal": "0x20",
    "with a plus": "+7",
    "with a comma": "7, 8",
    "absurd": str(10**30),
    "of 5,000 digits": "9" * 5000,
    "beyond 63 bits": str(1 << 63),
    "empty": " ",
    "in other digits": "\xb2",
}.items():
    fault(f"length: {_name}", cut(
        lambda good, n=_length: good.head(n) + good.body, None))  # fmt: skip
fault("length: zero before a body", whole(lambda good: good.head(0) + good.body))
fault("length: too small", whole(
    lambda good: good.head(len(good.body) // 2) + good.body))  # fmt: skip
fault("length: too small by one", whole(
    lambda good: good.head(max(len(good.body) - 1, 0)) + good.body))  # fmt: skip
for _end, _step in ENDS.items():
    fault(f"length: too large, {_end}", cut(
        lambda good: good.head(len(good.body) + 9) + good.body, _step))  # fmt: skip
    for _name, _share in {
        "no byte": 0,
        "a byte": 1,
        "half": 2,
        "all but one": 3,
    }.items():
        fault(f"body: {_end} after {_name}", cut(
            lambda good, s=_share: good.head(len(good.body) or 2)
            + good.body[: (0, 1, len(good.body) // 2, max(len(good.body) - 1, 0))[s]],
            _step))  # fmt: skip
fault("length: two that differ", cut(
    lambda good: good.head(x="y").replace(b"x: y", b"content-length: 7") + good.body,
    None))  # fmt: skip
fault("length: beside chunks", cut(
    lambda good: good.head(5, transfer_encoding="chunked") + chunked(good.body),
    None))  # fmt: skip
fault("body: another answer behind it", whole(
    lambda good: good.whole() + Good(b'{"stolen": true}').whole()))  # fmt: skip
fault("body: rubbish behind it", whole(lambda good: good.whole() + b"\r\n\r\nrubbish"))

# --- chunks ------------------------------------------------------------------------


def _in_chunks(body: bytes) -> Callable:
    return lambda good: (
        good.head("", transfer_encoding="chunked")
        + (body(good.body) if callable(body) else body)
    )


for _name, _body in {
    "one": lambda body: chunked(body, len(body) or 1),
    "of a byte": lambda body: chunked(body, 1),
    "with extensions": lambda body: chunked(body).replace(b"\r\n", b";a=b\r\n", 1),
    "with trailers": lambda body: chunked(body, end=b"0\r\nx-a: b\r\nx-c: d\r\n\r\n"),
    "with leading zeros": lambda body: b"000" + chunked(body),
    "in capitals": lambda body: b"%X\r\n%b\r\n0\r\n\r\n" % (len(body), body),
}.items():
    fault(f"chunks: {_name}", whole(_in_chunks(_body)), harmless=True)
for _name, _body in {
    "a size is missing": lambda body: b"\r\n" + chunked(body),
    "a size is no number": lambda body: b"zz\r\n" + body + b"\r\n0\r\n\r\n",
    "a size is negative": lambda body: b"-5\r\n" + body + b"\r\n0\r\n\r\n",
    "a size has 0x": lambda body: b"0x5\r\n" + body + b"\r\n0\r\n\r\n",
    "a size is absurd": lambda body: b"f" * 16 + b"\r\n" + body,
    "a size of 5,000 digits": lambda body: b"1" * 5000 + b"\r\n" + body,
    "a size is too small": lambda body: b"2\r\n" + body + b"\r\n0\r\n\r\n",
    "a size is too large": lambda body: b"fffff\r\n" + body + b"\r\n0\r\n\r\n",
    "the last one is missing": lambda body: chunked(body, end=b""),
    "the last one is half": lambda body: chunked(body, end=b"0\r"),
    "the last blank line is missing": lambda body: chunked(body, end=b"0\r\n"),
    "cut within a chunk": lambda body: chunked(body, 5)[:9],
    "cut within a size": lambda body: b"%x" % (len(body) or 17),
    "no line end after a chunk": lambda body: chunked(body, 5).replace(b"\r\n", b"", 2),
    "not at all": lambda body: body,
    "an extension of 70,000 bytes": lambda body: b"2;" + b"a" * 70_000 + b"\r\n{}\r\n",
    "the end comes first": lambda body: b"0\r\n\r\n" + chunked(body),
}.items():
    fault(f"chunks: {_name}", cut(_in_chunks(_body), None))
for _name, _body in {
    "the last one is missing, silent": lambda body: chunked(body, end=b""),
    "silent within a chunk": lambda body: chunked(body, 5)[:9],
    "silent within a size": b"1",
    "silent within the trailers": lambda body: chunked(body, end=b"0\r\nx-a: "),
}.items():
    fault(f"chunks: {_name}", cut(_in_chunks(_body), HOLD))
for _name, _start, _piece, _pause in (
    ("trailers without end", b"0\r\n", b"x: y\r\n", None),
    ("trailers without end, slowly", b"0\r\n", b"x: y\r\n", SLOW),
    ("a size without end", b"", b"0" * 65536, None),
    ("a size without end, slowly", b"", b"0", SLOW),
    ("an extension without end, slowly", b"5;", b"a", SLOW),
):
    fault(f"chunks: {_name}", lambda good, s=_start, p=_piece, t=_pause: itertools.chain(
        [good.head("", transfer_encoding="chunked") + chunked(good.body, end=s)],
        for_ever(p, t)))  # fmt: skip
for _name, _coding in {
    "of an unknown coding": "zebra",
    "named twice": "chunked, chunked",
    "of gzip": "gzip, chunked",
    "of identity": "identity",
}.items():
    fault(f"chunks: {_name}", cut(
        lambda good, c=_coding: good.head("", transfer_encoding=c)
        + chunked(good.body), None))  # fmt: skip

# --- compression -------------------------------------------------------------------


def _raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


def _coded(coding: str, body: Callable, status: str | None = None) -> Callable:
    def data(good: Good) -> bytes:
        packed = body(good.body)
        answer = Good(packed, status or good.status, good.headers)
        return answer.head(content_encoding=coding) + packed

    return data


for _name, _coding, _body in (
    ("gzip", "gzip", gzip.compress),
    ("GZIP", "GZIP", gzip.compress),
    ("x-gzip", "x-gzip", gzip.compress),
    ("deflate", "deflate", zlib.compress),
    ("raw deflate", "deflate", _raw_deflate),
    ("identity", "identity", bytes),
    ("gzip in two members", "gzip",
     lambda body: gzip.compress(body[:3]) + gzip.compress(body[3:])),
):  # fmt: skip
    fault(f"coding: {_name}", whole(_coded(_coding, _body)), harmless=True)
for _name, _coding, _body in (
    ("gzip twice", "gzip, gzip", lambda body: gzip.compress(gzip.compress(body))),
    ("gzip, cut in its head", "gzip", lambda body: gzip.compress(body)[:5]),
    ("gzip, cut behind its head", "gzip", lambda body: gzip.compress(body)[:10]),
    ("gzip, cut in the middle", "gzip",
     lambda body: gzip.compress(body)[: len(gzip.compress(body)) // 2]),
    ("gzip without its sum", "gzip", lambda body: gzip.compress(body)[:-8]),
    ("gzip, a byte short", "gzip", lambda body: gzip.compress(body)[:-1]),
    ("gzip with a wrong sum", "gzip",
     lambda body: gzip.compress(body)[:-8] + b"\1\2\3\4" + gzip.compress(body)[-4:]),
    ("gzip, damaged", "gzip",
     lambda body: gzip.compress(body)[:14] + b"\xff" * 9 + gzip.compress(body)[23:]),
    ("gzip with rubbish behind it", "gzip",
     lambda body: gzip.compress(body) + b"rubbish"),
    ("gzip of nothing", "gzip", lambda body: gzip.compress(b"")),
    ("gzip, but plain", "gzip", bytes),
    ("deflate, but plain", "deflate", bytes),
    ("deflate, cut", "deflate", lambda body: zlib.compress(body)[:-6]),
    ("empty", "gzip", lambda body: b""),
    ("br", "br", lambda body: b"\x0b\x02\x80{}\x03"),
    ("zstd", "zstd", lambda body: b"\x28\xb5\x2f\xfd\x20\x02\x11\0\0{}"),
    ("unknown", "zebra", bytes),
    ("gzip that nobody names", "", gzip.compress),
):  # fmt: skip
    fault(f"coding: {_name}", whole(_coded(_coding, _body)))


@cache
def bomb(mib: int = 200) -> bytes:
    """That many MiB of blanks, in a thousandth of it."""
    packer = zlib.compressobj(9, wbits=31)
    first = packer.compress(b" " * MIB) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(b" " * MIB) + packer.flush(zlib.Z_FULL_FLUSH)
    return first + again * (mib - 1) + packer.flush()  # its sum is not reached


fault("coding: a bomb", whole(_coded("gzip", lambda body: bomb())))
fault("coding: a bomb within a bomb", whole(
    _coded("gzip, gzip", lambda body: gzip.compress(bomb()))))  # fmt: skip
fault("coding: an error that is a bomb", whole(
    _coded("gzip", lambda body: bomb(), "500 Oops")))  # fmt: skip
fault("coding: a refusal that is a bomb", whole(
    _coded("gzip", lambda body: bomb(), "400 Bad")))  # fmt: skip

# --- status ------------------------------------------------------------------------

SAID = b'{"error": {"message": "the server says no", "type": "odd", "code": "x"}}'
for _code in (201, 202, 203):
    fault(f"status: {_code}", whole(
        lambda good, c=_code: Good(good.body, f"{c} Fine", good.headers).whole()
        if good.status == "200 OK" else good.whole()), harmless=True)  # fmt: skip
fault("status: 204", whole(lambda good: b"HTTP/1.1 204 None\r\n\r\n"), says=None)
fault("status: 205", instead(b"", "205 Reset"))
fault("status: 206 of a part", whole(
    lambda good: Good(good.body[: len(good.body) // 2], "206 Partial", good.headers)
    .head(content_range=f"bytes 0-{len(good.body) // 2 - 1}/{len(good.body)}")
    + good.body[: len(good.body) // 2]))  # fmt: skip
fault("status: 206 of all", whole(
    lambda good: Good(good.body, "206 Partial", good.headers).whole()))  # fmt: skip
for _code in (
    *(300, 304, 305, 306, 400, 401, 402, 403, 404, 405, 406, 408, 409, 410, 413),
    *(415, 416, 418, 421, 422, 423, 424, 425, 426, 429, 431, 451, 499, 500, 501),
    *(502, 503, 504, 507, 508, 511, 520, 522, 524, 525, 529, 530, 599, 600, 999),
):
    _body = b"" if _code == 304 else SAID
    fault(f"status: {_code}", instead(_body, f"{_code} Odd"))
for _code in (301, 302, 303, 307, 308):
    for _name, _target in {
        "itself": "",
        "another host": "http://127.0.0.1:9/",
        "a relative place": "/elsewhere",
        "a file": "file:///etc/passwd",
        "nothing that is a URL": "http://[::1",
        "a cloud's metadata": "http://169.254.169.254/latest",
    }.items():
        if _code in (302, 307) or _name == "another host":
            fault(f"redirect: {_code} to {_name}", instead(
                b"", f"{_code} Moved", location=_target))  # fmt: skip
fault("redirect: 302 without a place", instead(b"", "302 Moved"))

# --- what a refusal looks like -----------------------------------------------------

for _name, _body, _kind in (
    ("a page", b"<html><title>Bad Gateway</title></html>", "text/html"),
    ("a page of 30,000 titles", b"<title>" * 30_000, "text/html"),
    ("nothing", b"", "text/plain"),
    ("a word", b"overloaded", "text/plain"),
    ("null", b"null", "application/json"),
    ("a list", b'[{"error": {"message": "no"}}]', "application/json"),
    ("nested", b'{"error": ' * 99 + b'"x"' + b"}" * 99, "application/json"),
    ("too deep", b"[" * 90_000, "application/json"),
    ("no text", b"\xff\xfe\0\1" * 50, "application/json"),
    ("large", b'{"error": "' + b"x" * MIB + b'"}', "application/json"),
    ("validation", b'{"detail": [{"loc": ["body", 5], "msg": "no"}]}', "application/json"),
    ("odd types", b'{"error": {"message": 5, "type": [], "code": {}}}', "application/json"),
    ("a reference", b'{"error": {"message": "$var:u/a/b $WM_TOKEN"}}', "application/json"),
):  # fmt: skip
    for _code in (400, 500):
        fault(f"refusal: {_code} with {_name}", instead(_body, f"{_code} Odd", _kind))

# --- when to come again ------------------------------------------------------------

for _name, _headers in {
    "0 seconds": {"retry_after": "0"},
    "-5 seconds": {"retry_after": "-5"},
    "nan seconds": {"retry_after": "nan"},
    "infinite seconds": {"retry_after": "inf"},
    "1e308 seconds": {"retry_after": "1e308"},
    "a day": {"retry_after": "86400"},
    "a date that has passed": {"retry_after": formatdate(1e9, usegmt=True)},
    "no date": {"retry_after": "next week"},
    "two numbers": {"retry_after": "1, 2"},
    "nan milliseconds": {"retry_after_ms": "nan"},
    "-1 milliseconds": {"retry_after_ms": "-1"},
    "a limit that ends at nan": {
        "x_ratelimit_remaining": "0",
        "x_ratelimit_reset": "nan",
    },
    "a limit that ends in 1970": {
        "x_ratelimit_remaining": "0",
        "x_ratelimit_reset": "1",
    },
    "a limit that ends now": {
        "x_ratelimit_remaining": "0",
        "x_ratelimit_reset": str(int(time.time())),
    },
}.items():
    fault(f"again: 429 after {_name}", instead(SAID, "429 Slow", **_headers))
for _name, _headers in {
    "0 seconds": {"retry_after": "0"},
    "nan seconds": {"retry_after": "nan"},
    "advice to": {"x_should_retry": "true"},
    "advice not to": {"x_should_retry": "false"},
}.items():
    fault(f"again: 503 after {_name}", instead(SAID, "503 Busy", **_headers))
fault("again: 400 with advice to", instead(SAID, "400 Bad", x_should_retry="true"))
fault("again: 429 for want of credit", instead(
    b'{"error": {"type": "insufficient_quota", "message": "pay"}}', "429 No"))  # fmt: skip

# --- JSON --------------------------------------------------------------------------

for _name, _body in {
    "a byte order mark": lambda body: b"\xef\xbb\xbf" + body,
    "blanks around it": lambda body: b" \r\n\t" + body + b"\n\n ",
}.items():
    fault(f"json: {_name}", whole(
        lambda good, b=_body: Good(b(good.body), good.status, good.headers).whole()),
        form="json", harmless=True)  # fmt: skip
for _name, _body in {
    "cut, its length right": lambda body: body[: len(body) // 2],
    "a byte short, its length right": lambda body: body[:-1],
    "twice": lambda body: body + body,
    "a comma at the end": lambda body: body[:-1] + b",}",
    "in UTF-16": lambda body: body.decode().encode("utf-16"),
    "in single quotes": lambda body: body.replace(b'"', b"'"),
    "behind a prefix": lambda body: b")]}',\n" + body,
    "commented": lambda body: b"/* x */" + body,
    "as an event": lambda body: b"data: " + body + b"\n\n",
}.items():
    fault(f"json: {_name}", whole(
        lambda good, b=_body: Good(b(good.body), good.status, good.headers).whole()),
        form="json")  # fmt: skip
fault("json: as a text", whole(
    lambda good: Good(json.dumps(good.body.decode()).encode(), good.status,
                      good.headers).whole()),
    form="json", says=lambda good, result: result == json.dumps(good))  # fmt: skip
for _name, _said in {
    "null": None,
    "an empty list": [],
    "an empty object": {},
    "a text": "fine",
    "a number": 5,
    "true": True,
    "a list of null": [None],
    "another object": {"message": "hello"},
    "null members": dict.fromkeys(
        ("id", "choices", "data", "job", "usage", "status", "file_id", "parts")
    ),
    "empty members": {"choices": [], "data": [], "job": {}, "file_id": "", "parts": []},
    "odd members": {
        "choices": [5],
        "data": "x",
        "job": [],
        "file_id": 7,
        "parts": {"1": 2},
        "usage": [],
        "status": {"a": 1},
        "file_key": 5,
    },
    "an error": {"error": "overloaded", "code": 503},
    "an error's object": {"error": {"message": "no worker", "type": "odd"}},
    "an error by its name": {"object": "error", "message": "no worker"},
    "an error in a list": [{"error": {"message": "no worker"}}],
}.items():
    fault(
        f"json: {_name}",
        instead(json.dumps(_said).encode()),
        says=_said,
        error="an error" in _name,
    )
for _name, _body in {
    "nothing": b"",
    "a blank": b" ",
    "a word": b"fine",
    "a page": b"<!doctype html><title>Sign in</title>",
    "XML": b"<?xml version='1.0'?><ok/>",
    "150 deep": b"[" * 150 + b"]" * 150,
    "900 deep, with an escape": b"[" * 900 + b'"\\u0000"' + b"]" * 900,
    "100,000 deep": b'{"a":' * 100_000,
    "bytes that are no text": b'{"a": "\xff\xfe',
    "an unfinished text": b'{"a": "\\u00',
    "a text of 70 MiB": b'{"a": "' + b"x" * (70 * MIB) + b'"}',
    "3 million brackets": b"[" * 3_000_000,
}.items():
    fault(f"json: {_name}", instead(_body), form="json")
for _name, _body, _says in (
    ("NaN", b'{"a": NaN, "b": -Infinity}', {"a": "NaN", "b": "-Infinity"}),
    ("1e999", b'{"a": 1e999}', {"a": "Infinity"}),
    ("a number of 5,000 digits", b'{"a": ' + b"1" * 5000 + b"}", {"a": "1" * 5000}),
    ("NUL and half a pair", b'{"a": "\\u0000\\ud800"}', {"a": "\ufffd\ufffd"}),
    ("a million lists", b"[" + b"[]," * 1_000_000 + b"[]]", [[]] * 1_000_001),
    ("a member twice", b'{"a": 1, "a": 2}', {"a": 2}),
    ("a reference", b'{"a": "$var:u/a/b"}', {"a": "$ var:u/a/b"}),
):
    fault(f"json: {_name}", instead(_body), form="json", says=_says)
for _name, _kind in {
    "a page by its type": "text/html",
    "text by its type": "text/plain; charset=utf-16",
    "no type": "",
    "an odd type": "multipart/x-mixed-replace; boundary=x",
}.items():
    fault(f"json: {_name}", whole(
        lambda good, k=_kind: good.head(content_type=k) + good.body), form="json")  # fmt: skip

# --- the key, spoken by the server -------------------------------------------------


def _spoken(status: str, body: Callable, **headers: str) -> Callable:
    def data(good: Good) -> bytes:
        said = body(good.key).encode()
        given = {n: v.replace("KEY", good.key) for n, v in headers.items()}
        return Good(said, status.replace("KEY", good.key)).head(**given) + said

    return whole(data)


for _name, _status, _body in (
    ("in the reason", "400 KEY", lambda key: "{}"),
    ("in the message", "401 No", lambda key: json.dumps({"error": f"bad key {key}"})),
    ("in the type", "400 No",
     lambda key: json.dumps({"error": {"message": "x", "type": key, "code": key,
                                       "param": key}})),
    ("in a name", "400 No", lambda key: json.dumps({"error": {key: {"message": key}}})),
    ("in plain text", "500 No", lambda key: f"no {key}!"),
    ("in a title", "500 No", lambda key: f"<title>{key}</title>"),
    ("where text is cut at 500", "400 No", lambda key: "x" * 490 + key),
    ("where text is cut at 2,000", "400 No",
     lambda key: json.dumps({"error": "x" * 1990 + key})),
    ("where bytes are cut at 64 KiB", "400 No", lambda key: "x" * 65_530 + key),
    ("in a title that is cut", "500 No",
     lambda key: "<title>" + "x" * 110 + key + "</title>"),
    ("in the file's id", "409 No",
     lambda key: json.dumps({"error": {"message": "x", "file_id": key}})),
    ("in 200", "200 OK", lambda key: json.dumps({"error": {"message": key}})),
    ("in what is no JSON", "200 OK", lambda key: f"<p>{key}</p>"),
    ("escaped", "400 No", lambda key: json.dumps({"error": key}).replace("t", "\\u0074")),
):  # fmt: skip
    fault(f"key: {_name}", _spoken(_status, _body))
fault(
    "key: in the request's id", _spoken("400 No", lambda key: "{}", x_request_id="KEY")
)
fault("key: in a redirect", _spoken(
    "302 Moved", lambda key: "", location="http://127.0.0.1:9/KEY"))  # fmt: skip
fault("key: in a redirect that is followed", _spoken(
    "307 Moved", lambda key: "", location="/KEY"))  # fmt: skip

# --- events ------------------------------------------------------------------------


def _events(change: Callable, end: object = KEEP) -> Callable:
    """A fault whose stream is what `change` makes of the good one's bytes."""
    return cut(
        lambda good: (
            Good(b"", "200 OK", SSE).head("", transfer_encoding="chunked")
            + chunked(change(good.body), end=b"0\r\n\r\n" if end == KEEP else b"")
        ),
        end,
    )


def _before_done(text: bytes) -> Callable:
    return lambda body: body.replace(b"data: [DONE]", text + b"data: [DONE]")


def _after_first(text: bytes) -> Callable:
    def change(body: bytes) -> bytes:
        first, _, rest = body.partition(b"\n\n")
        return first + b"\n\n" + text + rest

    return change


def sse(name: str, change: Callable, end: object = KEEP, **more: object) -> None:
    fault(f"events: {name}", _events(change, end), form="sse", **more)


for _name, _change in {
    "lines end with CR": lambda body: body.replace(b"\n", b"\r"),
    "lines end with CRLF": lambda body: body.replace(b"\n", b"\r\n"),
    "a byte order mark": lambda body: b"\xef\xbb\xbf" + body,
    "comments": lambda body: body.replace(b"data:", b": x\n\n:\ndata:"),
    "no blank behind the colon": lambda body: body.replace(b"data: {", b"data:{"),
    "other fields": lambda body: body.replace(b"data:", b"id: 7\nretry: 9\nx\ndata:"),
    "JSON over lines": lambda body: body.replace(b', "', b',\ndata: "'),
    "empty ones": _after_first(b"data:\n\ndata: null\n\nevent: ping\n\n"),
    "a ping by its name": _after_first(b'event: ping\ndata: {"type": "ping"}\n\n'),
    "null members": _after_first(b'data: {"choices": null, "usage": null}\n\n'),
    "done in small letters": lambda body: body.replace(b"[DONE]", b"[done]"),
    "20,000 comments": _after_first(b": keep-alive\n\n" * 20_000),
}.items():
    sse(_name, _change, harmless=True)
# What a model or a server may say beside the answer.
TOLD = ("usage of other types", "an index of a billion", "20,000 unknown ones")
TOLD += ("a reference", "half a pair")


def _as_told(good: dict, result: dict) -> bool:
    text, said = (one["choices"][0]["message"]["content"] for one in (good, result))
    return set(text) <= set(said)


for _name, _change in {
    "no done": lambda body: body.replace(b"data: [DONE]\n\n", b""),
    "no end": lambda body: body.rpartition(b"data: {")[0],
    "done alone": lambda body: b"data: [DONE]\n\n",
    "none": lambda body: b"",
    "comments alone": lambda body: b": x\n\n" * 9,
    "cut in one": lambda body: body[: len(body) // 3],
    "cut in a character": _before_done(b'data: {"choices": [{"delta": "\xc3'),
    "no blank line at the end": lambda body: body.rstrip(b"\n"),
    "no JSON": _after_first(b"data: {oops\n\n"),
    "too deep": _after_first(b"data: " + b"[" * 90_000 + b"\n\n"),
    "a list": _after_first(b"data: [1, 2]\n\n"),
    "a number": _after_first(b"data: 5\n\n"),
    "a choice is a text": _after_first(b'data: {"choices": ["x"]}\n\n'),
    "choices are a text": _after_first(b'data: {"choices": "x"}\n\n'),
    "an index is a text": _after_first(b'data: {"choices": [{"index": "x"}]}\n\n'),
    "a delta is a list": _after_first(b'data: {"choices": [{"delta": [1]}]}\n\n'),
    "tool calls of other types": _after_first(
        b'data: {"choices": [{"delta": {"tool_calls": [5, {"index": []}]}}]}\n\n'
    ),
    "usage of other types": _before_done(b'data: {"choices": [], "usage": "x"}\n\n'),
    "an index of a billion": _after_first(
        b'data: {"choices": [{"index": 1000000000, "delta": {}}]}\n\n'
    ),
    "an event of 17 MiB": _after_first(b"data: " + b"x" * (17 * MIB) + b"\n\n"),
    "20,000 unknown ones": _after_first(b'event: x\ndata: {"x": 1}\n\n' * 20_000),
    "half a pair": _after_first(
        b'data: {"choices": [{"index": 0, "delta": {"content": "\\ud83d"}}]}\n\n'
    ),
    "a reference": _after_first(
        b'data: {"choices": [{"index": 0, "delta": {"content": "$var:u/a/b"}}]}\n\n'
    ),
}.items():
    sse(_name, _change, says=_as_told if _name in TOLD else NOTHING)
for _name, _told in {
    "an error": b'data: {"error": {"message": "no worker", "code": 503}}\n\n',
    "an error's text": b'data: {"error": "no worker"}\n\n',
    "an error by its event": b'event: error\ndata: {"message": "no worker"}\n\n',
    "an error by its field": b'error: {"message": "no worker"}\n\n',
    "an error by its object": b'data: {"object": "error", "message": "no worker"}\n\n',
    "an error's detail": b'data: {"detail": "no worker"}\n\n',
    "a choice that ended with an error": b'data: {"choices": [{"index": 0, "delta": {}'
    b', "finish_reason": "error"}]}\n\n',
    "an error within a choice": b'data: {"choices": [{"index": 0, "delta": {}, "error":'
    b' {"message": "no worker"}}]}\n\n',
}.items():
    sse(f"{_name}, and on", _after_first(_told))
    sse(f"{_name}, and done", _before_done(_told))
    sse(f"{_name} alone", lambda body, told=_told: told)
    sse(f"{_name} at the end", lambda body, told=_told: body.partition(b"\n\n")[0]
        + b"\n\n" + told)  # fmt: skip
for _end, _step in (("closed", None), ("reset", RESET), ("silent", HOLD)):
    sse(f"{_end} before the first", lambda body: b"", _step)
    sse(f"{_end} behind the first", lambda body: body.partition(b"\n\n")[0] + b"\n\n",
        _step)  # fmt: skip
    sse(
        f"{_end} before done",
        lambda body: body.replace(b"data: [DONE]\n\n", b""),
        _step,
    )
    sse(f"{_end} behind done", lambda body: body, _step, harmless=_end != "reset")
for _name, _piece, _pause in (
    ("comments without end", b": x\n\n", SLOW),
    ("comments without end, fast", b": x\n\n" * 1000, None),
    ("a line without end", b"x", SLOW),
    ("a line without end, fast", b"x" * 65536, None),
    ("empty events without end", b"data:\n\n" * 1000, None),
    ("unknown events without end", b'data: {"x": 1}\n\n' * 1000, None),
):

    def _endless(good: Good, piece: bytes = _piece, pause: float | None = _pause):
        yield Good(b"", "200 OK", SSE).head("")
        yield good.body.partition(b"\n\n")[0] + b"\n\n"
        yield from for_ever(piece, pause)

    fault(f"events: {_name}", _endless, form="sse")
fault("events: rubbish without end behind done", lambda good: itertools.chain(
    [Good(b"", "200 OK", SSE).head("") + good.body], for_ever(b"x" * 65536)),
    form="sse", harmless=True)  # fmt: skip
fault("events: text without end", lambda good: itertools.chain(
    [Good(b"", "200 OK", SSE).head("")],
    for_ever(b'data: {"choices": [{"index": 0, "delta": {"content": "'
             + b"x" * 65536 + b'"}}]}\n\n')), form="sse")  # fmt: skip
fault("events: as JSON by their type", whole(
    lambda good: good.head(content_type="application/json") + good.body), form="sse")  # fmt: skip
fault("events: without a type", whole(
    lambda good: good.head(content_type=None) + good.body), form="sse")  # fmt: skip
fault("events: a page", instead(b"<html>", kind="text/html"), form="sse")
fault("events: compressed", whole(
    lambda good: Good(gzip.compress(good.body), "200 OK", SSE)
    .head(content_encoding="gzip") + gzip.compress(good.body)), form="sse")  # fmt: skip


def _echoed(good: Good) -> Iterator:
    said = {"choices": [{"index": 0, "delta": {"content": f"a {good.key} b"}}]}
    yield Good(b"", "200 OK", SSE).head("")
    yield good.body.partition(b"\n\n")[0] + b"\n\n"
    yield b"data: " + json.dumps({"error": {"message": good.key}, **said}).encode()
    yield b"\n\n"


fault("key: in an event's error", _echoed, form="sse")

# --- bytes -------------------------------------------------------------------------

fault("bytes: none", whole(
    lambda good: Good(b"", good.status, good.headers).whole()), form="bytes")  # fmt: skip
fault("bytes: an error as JSON", instead(b'{"error": {"message": "no"}}'), form="bytes")
fault("bytes: a page", instead(b"<!doctype html><p>no", kind="text/html"), form="bytes")
for _name, _value in {
    "climbs": "attachment; filename=../../etc/passwd",
    "is odd": "attachment; filename*=UTF-8''%00%2F%ff",
    "is long": "attachment; filename=" + "x" * 9000,
}.items():
    fault(f"bytes: a name that {_name}", whole(
        lambda good, v=_value: good.head(content_disposition=v) + good.body),
        form="bytes")  # fmt: skip

# --- TLS ---------------------------------------------------------------------------

for _name in (
    "good",
    "a byte at a time",
    "ends without a farewell",
):
    fault(f"tls: {_name}", whole(lambda good: good.whole()), tls=_name, harmless=True)
for _name in (
    "expired",
    "not yet valid",
    "of another authority",
    "for another host",
    "of version 1.1",
    "asks for a certificate",
    "plain http",
    "reset",
    "closed",
    "silent",
    "rubbish",
    "an alert",
    "cut in the handshake",
    "drips",
    "cut within an answer",
):
    fault(f"tls: {_name}", whole(lambda good: good.whole()), tls=_name)
