"""A server of bytes that breaks off, lies and redirects as it is told."""

import re
import socket
import ssl
import struct
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tools.local.server_thread import running


@dataclass
class Thing:
    """What is at a path, and how it is sent.

    cuts      for coming answers: after how many bytes the connection ends; None: never
    resets    end it with a reset, which may lose what is under way
    says      the length announced, where it is not the true one
    ranges    whether parts can be asked for
    open_ended  no length is said: the connection ends where the bytes do
    """

    content: bytes = b""
    headers: dict = field(default_factory=dict)
    status: int = 200
    cuts: list = field(default_factory=list)
    resets: bool = False
    says: int | None = None
    ranges: bool = True
    chunked: bool = False
    open_ended: bool = False


class ByteServer(ThreadingHTTPServer):
    """Serves `things` by path; keeps what was asked and how much was sent."""

    daemon_threads = True

    def __init__(self, certificate: Path | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)
            self.scheme = "https"
        self.things: dict[str, Thing] = {}
        self.asked: list[dict] = []
        self.sent = 0

    def __enter__(self) -> "ByteServer":
        self.serving = running(self)
        return self.serving.__enter__()

    def __exit__(self, *exception: object) -> None:
        self.serving.__exit__(*exception)
        self.server_close()

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_: object) -> None:
        """A client that went away is a part of what is tested."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ByteServer

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.asked.append({"path": self.path, **headers})
        path = re.sub(r"^https?://[^/]+", "", self.path)  # as a proxy is asked
        thing = self.server.things.get(path, Thing(b"nothing here", status=404))
        start, status = 0, thing.status
        part = re.fullmatch(r"bytes=(\d+)-", headers.get("range", ""))
        total = len(thing.content) if thing.says is None else thing.says
        extra = dict(thing.headers)
        fresh = headers.get("if-range") in (None, extra.get("etag"))
        if part and thing.ranges and fresh and status == 200:
            start, status = int(part[1]), 206
            extra.setdefault("content-range", f"bytes {start}-{total - 1}/{total}")
            if start >= len(thing.content):
                status = 416
        self.send_response(status)
        body = memoryview(thing.content)[start:] if status != 416 else b""
        length = total - start if status != 416 else 0
        if thing.chunked:
            extra["transfer-encoding"] = "chunked"
        elif thing.open_ended:
            self.close_connection = True
        else:
            extra["content-length"] = str(length)
        for name, value in extra.items():
            self.send_header(name, value)
        self.end_headers()
        cut = thing.cuts.pop(0) if thing.cuts and status < 300 else None
        self.send_body(body if cut is None else body[:cut], thing)
        if cut is None and length == len(body):
            if thing.chunked:
                self.wfile.write(b"0\r\n\r\n")
            return
        self.close_connection = True
        if thing.resets:
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.do_GET()

    def send_body(self, body: bytes, thing: Thing) -> None:
        for start in range(0, len(body), 1 << 20):
            block = body[start : start + (1 << 20)]
            if thing.chunked:
                block = b"%x\r\n%b\r\n" % (len(block), bytes(block))
            self.wfile.write(block)
            self.server.sent += len(block)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""
