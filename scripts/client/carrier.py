"""HTTP exchanges over the standard library's http.client, as nearly all of a job's are.

urllib3 takes longer to load than the rest of a job, so that only exchanges through a
proxy use it (scripts/connection_pools.py). Faults are raised as urllib3's exceptions,
so that code that handles them need not know which of the two carried the exchange.
"""

from __future__ import annotations

import http.client
import selectors

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping
    from typing import Any

    from ..shapes import Carried, Headers, Timeout


BLOCK = 1 << 16  # bytes that are read at a time


class Carrier:
    """The connections to a host, each kept for the next exchange while the process
    lives. Threads may share it: each exchange has a connection to itself."""

    def __init__(
        self,
        origin: str,
        answer: type[http.client.HTTPResponse],
        trust: Callable[[], ssl.SSLContext],
    ) -> None:
        self.answer, self.trust = answer, trust
        self.host = origin.partition("//")[2]
        self.secure = origin.startswith("https:")
        self.idle: list[http.client.HTTPConnection] = []
        self.opened = 0

    def exchange(
        self,
        method: str,
        target: str,
        data: bytes | Carried | None,
        headers: Headers,
        timeout: Timeout,
    ) -> CarriedAnswer:
        """Send one request; return the answer, its body unread.

        timeout is (seconds to connect, and for each piece that is sent, seconds of
        silence before and within the answer). Raises urllib3's HTTPError.
        """
        connect, silence = timeout
        connection = self.connection(connect)
        try:
            connection.sock.settimeout(connect)
            try:
                connection.request(method, target, data, headers)
            except (BrokenPipeError, ConnectionResetError):
                pass  # a server may answer, and hang up, before it has read all
            connection.sock.settimeout(silence)
            raw = connection.getresponse()
        except BaseException as error:
            connection.close()
            if isinstance(error, OSError | http.client.HTTPException):
                raise _fault(error) from error
            raise
        return CarriedAnswer(self, connection, raw)

    def connection(self, seconds: float) -> http.client.HTTPConnection:
        """Return a connection that is open. Raises urllib3's HTTPError."""
        while self.idle:
            try:
                idle = self.idle.pop()
            except IndexError:  # another thread was quicker
                break
            if not _has_news(idle):
                return idle
            idle.close()  # the server has closed it, or sent what nobody asked for
        try:
            if self.secure:
                fresh: http.client.HTTPConnection = http.client.HTTPSConnection(
                    self.host, timeout=seconds, context=self.trust()
                )
            else:
                fresh = http.client.HTTPConnection(self.host, timeout=seconds)
            fresh.response_class = self.answer
            fresh.connect()
        except (OSError, UnicodeError, http.client.InvalidURL) as error:
            from ..resilience.faults import connect_fault  # only when one failed

            raise connect_fault(error, self.host) from error
        self.opened += 1
        return fresh


def _has_news(connection: http.client.HTTPConnection) -> bool:
    """Say whether an idle connection was closed, or got bytes that nobody asked for."""
    with selectors.DefaultSelector() as selector:
        selector.register(connection.sock, selectors.EVENT_READ)
        return bool(selector.select(0))


def _fault(error: Exception) -> Exception:
    from ..resilience.faults import wire_fault  # only when an exchange failed

    return wire_fault(error)


class CarriedAnswer:
    """An answer whose body is unread, with those methods of urllib3's that are used."""

    def __init__(
        self, carrier: Carrier, connection: http.client.HTTPConnection, raw: Any
    ) -> None:
        self.carrier = carrier
        self.connection: http.client.HTTPConnection | None = connection
        self._original_response = self.raw = raw
        self.status: int = raw.status
        self.reason: str = raw.reason
        self.headers: Mapping[str, str] = raw.headers

    def read1(
        self, amt: int | None = None, decode_content: bool | None = True
    ) -> bytes:
        """Return what of the body comes at once, at most so many bytes; b"" at its
        end. Raises urllib3's HTTPError."""
        try:
            piece: bytes = self.raw.read1(amt or BLOCK)
            if not piece and self.raw.length:
                raise http.client.IncompleteRead(b"", self.raw.length)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise _fault(error) from error
        if not piece or self.raw.length == 0:
            self.raw.close()
            self.release_conn()
        return piece

    def read(self, amt: int | None = None, decode_content: bool | None = True) -> bytes:
        """Return so many bytes, all that are left for None, fewer only at the end."""
        pieces: list[bytes] = []
        left = amt
        while left is None or left > 0:
            size = BLOCK if left is None else left
            piece = self.read1(size, decode_content)
            if not piece:
                break
            pieces.append(piece)
            left = None if left is None else left - len(piece)
        return b"".join(pieces)

    def drain_conn(self) -> None:
        """Read what is left, so that the connection serves again."""
        while self.read1():
            pass

    def release_conn(self) -> None:
        """Keep the connection for the next exchange, if the whole answer was read."""
        connection, self.connection = self.connection, None
        if connection is None:
            return
        if self.raw.isclosed() and not self.raw.will_close and connection.sock:
            self.carrier.idle.append(connection)
        else:
            connection.close()

    def close(self) -> None:
        """Give the connection up."""
        connection, self.connection = self.connection, None
        self.raw.close()
        if connection is not None:
            connection.close()
