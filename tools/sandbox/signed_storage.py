"""A local object storage with signed addresses, as uploads to the service use it.

    with SignedStorage() as storage:
        address = storage.sign("files/a.jsonl")        # PUT the bytes there
        storage.read("files/a.jsonl")                  # or GET them, in parts too

It holds no key and wants none: a request with an Authorization header is refused, as
S3 refuses one that is signed twice. Objects are files in a temporary folder; with
keep=False they are only counted and summed, so that any size costs no room. Faults on
demand: a connection cut after so many bytes, a status, a redirect, no ETag.
"""

import hmac
import re
import secrets
import shutil
import socket
import struct
import tempfile
import threading
import zlib
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from tools.local.server_thread import running

BLOCK = 1 << 20


@dataclass
class Received:
    """One request as it came in. `size`: the bytes of its body that came."""

    method: str
    name: str
    query: dict[str, str]
    headers: dict[str, str]
    size: int = 0
    checksum: int = 0  # CRC-32
    status: int | None = None  # None: the connection was cut

    @property
    def part(self) -> int | None:
        return int(self.query["partNumber"]) if "partNumber" in self.query else None


@dataclass
class StorageFault:
    """What goes wrong with the next `times` requests whose name and query fit `path`.

    after      the connection is cut when so many bytes of the body have come
    status     this answer once the body has come
    location   a redirect there, before the body is read
    tagless    the answer has no ETag
    """

    path: str = ""
    times: int = 1
    after: int | None = None
    status: int | None = None
    location: str | None = None
    tagless: bool = False
    headers: dict[str, str] = field(default_factory=dict)


class SignedStorage:
    """The server, as a context manager that runs it in threads of its own.

    Its addresses begin with `reached_at`, where that is given and leads to this server.
    `cuts` are numbers of bytes received in all: when one is reached, the connection
    that brought them there is cut.
    """

    def __init__(
        self,
        keep: bool = True,
        host: str = "127.0.0.1",
        port: int = 0,
        reached_at: str | None = None,
    ) -> None:
        self.keep = keep
        self.reached_at = reached_at
        self.secret = secrets.token_bytes(16)
        self.folder = Path(tempfile.mkdtemp(prefix="storage-"))
        self.lock = threading.Lock()
        self.requests: list[Received] = []
        self.faults: list[StorageFault] = []
        self.cuts: list[int] = []
        self.received = 0
        self.sizes: dict[str, int] = {}
        self.parts: dict[str, dict[int, Received]] = {}
        self.server = _Server((host, port), _Handler)
        self.server.storage = self
        self.serving = ExitStack()

    def __enter__(self) -> "SignedStorage":
        self.serving.enter_context(self.server)
        self.serving.enter_context(running(self.server))
        return self

    def __exit__(self, *_: object) -> None:
        self.serving.close()
        shutil.rmtree(self.folder)

    @property
    def url(self) -> str:
        if self.reached_at:
            return self.reached_at
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    # What the service does with it.

    def sign(self, name: str, **query: object) -> str:
        """The address to which one object, or a part of one, may be put."""
        target = f"/{quote(name)}?{urlencode(query)}"
        return f"{self.url}{target}&signature={self.signature(target)}"

    def sign_parts(self, name: str, upload: str, count: int) -> list[str]:
        """The addresses of the parts of an object, the first part's first."""
        self.parts[upload] = {}
        numbers = range(1, count + 1)
        return [self.sign(name, uploadId=upload, partNumber=n) for n in numbers]

    def join(self, name: str, upload: str, tags: dict[int, str]) -> int:
        """Make an object of its parts; return its size.

        Raises ValueError where a part is missing or its ETag another.
        """
        parts = self.parts[upload]
        if sorted(tags) != list(range(1, len(tags) + 1)):
            raise ValueError("parts must be counted from 1")
        for number, tag in tags.items():
            if number not in parts or tag_of(parts[number]) != tag:
                raise ValueError(f"part {number} was not received as {tag}")
        if self.keep:
            with self.place(name).open("wb") as whole:
                for number in sorted(tags):
                    with self.place(name, upload, number).open("rb") as part:
                        shutil.copyfileobj(part, whole, BLOCK)
        self.sizes[name] = sum(parts[number].size for number in tags)
        self.drop(name, upload)
        return self.sizes[name]

    def drop(self, name: str, upload: str) -> None:
        """Forget the parts of an upload."""
        for number in self.parts.pop(upload, {}):
            self.place(name, upload, number).unlink(missing_ok=True)

    def read(self, name: str) -> bytes:
        """The bytes of an object, where they are kept; KeyError where there is none."""
        if name not in self.sizes or not self.keep:
            raise KeyError(name)
        return self.place(name).read_bytes()

    def place(self, name: str, upload: str = "", part: object = "") -> Path:
        return self.folder / quote(f"{name} {upload} {part}", safe="")

    # The server.

    def signature(self, target: str) -> str:
        return hmac.digest(self.secret, target.encode(), "sha256").hex()

    def fault(self, request: Received) -> StorageFault | None:
        """The fault that strikes a request, if one does."""
        target = f"{request.name}?{urlencode(request.query)}"
        with self.lock:
            for fault in self.faults:
                if fault.times and re.search(fault.path, target):
                    fault.times -= 1
                    return fault
        return None

    def count(self, size: int) -> bool:
        """Count bytes that came; say whether the connection is to be cut now."""
        with self.lock:
            self.received += size
            if self.cuts and self.received >= self.cuts[0]:
                self.cuts.pop(0)
                return True
        return False


def tag_of(request: Received) -> str:
    """The ETag of what a request brought."""
    return f"{request.checksum:08x}-{request.size}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    storage: SignedStorage

    def handle_error(self, *_: object) -> None:
        """A client that goes away is no news."""


class _CutError(Exception):
    """The connection is to be cut here."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_: object) -> None:
        """Requests are recorded instead."""

    def do_PUT(self) -> None:
        storage = self.server.storage
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query))
        signature = query.pop("signature", "")
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Received("PUT", unquote(parts.path[1:]), query, headers)
        storage.requests.append(request)
        fault = storage.fault(request) or StorageFault()
        if fault.location:
            self.answer(request, 307, {"Location": fault.location})
            return
        refusal = self.refusal(request, signature)
        if refusal:
            self.answer(request, *refusal)
            return
        try:
            self.receive(request, fault)
        except _CutError:
            # Without the courtesy of a proper end: the client gets a reset.
            now = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, now)
            self.connection.close()
            self.close_connection = True
            return
        if fault.status:
            body = (
                "<Error><Code>InternalError</Code><Message>injected</Message></Error>"
            )
            self.answer(request, fault.status, fault.headers, body)
            return
        if request.part is None:
            storage.sizes[request.name] = request.size
        else:
            storage.parts[request.query["uploadId"]][request.part] = request
        tag = {} if fault.tagless else {"ETag": f'"{tag_of(request)}"'}
        self.answer(request, 200, tag)

    def do_GET(self) -> None:
        storage = self.server.storage
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query))
        signature = query.pop("signature", "")
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Received("GET", unquote(parts.path[1:]), query, headers)
        storage.requests.append(request)
        refusal = self.refusal(request, signature)
        if refusal is None and request.name not in storage.sizes:
            refusal = 404, {}, "<Error><Code>NoSuchKey</Code></Error>"
        if refusal:
            self.answer(request, *refusal)
            return
        size = storage.sizes[request.name]
        told = {"ETag": f'"{request.name}-{size}"', "Accept-Ranges": "bytes"}
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", headers.get("range", ""))
        start, end = int(asked[1]) if asked else 0, size - 1
        if asked:
            end = min(end, int(asked[2] or end))
            told["Content-Range"] = f"bytes {start}-{end}/{size}"
        request.status = 206 if asked else 200
        self.send_response(request.status)
        for name, value in told.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(end + 1 - start))
        self.end_headers()
        with storage.place(request.name).open("rb") as file:
            file.seek(start)
            shutil.copyfileobj(file, self.wfile, BLOCK)

    def refusal(self, request: Received, signature: str) -> tuple | None:
        """The status, headers and body for a request that is not allowed."""
        target = self.path.rpartition("&signature=")[0]
        if "authorization" in request.headers:
            words = "<Code>InvalidArgument</Code><Message>Only one auth mechanism"
            return 400, {}, f"<Error>{words} allowed</Message></Error>"
        if not hmac.compare_digest(signature, self.server.storage.signature(target)):
            return 403, {}, "<Error><Code>SignatureDoesNotMatch</Code></Error>"
        if request.method == "PUT" and "content-length" not in request.headers:
            return 411, {}, "<Error><Code>MissingContentLength</Code></Error>"
        upload = request.query.get("uploadId")
        if upload is not None and upload not in self.server.storage.parts:
            return 404, {}, "<Error><Code>NoSuchUpload</Code></Error>"
        return None

    def receive(self, request: Received, fault: StorageFault) -> None:
        """Take the body, a block at a time."""
        storage = self.server.storage
        upload, part = request.query.get("uploadId", ""), request.part or ""
        place = storage.place(request.name, upload, part)
        left = int(request.headers["content-length"])
        view = memoryview(bytearray(BLOCK))
        sink = place.open("wb") if storage.keep else None
        try:
            while left:
                size = self.rfile.readinto1(view[: min(left, BLOCK)])
                if not size:
                    raise _CutError
                block = view[:size]
                request.checksum = zlib.crc32(block, request.checksum)
                request.size += size
                left -= size
                if sink:
                    sink.write(block)
                cut = fault.after is not None and request.size >= fault.after
                if storage.count(size) or cut:
                    raise _CutError
        finally:
            if sink:
                sink.close()

    def answer(
        self, request: Received, status: int, headers: dict, body: str = ""
    ) -> None:
        if request.size < int(request.headers.get("content-length", 0)):
            self.close_connection = True  # what follows is the rest of the body
        request.status = status
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())
