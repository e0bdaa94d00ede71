"""A server of raw bytes: it answers well, or exactly as badly as a fault says."""

import contextlib
import re
import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

RESET = "end the connection with a reset"
HOLD = "keep the connection open and say nothing more"
KEEP = "the answer is whole: the next request may come on the connection"


@dataclass
class Good:
    """The right answer to one request."""

    body: bytes = b""
    status: str = "200 OK"
    headers: dict = field(default_factory=lambda: {"content-type": "application/json"})
    key: str = ""  # what the request was authorized with

    def head(self, length: object = None, **changes: str | None) -> bytes:
        """The status line and the headers; a length of "" leaves the length out."""
        length = len(self.body) if length is None else length
        names = {k.replace("_", "-"): v for k, v in changes.items()}
        lines = [f"HTTP/1.1 {self.status}"]
        lines += [f"{k}: {v}" for k, v in self.headers.items() if k not in names]
        lines += [f"{k}: {v}" for k, v in names.items() if v is not None]
        if length != "":
            lines.append(f"content-length: {length}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def whole(self) -> bytes:
        return self.head() + self.body


@dataclass
class Asked:
    """A request as it came."""

    method: str
    path: str
    headers: dict
    body: bytes
    whole: bool
    at: float
    origin: str


class FaultServer:
    """Answers each request by `answer(Asked) -> Good`, but those that `hit(Asked)`
    with what `fault(Good)` yields: bytes to send, seconds to wait, or RESET, HOLD,
    KEEP. `early(socket)` is done before the body of such a request is read, and ends
    its connection when it says so. `tls` wraps every connection, or breaks it.
    """

    def __init__(self, answer: Callable, tls: Callable | None = None) -> None:
        self.answer = answer
        self.tls = tls
        self.hit: Callable[[Asked], bool] = lambda asked: False
        self.fault: Callable[[Good], Iterable] | None = None
        self.early: Callable | None = None
        self.asked: list[Asked] = []
        self.hits = 0
        self.sent = 0
        self.closing = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> "FaultServer":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self.listener.close()

    def _accept(self) -> None:
        while not self.closing.is_set():
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(
                target=self._serve, args=(connection,), daemon=True
            ).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError, ssl.SSLError):
            try:
                if self.tls:
                    connection = self.tls(connection)
                while connection is not None and self._one(connection):
                    pass
            finally:
                if connection is not None:
                    connection.close()

    def _one(self, connection: socket.socket) -> bool:
        head = b""
        while b"\r\n\r\n" not in head:
            piece = connection.recv(65536)
            if not piece:
                return False
            head += piece
        head, _, body = head.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ", 2)
        headers = {n.lower(): v for n, _, v in (line.partition(": ") for line in lines)}
        asked = Asked(method, path, headers, body, False, time.monotonic(), self.url)
        self.asked.append(asked)
        hit = self.fault is not None and self.hit(asked)
        if hit and self.early and self.early(connection):
            return False
        asked.body = self._body(connection, headers, body)
        asked.whole = True
        good = self.answer(asked)
        if not hit:
            connection.sendall(good.whole())
            return True
        self.hits += 1
        good.key = headers.get("authorization", "").removeprefix("Bearer ")
        return self._play(connection, good)

    def _body(self, connection: socket.socket, headers: dict, body: bytes) -> bytes:
        if headers.get("transfer-encoding") == "chunked":
            while not body.endswith(b"0\r\n\r\n"):
                body += self._more(connection)
            return body
        length = int(headers.get("content-length", 0))
        pieces, size = [body], len(body)
        while size < length:
            pieces.append(self._more(connection))
            size += len(pieces[-1])
        return b"".join(pieces)

    def _more(self, connection: socket.socket) -> bytes:
        piece = connection.recv(1 << 20)
        if not piece:
            raise OSError("the client went away")
        return piece

    def _play(self, connection: socket.socket, good: Good) -> bool:
        for step in self.fault(good):
            if isinstance(step, bytes):
                connection.sendall(step)
                self.sent += len(step)
            elif step == KEEP:
                return True
            elif step == RESET:
                reset(connection)
                return False
            elif self._left(connection, 3600 if step == HOLD else step):
                return False
        return False

    def _left(self, connection: socket.socket, seconds: float) -> bool:
        """Wait; say whether the client went away, or all is over, meanwhile."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if self.closing.is_set():
                return True
            ready, _, _ = select.select([connection], [], [], min(left, 0.05))
            if ready and not isinstance(connection, ssl.SSLSocket):
                return connection.recv(1, socket.MSG_PEEK) == b""
        return False


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def chunked(body: bytes, size: int = 4096, end: bytes = b"0\r\n\r\n") -> bytes:
    """A body in chunks of `size` bytes, and what ends it."""
    pieces = [body[i : i + size] for i in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in pieces) + end


def cut_places(head: bytes) -> dict[str, int]:
    """A place of each kind in an answer's head, by name."""
    line = head.index(b"\r\n")
    name = line + 2 + 3
    value = head.index(b": ", line) + 4
    return {
        "after a byte": 1,
        "in the protocol": 6,
        "in the status": 10,
        "before the status line ends": line + 1,
        "behind the status line": line + 2,
        "in a header's name": name,
        "in a header's value": value,
        "between CR and LF": len(re.match(rb"(?s).*?\r\n.*?\r", head)[0]),
        "before the blank line": len(head) - 2,
        "in the blank line": len(head) - 1,
    }
