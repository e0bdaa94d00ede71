"""One exchange over HTTP: connections that are kept, TLS, the answer as it came."""

from __future__ import annotations

import http.client
import io
import math
import os
import ssl
import threading
import time
import zlib

from .carrier import Carrier
from .errors import TogetherError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from typing import Any

    from ..shapes import Carried, Carries, Headers, Response, Timeout

USER_AGENT = "together-windmill/1"
CONNECT_TIMEOUT = 5.0
HEAD_SECONDS = 60.0  # for status and headers, from their first byte to their last
# The least speed of a body: that many bytes in that many seconds.
PACE_BYTES, PACE_SECONDS = 64 * 1024, 240.0
TRANSFER_SECONDS = 24 * 3600.0  # for all of it, over all connections
MIB = 1 << 20
MOST_UNKNOWN_BYTES = 64 << 30  # of a body whose length is not announced
MOST_ANSWER_BYTES = 64 * MIB  # of an answer that is held in memory, decompressed
MOST_ERROR_BYTES = 64 * 1024  # of an error; the rest of it is not read
MOST_HEAD_BYTES = MIB  # of all that comes before a body, interim answers too


_carriers: dict[str, Carries] = {}


def http_exchange(
    method: str,
    url: str,
    data: bytes | Carried | None,
    headers: Headers,
    timeout: Timeout,
    most: float | None = None,
) -> Response:
    """Send one request and return the response, its body unread.

    There is no retry, and no redirect is followed. timeout is (seconds to connect, and
    for each piece that is sent; seconds of silence). `most` is a deadline
    (time.monotonic()), after which no byte of the answer is read. Raises what faults()
    names.
    """
    start = url.index("/", url.index("//") + 2)
    carrier = carrier_for(url[:start])
    try:
        _exchange.most = most
        response = carrier.exchange(method, url[start:], data, headers, timeout)
    except (OverflowError, ValueError) as error:
        raise protocol_fault(f"the answer makes no sense: {error}") from None
    finally:
        _exchange.most = None
    if response.status < 200:
        # An interim answer: the final one would be read as that of the next request.
        abandon(response)
        raise protocol_fault(f"the answer is {response.status}, an interim one")
    return response


def faults() -> tuple[type[Exception], ...]:
    """Return the exceptions of a failed exchange. To be called in an `except` clause:
    it is evaluated only when something was raised, so that urllib3 is not loaded
    before."""
    from urllib3.exceptions import HTTPError  # once something failed

    return HTTPError, OSError


def is_silence(fault: Exception) -> bool:
    """Say whether an exchange failed by a read timeout."""
    from urllib3.exceptions import ReadTimeoutError  # once something failed

    return isinstance(fault, ReadTimeoutError)


def protocol_fault(words: str) -> Exception:
    """Return the fault of an answer that breaks the rules of HTTP."""
    from urllib3.exceptions import ProtocolError  # once something failed

    return ProtocolError(words)


def decode_fault(words: str) -> Exception:
    """Return the fault of an answer whose compression cannot be undone."""
    from urllib3.exceptions import DecodeError  # once something failed

    return DecodeError(words)


def carrier_for(origin: str) -> Carries:
    """Return what carries exchanges with a host, kept while the process lives."""
    if origin not in _carriers:
        if names_proxy():
            from ..connection_pools import PooledCarrier  # only where a proxy is named

            _carriers[origin] = PooledCarrier(origin)
        else:
            _carriers[origin] = Carrier(origin, Answer, tls_context)
    return _carriers[origin]


_exchange = threading.local()


class Answer(http.client.HTTPResponse):
    """An answer with deadlines: its head must be complete HEAD_SECONDS after its first
    byte, and nothing is read after the deadline that http_exchange was given.

    A socket's timeout begins anew with each byte: a server that sends one now and then
    would hold a job for ever.
    """

    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(sock, *arguments, **options)
        self.fp.close()
        self.reader = _Reader(sock, getattr(_exchange, "most", None))
        self.fp = io.BufferedReader(self.reader)

    def begin(self) -> None:
        super().begin()
        self.reader.until, self.reader.room = self.reader.most, math.inf
        lengths = set(self.headers.get_all("content-length", ()))
        plain = all(byte_count(length) is not None for length in lengths)
        coding = self.headers.get("transfer-encoding", "chunked").strip().lower()
        if len(lengths) > 1 or not plain or coding != "chunked":
            # http.client would read on with a wrong length, and take the middle of this
            # answer for the beginning of the next.
            raise http.client.HTTPException("the answer's length makes no sense")


class _Reader(io.RawIOBase):
    """The bytes of a socket, up to a deadline. Raises TimeoutError after it."""

    def __init__(self, sock: socket.socket, most: float | None) -> None:
        self.sock = sock
        self.raw = sock.makefile("rb", buffering=0)
        self.most = math.inf if most is None else most
        self.until: float | None = None  # set with the first byte
        self.room: float = MOST_HEAD_BYTES  # while the head is read

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        until = self.most if self.until is None else self.until
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError(TOO_LONG)
        if left < (self.sock.gettimeout() or math.inf):
            self.sock.settimeout(left)
        try:
            count = self.raw.readinto(buffer)
        except TimeoutError:
            if time.monotonic() < until:
                raise
            raise TimeoutError(TOO_LONG) from None
        if self.room != math.inf:
            self.room -= count or 0
            if self.room < 0:
                raise OSError("the answer's head has no end")
            if not count and self.until is not None:  # http.client does not notice
                raise OSError("the answer's head is cut short")
        if self.until is None:
            self.until = min(self.most, time.monotonic() + HEAD_SECONDS)
        return count

    def close(self) -> None:
        self.raw.close()
        super().close()


TOO_LONG = "the answer took too long"


def read_until(response: Response, most: float) -> None:
    """Set the deadline after which no byte of an answer is read."""
    reader = _reader(response)
    reader.most = reader.until = most


def _reader(response: Any) -> _Reader:
    return response._original_response.reader


def hurry(response: Response, seconds: float) -> None:
    """Set how long each further read of an answer may wait."""
    reader = _reader(response)
    if not reader.closed:
        reader.sock.settimeout(seconds)


class Pace:
    """The time limits of a body: PACE_BYTES in each PACE_SECONDS, and TRANSFER_SECONDS
    in all."""

    def __init__(self) -> None:
        self.ends = time.monotonic() + TRANSFER_SECONDS
        self.response: Response | None = None
        self.position, self.until = 0, math.inf

    def keep(self, response: Response, position: int) -> None:
        """To be called before each read, with the number of bytes so far."""
        if response is not self.response or position - self.position >= PACE_BYTES:
            self.response, self.position = response, position
            self.until = min(time.monotonic() + PACE_SECONDS, self.ends)
            read_until(response, self.until)
        if time.monotonic() > self.until:
            raise TimeoutError(TOO_LONG)

    def is_lost(self) -> bool:
        return time.monotonic() > min(self.until, self.ends)


def too_long(length: int | None, position: int) -> bool:
    """Say whether a body of unknown length is longer than any that is read."""
    return length is None and position > MOST_UNKNOWN_BYTES


def byte_count(text: str) -> int | None:
    """Return the number of bytes that a text tells; None for what is no such number."""
    plain = text.isascii() and text.isdigit() and len(text) < 19
    return int(text) if plain else None


def endless(what: str) -> TogetherError:
    return TogetherError(
        f"{what}: it has more than {MOST_UNKNOWN_BYTES >> 30} GiB and does not say how "
        "many.",
        type="too_large",
        advice="Give a source that says its length (Content-Length).",
    )


def names_proxy() -> bool:
    """Say whether the environment names a proxy for any host."""
    names = ("http_proxy", "https_proxy", "all_proxy")
    return any(os.environ[name] for name in os.environ if name.lower() in names)


def tls_context() -> ssl.SSLContext:
    """Return the TLS context that all pools share.

    The environment's bundle wins; then the system's directory of certificates, which
    is read one by one as needed and so costs nothing; then requests' own bundle.
    """
    if "context" not in _tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.set_alpn_protocols(["http/1.1"])
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        names = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
        bundle = next((os.environ[n] for n in names if os.environ.get(n)), None)
        directory = ssl.get_default_verify_paths().capath
        if bundle:
            where = "capath" if os.path.isdir(bundle) else "cafile"
            try:
                context.load_verify_locations(**{where: bundle})
            except OSError as error:  # ssl's own errors are of this kind, too
                name = next(n for n in names if os.environ.get(n))
                raise TogetherError(
                    f"{name} names {bundle}, which holds no certificates that can be "
                    f"read: {error.strerror or error}.",
                    type="proxy",
                    advice=f"Correct {name} in the worker's environment, or unset it.",
                ) from None
        elif directory and any(name.endswith(".0") for name in os.listdir(directory)):
            context.load_verify_locations(capath=directory)
        else:
            import certifi  # where the system has no certificates

            context.load_verify_locations(certifi.where())
        _tls["context"] = context
    return _tls["context"]


_tls: dict[str, ssl.SSLContext] = {}


class Reply:
    """An HTTP answer whose body has been read."""

    def __init__(self, response: Response, data: bytes | None) -> None:
        self.status = response.status
        self.reason = response.reason or ""
        self.headers = response.headers
        self.data = data or b""

    def text(self) -> str:
        return self.data.decode("utf-8", "replace")


def read_whole(response: Response, most: float, largest: int | None = None) -> bytes:
    """Return the body of an answer, decompressed, read by the deadline `most`.

    Of an error's body only the first MOST_ERROR_BYTES are read, and what came of it is
    enough: its status says more. Raises urllib3's HTTPError, a TooLargeError for more
    than `largest` bytes, MOST_ANSWER_BYTES where it is not given.
    """
    if response.status >= 300:
        return _read_error(response, most)
    largest = MOST_ANSWER_BYTES if largest is None else largest
    first, whole = b"", bytearray()
    for piece in read_pieces(response, most):
        if not first:
            first = piece
            continue
        # One buffer that grows: memory that many pieces leave free stays with the
        # thread.
        if not whole:
            whole += first
        whole += piece
        if len(whole) > largest:
            abandon(response)
            whole.clear()  # else the traceback keeps it
            raise TooLargeError(f"the answer has more than {largest // MIB} MiB")
    response.release_conn()
    return bytes(whole) or first


def _read_error(response: Response, most: float) -> bytes:
    raw = bytearray()
    read_until(response, most)
    try:
        while piece := response.read1(65536, decode_content=False):
            raw += piece
            if len(raw) > MOST_ERROR_BYTES:
                abandon(response)
                break
        else:
            response.release_conn()
    except faults():
        abandon(response)
    except (OverflowError, ValueError):  # lengths that none can have
        abandon(response)
    words = bytes(raw[:MOST_ERROR_BYTES])
    coding = response.headers.get("content-encoding", "").strip().lower()
    if coding in ("", "identity"):
        return words
    try:
        if coding in CODINGS and words:
            return decompressor(words, coding == "deflate").decompress(
                words, MOST_ERROR_BYTES
            )
    except zlib.error:
        pass  # some servers call it compressed when it is not
    return b"" if b"\0" in words or not words.isascii() else words


def read_pieces(response: Response, most: float | None = None) -> Iterator[bytes]:
    """Yield the bytes of a body as they arrive, decompressed, up to the deadline
    `most`. Raises urllib3's HTTPError, OSError."""
    if most is not None:
        read_until(response, most)
    coding = response.headers.get("content-encoding", "").strip().lower()
    read: Callable[[int], bytes] = response.read1
    if coding not in ("", "identity"):
        if coding not in CODINGS:
            abandon(response)
            raise decode_fault(f"the answer's coding {coding[:20]!r} was not asked for")
        read = Unpacked(response, coding).read
    try:
        while piece := read(65536):
            yield piece
    except (OverflowError, ValueError) as error:  # lengths that none can have
        abandon(response)
        words = f"the answer's length makes no sense: {error}"
        raise protocol_fault(words) from None
    except zlib.error as error:
        abandon(response)
        raise decode_fault(f"the answer's compression is damaged: {error}") from None
    except OSError:
        abandon(response)
        raise


CODINGS = ("gzip", "x-gzip", "deflate")


class Unpacked:
    """A compressed body, decompressed in pieces of bounded size.

    urllib3 takes a body that is cut short for a whole one, and decompresses at once all
    that has arrived.
    """

    def __init__(self, response: Response, coding: str) -> None:
        self.response = response
        self.deflate = coding == "deflate"
        self.stream: Any = None
        self.rest = b""

    def read(self, size: int) -> bytes:
        """Return up to size bytes. Raises OSError where the body is cut short, zlib's
        error where it is damaged."""
        while True:
            raw = self.rest or self.response.read1(65536, decode_content=False)
            if self.stream is None or self.stream.eof:
                if not raw:
                    return b""
                self.stream = decompressor(raw, self.deflate)
            # zlib may hold output when it has taken all that came: b"" brings it out.
            piece: bytes = self.stream.decompress(raw, size)
            self.rest = self.stream.unconsumed_tail or self.stream.unused_data
            if self.stream.eof and not self.rest.strip(b"\0"):
                self.rest = b""  # what pads an archive
            if piece:
                return piece
            if not raw and not self.stream.eof:
                raise OSError("the answer's compressed body is cut short")


def decompressor(raw: bytes, deflate: bool) -> Any:
    """Return a decompressor for a stream that begins with these bytes."""
    if deflate and raw[0] & 0x0F != 8:
        return zlib.decompressobj(-zlib.MAX_WBITS)  # some servers omit zlib's header
    return zlib.decompressobj(32 + zlib.MAX_WBITS)


def abandon(response: Response) -> None:
    """Close the connection of an answer that is not read to its end, and give its place
    in the pool back."""
    response.close()
    response.release_conn()


class TooLargeError(OSError):
    """An answer of more bytes than the helper reads; a retry would bring as many."""
