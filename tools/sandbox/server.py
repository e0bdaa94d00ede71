"""A local server that speaks the Together API, made from the schemas.

It refuses what the schemas refuse, with Together's error shape; streams server-sent
events in small pieces; keeps uploaded files; lets batches, fine-tunes, endpoints and
the like live (lifecycles/); answers everything else from `x-reply`, and so whatever is
asked of an id that stands in an example.
The key may be any text: there is nothing to pay for.
"""

import asyncio
import base64
import contextlib
import io
import json
import math
import re
import struct
import time
import uuid
import wave
import zlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, unquote

import jsonschema
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    Response,
    StreamingResponse,
)
from starlette.websockets import WebSocket, WebSocketDisconnect

from tools import models
from tools.local.server_thread import ServerThread
from tools.operations import ROOT, Operation, operations, told
from tools.sandbox import canned_answers, refusals
from tools.sandbox.file_uploads import FileUploads
from tools.sandbox.front import Chances, Log, ResetError, cut_off
from tools.sandbox.lifecycles import Lifecycles, RefusalError

_COMMIT_SOUND = "input_audio_buffer.commit"
# What the file of an example holds.
ROWS = b"""\
{"prompt": "How do I reset my password?", "answer": "Press reset."}
{"prompt": "Where is my order?", "answer": "It left on Monday."}
"""
# What dedicated inference tells of itself, in Prometheus' format.
METRICS = re.compile(r"/organizations/[^/]+/metrics")
MEASURED = """\
# TYPE queue_depth gauge
queue_depth{deployment="dep_V2kR8sNfH3yD"} 5
"""
PIECE = 0.03  # seconds between two pieces of a stream


@dataclass
class Recorded:
    """One request as it came in."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> object:
        return json.loads(self.body) if self.body else None


@dataclass
class Fault:
    """An answer to give instead of the right one, `times` times, where `path` fits."""

    path: str
    status: int
    times: int = 1
    headers: dict[str, str] = field(default_factory=dict)
    body: object = None


class Sandbox(ServerThread):
    """The server, as a context manager that runs it in a thread of its own.

    With judge=False requests are recorded and answered without being judged; with
    refuses=False any name is a model's and whatever the schemas allow is done; with
    lifecycles=False nothing that is created lives on. `answers` says what to answer in
    place of `x-reply`: by an operation's name, a function of main's arguments.

    `chances` are faults that strike at random; `tell` gets a line for each request.

    Other machines reach it at `reached_at`, an address that leads to `host` and `port`;
    files that are put into storage by signed addresses go to the port after that.
    """

    def __init__(
        self,
        root: Path = ROOT,
        port: int = 0,
        pace: float = PIECE,
        judge: bool = True,
        lifecycles: bool = True,
        refuses: bool = True,
        host: str = "127.0.0.1",
        reached_at: str | None = None,
        chances: Chances | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        self.root = root
        self.host = host
        self.reached_at = reached_at
        self.pace = pace
        self.judge = judge
        self.refuses = refuses and judge
        self.answers: dict[str, Callable[[dict], object]] = {}
        self.objects: dict[str, tuple[str, bytes]] = {}  # by path: type, content
        self.lifecycles = Lifecycles(self) if lifecycles and judge else None
        self.requests: list[Recorded] = []
        self.faults: list[Fault] = []
        self.chances = chances or Chances()
        self.log = Log(tell)
        self.files: dict[str, tuple[dict, bytes]] = {}
        self.uploads = FileUploads(self)
        self.routes = [_Route(operation) for operation in operations(root)]
        # A literal path wins over one with a placeholder.
        self.routes.sort(key=lambda route: route.operation.exchange["path"].count("{"))
        super().__init__(self.app, host, port)

    def __exit__(self, *exception: object) -> None:
        super().__exit__(*exception)
        self.uploads.close()

    @property
    def url(self) -> str:
        return self.reached_at.rstrip("/") if self.reached_at else super().url

    def knows(self, name: str) -> bool:
        """Whether an id stands in an example: what is asked of it gets canned
        canned_answers, also where things of its kind were created."""
        return name in told(self.root)

    async def app(self, scope: dict, receive: object, send: object) -> None:
        """The ASGI application. https://asgi.readthedocs.io/"""

        async def answer(send: Callable) -> None:
            if await self.chances.strike(scope, receive, send):
                return
            if scope["type"] == "websocket":
                await self.converse(WebSocket(scope, receive, send))
                return
            request = Request(scope, receive)
            response = await self.answer(request, scope["raw_path"].decode())
            await response(scope, receive, send)

        with contextlib.suppress(ResetError):
            await self.log.watch(scope, send, answer)
            return
        await cut_off(send, receive)

    async def converse(self, socket: WebSocket) -> None:
        """Play the server's part of a realtime session."""
        path = socket.scope["raw_path"].decode()
        query, headers = socket.url.query, dict(socket.headers)
        self.requests.append(Recorded("GET", path, query, headers, b""))
        route = next((r for r in self.routes if r.fits(path)), None)
        scheme, _, key = headers.get("authorization", "").partition(" ")
        for fault in self.faults:
            if fault.times and re.search(fault.path, path):
                fault.times -= 1
                shown = fault.body or error_body("injected fault", "sandbox")
                await socket.send_denial_response(JSONResponse(shown, fault.status))
                return
        if (
            route is None
            or not route.operation.realtime
            or scheme != "Bearer"
            or not key
        ):
            status = 404 if scheme == "Bearer" else 401
            refusal = _refuse(status, "No such session", "invalid_request_error")
            await socket.send_denial_response(refusal)
            return
        await socket.accept()
        await socket.send_json({"type": "session.created", "session": {"id": "s-1"}})
        with contextlib.suppress(WebSocketDisconnect):
            if route.operation.exchange["reply"] == "transcript":
                await self.hear(socket, route.operation)
            else:
                await self.say(socket)

    async def hear(self, socket: WebSocket, operation: Operation) -> None:
        sound = b""
        while (event := await socket.receive_json())["type"] != _COMMIT_SOUND:
            sound += base64.b64decode(event["audio"])
        item = "conversation.item.input_audio_transcription."
        segment = operation.schema["x-reply"]["segments"][0]
        first = {"item_id": segment["item_id"], "delta": segment["transcript"][:5]}
        await socket.send_json({"type": f"{item}delta", **first})
        await socket.send_json({"type": f"{item}completed", **segment})
        done = {"type": "input_audio_buffer.processed", "processed_ms": len(sound) / 32}
        await socket.send_json(done)
        await socket.receive()

    async def say(self, socket: WebSocket) -> None:
        while (await socket.receive_json())["type"] != "input_text_buffer.commit":
            pass
        with wave.open(io.BytesIO(tone())) as file:
            sound = file.readframes(file.getnframes())
        item = {"type": "conversation.item.audio_output.delta", "item_id": "i-1"}
        for start in range(0, len(sound), 4800):
            delta = base64.b64encode(sound[start : start + 4800]).decode()
            await socket.send_json({**item, "delta": delta})
        await socket.send_json({**item, "type": "conversation.item.audio_output.done"})
        await socket.receive()

    async def answer(self, request: Request, path: str) -> Response:
        if path == "/" and request.method == "GET":
            words = models.model("chat", self.root)
            return HTMLResponse(self.log.page(self.url, words, self.chances))
        body = await request.body()
        self.requests.append(
            Recorded(
                request.method, path, request.url.query, dict(request.headers), body
            )
        )
        if path == "/sandbox/faults" and request.method == "POST":
            self.faults += [Fault(**fault) for fault in json.loads(body)]
            return JSONResponse({"faults": len(self.faults)})
        if (
            path == "/sandbox/lifecycles"
            and request.method == "POST"
            and self.lifecycles
        ):
            return JSONResponse(self.lifecycles.control(json.loads(body)))
        for fault in self.faults:
            if fault.times and re.search(fault.path, path):
                fault.times -= 1
                shown = fault.body or error_body("injected fault", "sandbox")
                return JSONResponse(shown, fault.status, fault.headers)
        if path in self.objects and request.method == "GET":
            # Like a signed URL: no key is asked for.
            kind, content = self.objects[path]
            return _bytes(content, kind, request.headers.get("range"))
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not key:
            return _refuse(401, "Missing or invalid API key", "authentication_error")
        if route := self.route(request.method, path):
            try:
                return await self.serve(route, request, path, body)
            except RefusalError as refusal:
                shown = refusal.body or error_body(str(refusal), "sandbox")
                return JSONResponse(shown, refusal.status)
        if request.method == "GET" and METRICS.fullmatch(path):
            return Response(MEASURED, media_type="text/plain; version=0.0.4")
        if any(route.fits(path) for route in self.routes):
            return _refuse(405, f"Method {request.method} not allowed", "not_allowed")
        return _refuse(404, f"No such path: {path}", "not_found")

    def route(self, method: str, path: str) -> "_Route | None":
        """The operation that such a request is for, if there is one."""
        return next(
            (
                route
                for route in self.routes
                if route.fits(path) and route.operation.exchange["method"] == method
            ),
            None,
        )

    async def serve(
        self, route: "_Route", request: Request, path: str, body: bytes
    ) -> Response:
        operation = route.operation
        try:
            arguments, uploads = await route.arguments(request, path, body)
        except ValueError as error:
            return _refuse(400, str(error), "invalid_request_error")
        problem = self.problem(operation, arguments) if self.judge else None
        if problem:
            return _refuse(400, problem[0], "invalid_request_error", problem[1])
        if self.refuses:
            refusals.check(self, operation, arguments)
        if operation.group == "files":
            answer = self.serve_file(operation, arguments, uploads)
            if answer is not None:
                return answer
        if self.lifecycles is not None:
            answer = self.lifecycles.serve(operation, arguments)
            if answer is not None:
                return answer
        given = arguments.get("body") or {}
        if "stream" in operation.exchange and given.get("stream") is True:
            answer = self.reply(operation, arguments)
            events = _events(operation, given, self.pace, answer)
            return StreamingResponse(events, media_type="text/event-stream")
        kind = operation.exchange.get("reply")
        if kind == "binary":
            return Response(*brought(operation, given))
        if kind == "none":
            return Response(status_code=204)
        if kind == "redirect":
            headers = {
                "location": "https://storage.example.com/signed?part=1",
                "x-together-file-id": "file-sandbox",
            }
            return Response(status_code=302, headers=headers)
        answer = self.reply(operation, arguments)
        if operation.exchange.get("brings", {}).get("kind") == "picture":
            answer = self.hosted(answer)
        return JSONResponse(answer)

    def hosted(self, answer: object) -> object:
        """The answer with each address of a picture leading here instead, to one."""
        short = r"https://api\.together\.ai/shrt/(\w+)"
        text = json.dumps(answer)
        for name in re.findall(short, text):
            drawn = "image/png", picture(name)
            self.objects.setdefault(f"/sandbox/objects/{name}.png", drawn)
        return json.loads(re.sub(short, rf"{self.url}/sandbox/objects/\1.png", text))

    def problem(self, operation: Operation, arguments: dict) -> tuple[str, str] | None:
        """What is refused in main's arguments, and where; None: nothing."""
        validator = jsonschema.Draft202012Validator(operation.schema)
        for error in validator.iter_errors(arguments):
            where = ".".join(map(str, error.absolute_path))
            return f"{where}: {error.message[:300]}", where
        if operation.name == "create_chat_completion":
            where = canned_answers.nameless(arguments["body"].get("tools") or [])
            return (f"{where} is missing", where) if where else None
        return None

    def reply(self, operation: Operation, arguments: dict) -> object:
        """The JSON answer to main's arguments: from `answers`, else the canned one."""
        if operation.name in self.answers:
            return self.answers[operation.name](arguments)
        if operation.name == "list_models":
            return models.listed(self.root)
        if operation.name == "list_supported_models":
            return models.supported_page(arguments, self.root)
        return reply(operation, arguments.get("body") or {})

    def serve_file(
        self, operation: Operation, arguments: dict, uploads: dict[str, bytes]
    ) -> Response | None:
        """The life of a file: stored, listed, read, deleted, gone."""
        answer = self.uploads.serve(operation, arguments)
        if answer is not None:
            return answer
        if operation.name == "upload_file":
            given = arguments["body"]
            content = uploads.get("file", b"")
            kind = given.get("file_type", "jsonl")
            record = self.store_file(
                given["file_name"], content, given["purpose"], kind
            )
            return JSONResponse(record)
        if operation.name == "list_files" and self.files:
            return JSONResponse({"data": [record for record, _ in self.files.values()]})
        name = arguments.get("file_id")
        if not self.files or name is None:
            return None
        if name not in self.files:
            if self.knows(name):
                return None
            return _refuse(404, f"File {name} not found", "not_found")
        record, content = self.files[name]
        if operation.name == "get_file":
            return JSONResponse(record)
        if operation.name == "download_file":
            headers = {
                "content-disposition": f'attachment; filename="{record["filename"]}"'
            }
            return Response(content, media_type="text/plain", headers=headers)
        if operation.name == "delete_file":
            del self.files[name]
            return JSONResponse({"id": name, "deleted": True})
        return None

    def has_file(self, name: str) -> bool:
        """Whether a request may name such a file."""
        return not self.files or name in self.files or self.knows(name)

    def store_file(
        self, name: str, content: bytes, purpose: str, kind: str = "jsonl"
    ) -> dict:
        """Keep a file as if it had been uploaded; return its record."""
        record = {
            "id": f"file-{uuid.uuid4()}",
            "object": "file",
            "created_at": int(time.time()),
            "filename": name,
            "bytes": len(content),
            "purpose": purpose,
            "Processed": True,
            "FileType": kind,
        }
        self.files[record["id"]] = record, content
        return record


class _Route:
    """An operation, how to know its requests and how to read them."""

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        path = re.escape(operation.exchange["path"]).replace(r"\{", "{")
        path = re.sub(r"{(\w+)\\?}", r"(?P<\1>[^/]+)", path)
        self.pattern = re.compile(path)
        self.schema = operation.schema

    def fits(self, path: str) -> bool:
        return self.pattern.fullmatch(path) is not None

    async def arguments(
        self, request: Request, path: str, body: bytes
    ) -> tuple[dict, dict[str, bytes]]:
        """The arguments of main that would have made this request, and its files."""
        found = self.pattern.fullmatch(path).groupdict()
        arguments: dict = {name: unquote(value) for name, value in found.items()}
        members = self.operation.arguments
        wires = {m.get("x-wire", n): (n, m) for n, m in members.items() if n != "body"}
        for name, value in parse_qsl(request.url.query, keep_blank_values=True):
            if name not in wires:
                raise ValueError(f"unknown query parameter {name}")
            own, schema = wires[name]
            arguments[own] = _read(value, schema)
        for wire, (own, schema) in wires.items():
            if schema.get("x-in") == "header" and wire.lower() in request.headers:
                arguments[own] = request.headers[wire.lower()]
        uploads: dict[str, bytes] = {}
        kind = request.headers.get("content-type", "")
        if kind.startswith("multipart/"):
            schemas = members["body"]["properties"]
            given: dict = {}
            for name, value in (await request.form()).multi_items():
                plain = name.removesuffix("[]")
                if not isinstance(value, str):
                    uploads[plain] = await value.read()
                    given[plain] = base64.b64encode(uploads[plain]).decode()
                elif name.endswith("[]"):
                    items = schemas.get(plain, {}).get("items", {})
                    given.setdefault(plain, []).append(_read(value, items))
                else:
                    given[plain] = _read(value, schemas.get(plain, {}))
            arguments["body"] = given
        elif body:
            if "body" not in members:
                raise ValueError("this operation takes no body")
            arguments["body"] = json.loads(body)
        return arguments, uploads


def _read(text: str, schema: dict) -> object:
    """A parameter's value, from the text that it is on the wire."""
    kinds = schema.get("type")
    listed = kinds if isinstance(kinds, list) else [kinds]
    kind = next((one for one in listed if one != "null"), None)
    if kind == "array":
        return [_read(item, schema.get("items", {})) for item in text.split(",")]
    if kind in ("integer", "number", "boolean", "object"):
        return json.loads(text)
    return text


def error_body(message: str, kind: str, param: str | None = None) -> dict:
    return {"error": {"message": message, "type": kind, "param": param, "code": None}}


def _bytes(content: bytes, kind: str, asked: str | None) -> Response:
    """Bytes, or those from where a request's Range begins."""
    told = {"ETag": f'"{zlib.crc32(content):08x}"', "Accept-Ranges": "bytes"}
    found = re.fullmatch(r"bytes=(\d+)-", asked or "")
    if found is None:
        return Response(content, headers=told, media_type=kind)
    start, size = int(found[1]), len(content)
    if start >= size:
        return Response(status_code=416, headers=told)
    told["Content-Range"] = f"bytes {start}-{size - 1}/{size}"
    return Response(content[start:], 206, told, kind)


def _refuse(status: int, message: str, kind: str, param: str | None = None) -> Response:
    headers = {"x-request-id": f"sandbox-{uuid.uuid4().hex[:12]}"}
    return JSONResponse(error_body(message, kind, param), status, headers)


MADE = {
    "create_chat_completion": canned_answers.chat,
    "create_embeddings": canned_answers.embeddings,
    "rerank_documents": canned_answers.rerank,
}


def reply(operation: Operation, given: dict) -> object:
    """The operation's canned answer, with the model and the choices asked for; what a
    model makes of its input, where that matters."""
    answer = json.loads(json.dumps(operation.schema.get("x-reply")))
    if isinstance(answer, dict) and "model" in answer and "model" in given:
        answer["model"] = given["model"]
    if isinstance(answer, dict) and "stream" in operation.exchange:
        first = answer["choices"][0]
        count = given.get("n") or 1
        answer["choices"] = [{**first, "index": index} for index in range(count)]
    make = MADE.get(operation.name)
    return make(given, answer) if make else answer


def brought(
    operation: Operation, given: dict[str, object]
) -> tuple[bytes, int, None, str]:
    """The bytes that an operation brings, as the arguments of a response: rows where it
    is a file of the account's, else a sound, as MP3 where the body asks for that."""
    if operation.group == "files":
        return ROWS, 200, None, "application/jsonl"
    if given.get("response_format") == "mp3":
        return STILL, 200, None, "audio/mpeg"
    return tone(), 200, None, "audio/wav"


# 0.4 s of silence as MP3: frames of MPEG 1, layer III, 128 kbit/s, 44.1 kHz, whose
# values are all 0. ISO 11172-3, 2.4.1.
STILL = 16 * (b"\xff\xfb\x90\x64" + bytes(413))


def tone(seconds: float = 0.4, rate: int = 24000) -> bytes:
    """A short sine as a WAV file: what the sandbox says aloud."""
    samples = (
        int(9000 * math.sin(2 * math.pi * 440 * n / rate))
        for n in range(int(seconds * rate))
    )
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return buffer.getvalue()


def picture(name: str, size: int = 64) -> bytes:
    """A square of one colour as a PNG file: what the sandbox draws. W3C PNG, 5."""
    colour = zlib.crc32(name.encode()).to_bytes(4, "big")[:3]
    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    rows = zlib.compress((b"\0" + colour * size) * size)
    chunks = ((b"IHDR", header), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data))
        + kind
        + data
        + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


async def _events(
    operation: Operation, given: dict, pace: float, answer: object
) -> AsyncIterator[str]:
    for chunk in chunks(operation, given, answer):
        yield f"data: {json.dumps(chunk)}\n\n"
        await asyncio.sleep(pace)
    yield "data: [DONE]\n\n"


def chunks(operation: Operation, given: dict, answer: object = None) -> list[dict]:
    """An answer, the canned one by default, in the pieces of a stream."""
    if operation.exchange["stream"] == "speech":
        audio = tone()
        return [
            {
                "object": "audio.tts.chunk",
                "model": given["model"],
                "b64": base64.b64encode(audio[start : start + 4800]).decode(),
            }
            for start in range(0, len(audio), 4800)
        ]
    answer = answer or reply(operation, given)
    head = {key: answer[key] for key in ("id", "created", "model") if key in answer}
    found = []
    chat = operation.exchange["stream"] == "chat"
    for choice in answer["choices"]:
        text = choice["message"]["content"] if chat else choice["text"]
        for piece in canned_answers.pieces(text):
            part = {"index": choice["index"]}
            if chat:
                part["delta"] = {"role": "assistant", "content": piece}
                if given.get("logprobs") is True:
                    part["logprobs"] = canned_answers.logprobs(given, [piece])
            else:
                part["text"] = piece
            found.append({**head, "choices": [part], "usage": None})
        for call in choice["message"].get("tool_calls") or [] if chat else []:
            part = {"role": "assistant", "tool_calls": [call]}
            part = {"index": choice["index"], "delta": part}
            found.append({**head, "choices": [part], "usage": None})
        last = {"index": choice["index"], "finish_reason": choice.get("finish_reason")}
        last |= (
            {"delta": {"role": "assistant", "content": ""}} if chat else {"text": ""}
        )
        found.append({**head, "choices": [last], "usage": None})
    for chunk in found:
        chunk["object"] = "chat.completion.chunk" if chat else "completion.chunk"
    found[-1]["usage"] = answer.get("usage")
    return found
