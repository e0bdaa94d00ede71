"""A local stand-in for the calls that a job makes to its own Windmill.

    with Workspace() as workspace:
        workspace.register("f/shop/price", lambda item: {"price": 3})
        os.environ.update(workspace.environment)

Objects of the storage are files in a temporary folder, written as they arrive. What a
script or flow answers is a callable, run in a thread of its own. Windmill's words for
what it refuses are taken from its public source.
"""

import asyncio
import contextlib
import inspect
import itertools
import json
import os
import re
import shutil
import tempfile
import threading
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, unquote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import (
    JSONResponse,
    PlainTextResponse,
    Response,
    StreamingResponse,
)

from tools.flows.resolving import Secrets, UnresolvedError, resolving
from tools.local.server_thread import ServerThread
from tools.sandbox import Fault, Recorded

NAME = "test"
TOKEN = "wm_token_0123456789abcdef"
BLOCK = 1 << 20
NO_STORAGE = "Internal: No files storage resource defined at the workspace level"


@dataclass
class StoredObject:
    """An object of the storage: a file, and what was said of it when it was written.
    One that was put there for an example is nobody's to keep."""

    file: Path
    content_type: str | None = None
    content_disposition: str | None = None
    example: bool = False


@dataclass
class Runnable:
    """A script or flow: what to call, and how it describes itself."""

    function: Callable
    schema: dict
    summary: str
    description: str
    content: str
    value: dict | None = None  # of a flow


@dataclass
class Job:
    """A run of a script or flow."""

    path: str
    kind: str
    arguments: dict
    query: dict
    done: asyncio.Event = field(default_factory=asyncio.Event)
    success: bool = False
    result: object = None
    cancelled: str | None = None


def state_path(path: str, step: str | None = None, trigger: str = "user") -> str:
    """Where Windmill lets a job keep its state: of a script, or of a step of a flow.

    `trigger` is "user", also of what came over the API, and for a schedule its user.
    (windmill-common/src/variables.rs of 1.713 and of 1.788; no server sets
    WM_STATE_PATH_NEW, which its clients read first.)
    """
    return f"{path}/{trigger}" if step is None else f"{path}/{step}_{trigger}"


@contextlib.contextmanager
def environment_of(variables: dict[str, str]) -> Iterator[None]:
    """Put variables of a job into this process's environment for a while."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


class Workspace(ServerThread):
    """The server, as a context manager that runs it in a thread of its own.

    storage   False answers as a workspace without object storage does; may be changed
    helpers   False answers as Windmill's public source does, which knows no storage
    ranges    whether a part of an object can be asked for; Windmill sends it all
    updates   whether jobs_u/getupdate_sse exists; older servers lack it
    limit     the largest object in bytes; 50 MiB in Windmill's free edition
    """

    def __init__(
        self,
        storage: bool = True,
        ranges: bool = False,
        updates: bool = True,
        limit: int | None = None,
        helpers: bool = True,
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="workspace-"))
        self.job_id = str(uuid.uuid4())
        self.flow_job_id = str(uuid.uuid4())
        self.arguments: dict = {}  # of the job that runs, unresolved
        self.numbers = itertools.count()
        self.configure(storage, ranges, updates, limit, helpers)
        super().__init__(self.app, log_level="critical")

    def configure(
        self,
        storage: bool = True,
        ranges: bool = False,
        updates: bool = True,
        limit: int | None = None,
        helpers: bool = True,
    ) -> None:
        """Forget everything and start anew, as an empty workspace."""
        self.storage, self.ranges = storage, ranges
        self.updates, self.limit, self.helpers = updates, limit, helpers
        self.signs = True  # and hands out what it signed, as Enterprise does
        self.requests: list[Recorded] = []
        self.faults: list[Fault] = []
        self.cuts: list[int] = []  # of coming downloads: bytes after which one breaks
        self.objects: dict[tuple[str, str], StoredObject] = {}
        self.resources: dict[str, dict] = {}
        self.variables: dict[str, str] = {}
        self.schedules: dict[str, dict] = {}  # by path: what `schedules/get` says
        self.progress: dict[str, list[int]] = {}
        self.runnables: dict[tuple[str, str], Runnable] = {}
        self.jobs: dict[str, Job] = {}
        self.resumed: list[dict] = []
        self.arguments = {}

    def __exit__(self, *exception: object) -> None:
        super().__exit__(*exception)
        shutil.rmtree(self.folder)

    @property
    def environment(self) -> dict[str, str]:
        """What Windmill gives a job of a flow to find its server."""
        return {
            "BASE_INTERNAL_URL": self.url,
            "WM_BASE_URL": self.url,
            "WM_WORKSPACE": NAME,
            "WM_TOKEN": TOKEN,
            "WM_JOB_ID": self.job_id,
            "WM_JOB_PATH": "f/togetherai/step",
            "WM_FLOW_JOB_ID": self.flow_job_id,
            "WM_ROOT_FLOW_JOB_ID": self.flow_job_id,
            "WM_STATE_PATH": state_path("f/togetherai/step"),
        }

    # What tests and tools put in and look at.

    def put(self, key: str, content: bytes, storage: str = "") -> None:
        """Store an object."""
        self.file(key, storage).write_bytes(content)

    def file(self, key: str, storage: str = "") -> Path:
        """A new file for an object; what is written to it is the object."""
        place = self.folder / str(next(self.numbers))
        self.objects[storage, key] = StoredObject(place)
        return place

    def content(self, key: str, storage: str = "") -> bytes:
        """The bytes of an object; KeyError where there is none."""
        return self.objects[storage, key].file.read_bytes()

    def register(
        self,
        path: str,
        function: Callable,
        kind: str = "script",
        schema: dict | None = None,
        summary: str = "",
        description: str = "",
        content: str = "",
        value: dict | None = None,
    ) -> None:
        """Put a script or flow at a path: a callable that takes the arguments.

        Its schema, where none is given, is inferred from its names, as Windmill does.

        What it raises is the job's error. A callable that takes nothing is a canned
        result: `lambda **_: 5`.
        """
        schema = schema or _inferred(function)
        self.runnables[kind, path] = Runnable(
            function, schema, summary, description, content, value
        )

    # The server.

    async def app(self, scope: dict, receive: Callable, send: Callable) -> None:
        """The ASGI application. https://asgi.readthedocs.io/"""
        request = Request(scope, receive)
        path = unquote(scope["raw_path"].decode())
        response = await self.answer(request, path)
        await response(scope, receive, send)

    async def answer(self, request: Request, path: str) -> Response:
        """Find what a request asks for; record it."""
        large = path.endswith("/job_helpers/upload_s3_file")
        body = b"" if large else await request.body()
        headers = dict(request.headers)
        self.requests.append(
            Recorded(request.method, path, request.url.query, headers, body)
        )
        for fault in self.faults:
            if fault.times and re.search(fault.path, path):
                fault.times -= 1
                words = fault.body or "injected fault"
                return PlainTextResponse(str(words), fault.status, fault.headers)
        start = f"/api/w/{NAME}/"
        if not path.startswith(start):
            return PlainTextResponse("Not found", 404)
        # The pages that the resume URLs lead to are open to whoever has them.
        path = path.removeprefix(start)
        is_open = path.startswith(("jobs_u/resume/", "jobs_u/cancel/", "s3_proxy/"))
        if not is_open and headers.get("authorization") != f"Bearer {TOKEN}":
            return PlainTextResponse("Unauthorized", 401)
        query = dict(request.query_params)
        if path.startswith("job_helpers/") and not self.helpers:
            return Response(status_code=404)
        for method, pattern, serve in _ROUTES:
            found = re.fullmatch(pattern, path)
            if found and method == request.method:
                given = request if large else json.loads(body) if body else None
                return await serve(self, query, given, *found.groups())
        return PlainTextResponse("Not found", 404)

    async def try_storage(self, query: dict, _: object) -> Response:
        if self.storage:
            return JSONResponse(None)
        words = "Not found: No datasets storage resource defined at the workspace level"
        return PlainTextResponse(words, 404)

    async def list_files(self, query: dict, _: object) -> Response:
        if not self.storage:
            return PlainTextResponse(NO_STORAGE, 500)
        storage, prefix = query.get("storage", ""), query.get("prefix", "")
        after, most = query.get("marker", ""), int(query["max_keys"])
        keys = sorted(k for s, k in self.objects if s == storage and k > after)
        keys = [key for key in keys if key.startswith(prefix)]
        shown = [{"s3": key} for key in keys[:most]]
        marker = keys[most - 1] if len(keys) > most else None
        return JSONResponse(
            {
                "windmill_large_files": shown,
                "next_marker": marker,
                "restricted_access": False,
            }
        )

    async def sign(self, query: dict, given: dict) -> Response:
        """As Windmill signs objects; here a signature is the key spelt backwards."""
        found = []
        for one in given["s3_objects"]:
            signature = quote(one["s3"][::-1], safe="")
            mark = f"exp={time.time_ns()}&sig={signature}"
            found.append({**one, "presigned": mark})
        return JSONResponse(found)

    async def proxy(self, query: dict, _: object, storage: str, key: str) -> Response:
        """What Enterprise hands out to whoever has a signed address."""
        kept = self.objects.get(("" if storage == "_default_" else storage, key))
        if kept is None or not self.signs or query.get("sig") != key[::-1]:
            return PlainTextResponse("Not found", 404)
        return Response(kept.file.read_bytes())

    async def upload(self, query: dict, request: Request) -> Response:
        if not self.storage:
            return PlainTextResponse(NO_STORAGE, 500)
        key = query.get("file_key")
        if key is None:
            ending = query.get("file_extension", "file")
            key = f"windmill_uploads/upload_{uuid.uuid4().hex[:12]}.{ending}"
        place = self.folder / str(next(self.numbers))
        size = 0
        with place.open("wb") as file, contextlib.suppress(ClientDisconnect):
            async for block in request.stream():
                size += len(block)
                if self.limit is not None and size > self.limit:
                    words = "Uploading files bigger than 50Mb is only permitted in "
                    return PlainTextResponse(f"{words}Windmill EE", 500)
                file.write(block)
        if await request.is_disconnected():
            place.unlink()
            return Response(status_code=500)
        stored = StoredObject(
            place, query.get("content_type"), query.get("content_disposition")
        )
        self.objects[query.get("storage", ""), key] = stored
        return JSONResponse({"file_key": key})

    async def download(self, query: dict, _: object) -> Response:
        if not self.storage:
            return PlainTextResponse(NO_STORAGE, 500)
        stored = self.objects.get((query.get("storage", ""), query["file_key"]))
        if stored is None:
            words = f"Not found: Object at location {query['file_key']} not found"
            return PlainTextResponse(words, 404)
        size = stored.file.stat().st_size
        start, status = 0, 200
        asked = re.fullmatch(
            r"bytes=(\d+)-", self.requests[-1].headers.get("range", "")
        )
        headers = {"content-type": "application/octet-stream"}
        if asked and self.ranges:
            start, status = int(asked[1]), 206
            headers["content-range"] = f"bytes {start}-{size - 1}/{size}"
        headers["content-length"] = str(size - start)
        cut = self.cuts.pop(0) if self.cuts else None
        blocks = _read(stored.file, start, cut)
        return StreamingResponse(blocks, status, headers)

    async def delete(self, query: dict, _: object) -> Response:
        self.objects.pop((query.get("storage", ""), query["file_key"]), None)
        return JSONResponse(None)

    async def get_value(self, _: dict, __: object, path: str) -> Response:
        if path not in self.resources:
            return PlainTextResponse(f"Not found: resource at name {path}", 404)
        return JSONResponse(self.resources[path]["value"])

    async def get_resolved(self, _: dict, __: object, path: str) -> Response:
        """The value of a resource with what it refers to; never what a job keeps."""
        if path not in self.resources:
            return PlainTextResponse(f"Not found: resource at name {path}", 404)
        try:
            value = self.secrets().value(self.resources[path]["value"])
        except UnresolvedError as problem:
            return PlainTextResponse(f"Not found: {problem}", 404)
        return JSONResponse(value)

    def secrets(self, more: dict | None = None) -> Secrets:
        """What references in a job's arguments lead to; more are further resources."""
        kept = {path: found["value"] for path, found in self.resources.items()}
        job = {n: v for n, v in self.environment.items() if n.startswith("WM_")}
        return Secrets(self.variables, {**kept, **(more or {})}, job)

    async def get_resource(self, _: dict, __: object, path: str) -> Response:
        if path not in self.resources:
            return PlainTextResponse(f"Not found: resource at name {path}", 404)
        return JSONResponse({"path": path, **self.resources[path]})

    async def create_resource(self, _: dict, given: dict) -> Response:
        if given["path"] in self.resources:
            words = f"Bad request: Resource {given['path']} already exists"
            return PlainTextResponse(words, 400)
        kept = {name: given[name] for name in ("value", "resource_type")}
        self.resources[given["path"]] = {**kept, "edited_at": _now()}
        return PlainTextResponse(f"resource {given['path']} created", 201)

    async def update_resource(self, _: dict, given: dict, path: str) -> Response:
        if path not in self.resources:
            return PlainTextResponse(f"Not found: resource at name {path}", 404)
        self.resources[path] |= {"value": given["value"], "edited_at": _now()}
        return PlainTextResponse(f"value of resource {path} updated")

    async def list_resources(self, query: dict, _: object) -> Response:
        start, kind = query.get("path_start", ""), query.get("resource_type")
        found = [
            {"path": path, **kept, "value": None}
            for path, kept in sorted(self.resources.items())
            if path.startswith(start) and kind in (None, kept["resource_type"])
        ]
        return JSONResponse(_page(found, query))

    async def delete_resource(self, _: dict, __: object, path: str) -> Response:
        if self.resources.pop(path, None) is None:
            words = f"Not found: Resource not found at name {path}"
            return PlainTextResponse(words, 404)
        return PlainTextResponse(f"resource {path} deleted")

    async def get_job(self, _: dict, __: object, job: str) -> Response:
        if job == self.job_id:
            running = {"type": "QueuedJob", "running": True}
            return JSONResponse({"id": job, **running, "parent_job": self.flow_job_id})
        if job not in self.jobs:
            return PlainTextResponse("Not found: Job not found", 404)
        found = self.jobs[job]
        kind = "CompletedJob" if found.done.is_set() else "QueuedJob"
        return JSONResponse({"id": job, "type": kind, "script_path": found.path})

    async def get_arguments(self, _: dict, __: object, job: str) -> Response:
        if job == self.job_id:
            return JSONResponse(self.arguments)
        if job in self.jobs:
            return JSONResponse(self.jobs[job].arguments)
        return PlainTextResponse("Not found: Job not found", 404)

    async def set_progress(self, _: dict, given: dict, job: str) -> Response:
        self.progress.setdefault(job, []).append(given["percent"])
        return JSONResponse(None)

    async def get_progress(self, _: dict, __: object, job: str) -> Response:
        return JSONResponse(self.progress.get(job, [None])[-1])

    async def start(self, query: dict, given: dict, letter: str, path: str) -> Response:
        kind = "script" if letter == "p" else "flow"
        if (kind, path) not in self.runnables:
            return PlainTextResponse(f"Not found: {kind} not found at {path}", 404)
        name = query.get("job_id") or str(uuid.uuid4())
        if name in self.jobs:
            words = f"Bad request: A job with id {name} already exists"
            return PlainTextResponse(words, 400)
        job = self.jobs[name] = Job(path, kind, given, query)
        loop = asyncio.get_running_loop()
        function = self.runnables[kind, path].function
        if kind == "script":  # a flow hands its arguments on as they are
            function = resolving(function, self.secrets())

        def work() -> None:
            success, result = _outcome(function, given)
            with contextlib.suppress(RuntimeError):  # the server has ended
                loop.call_soon_threadsafe(_finish, job, success, result)

        threading.Thread(target=work, daemon=True).start()
        return PlainTextResponse(name, 201)

    async def result(self, _: dict, __: object, name: str) -> Response:
        if name not in self.jobs:
            return PlainTextResponse("Not found: Job not found", 404)
        job = self.jobs[name]
        if not job.done.is_set():
            waiting = {"started": True, "success": None, "completed": False}
            return JSONResponse({**waiting, "result": None})
        done = {"started": True, "success": job.success, "completed": True}
        return JSONResponse({**done, "result": job.result})

    async def watch(self, _: dict, __: object, name: str) -> Response:
        if not self.updates or name not in self.jobs:
            return PlainTextResponse("Not found", 404)
        events = _updates(self.jobs[name])
        return StreamingResponse(events, media_type="text/event-stream")

    async def cancel(self, _: dict, given: dict, name: str) -> Response:
        if name not in self.jobs:
            return PlainTextResponse("Not found: Job not found", 404)
        job = self.jobs[name]
        if not job.done.is_set():
            job.cancelled = given.get("reason")
            error = {"name": "Canceled", "message": f"Job canceled: {job.cancelled}"}
            _finish(job, False, {"error": error})
        return PlainTextResponse(name)

    async def describe(self, _: dict, __: object, place: str, path: str) -> Response:
        kind = "script" if place == "scripts/get/p" else "flow"
        found = self.runnables.get((kind, path))
        if found is None:
            return PlainTextResponse(f"Not found: {kind} not found at {path}", 404)
        return JSONResponse(
            {
                "path": path,
                "summary": found.summary,
                "description": found.description,
                "schema": found.schema,
                **({"content": found.content} if kind == "script" else {}),
                **({"value": found.value} if found.value is not None else {}),
            }
        )

    async def list_runnables(self, query: dict, _: object, place: str) -> Response:
        start = re.escape(query.get("path_start", "")).replace("_", ".")
        found = [
            {"path": path}
            for kind, path in sorted(self.runnables)
            if f"{kind}s" == place and re.match(start, path)
        ]
        return JSONResponse(_page(found, query))

    async def list_schedules(self, query: dict, _: object) -> Response:
        """The schedules without their arguments, as Windmill lists them."""
        start = query.get("path_start", "")
        names = ("script_path", "is_flow", "enabled", "schedule", "summary")
        found = [
            {"path": path, **{name: kept.get(name) for name in names}}
            for path, kept in self.schedules.items()
            if path.startswith(start)
        ]
        return JSONResponse(_page(found, query))

    async def get_schedule(self, _: dict, __: object, path: str) -> Response:
        if path not in self.schedules:
            return PlainTextResponse(f"Not found: Schedule not found at {path}", 404)
        return JSONResponse({"path": path, **self.schedules[path]})

    async def raw(self, _: dict, __: object, path: str) -> Response:
        found = self.runnables.get(("script", path))
        if found is None:
            return PlainTextResponse(f"Not found: script not found at {path}", 404)
        return PlainTextResponse(found.content)

    async def resume_urls(
        self, query: dict, _: object, job: str, nonce: str
    ) -> Response:
        end = f"{job}/{nonce}/{uuid.uuid4().hex}"
        if query.get("approver"):
            end += f"?approver={query['approver']}"
        base = f"{self.url}/api/w/{NAME}/jobs_u"
        return JSONResponse(
            {
                "approvalPage": f"{self.url}/approve/{NAME}/{end}",
                "resume": f"{base}/resume/{end}",
                "cancel": f"{base}/cancel/{end}",
            }
        )

    async def resume(
        self, query: dict, given: object, action: str, job: str
    ) -> Response:
        answer = {"action": action, "job": job, "payload": given, **query}
        self.resumed.append(answer)
        return PlainTextResponse("done", 201)


def _page(found: list, query: dict) -> list:
    """The part of a list that a query asks for, with Windmill's own bounds."""
    size = min(max(int(query.get("per_page", 1000)), 1), 10_000)
    start = (max(int(query.get("page", 1)), 1) - 1) * size
    return found[start : start + size]


def _inferred(function: Callable) -> dict:
    """The schema of a callable's arguments, as far as its signature tells."""
    properties, required = {}, []
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            continue
        properties[name] = {}
        if parameter.default is parameter.empty:
            required.append(name)
    return {"type": "object", "properties": properties, "required": required}


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _outcome(function: Callable, arguments: dict) -> tuple[bool, object]:
    try:
        # As a result does on its way through Windmill.
        return True, json.loads(json.dumps(function(**arguments), default=str))
    except Exception as error:  # whatever a script raises is its job's error
        words = {"name": type(error).__name__, "message": str(error)}
        extra = {"extra": vars(error)} if vars(error) else {}
        return False, json.loads(json.dumps({"error": {**words, **extra}}, default=str))


def _finish(job: Job, success: bool, result: object) -> None:
    if not job.done.is_set():
        job.success, job.result = success, result
        job.done.set()


async def _updates(job: Job) -> AsyncIterator[str]:
    yield f"data: {json.dumps({'type': 'update', 'running': True})}\n\n"
    while not job.done.is_set():
        try:
            await asyncio.wait_for(job.done.wait(), 5)
        except TimeoutError:
            yield f"data: {json.dumps({'type': 'ping'})}\n\n"
    done = {"type": "update", "completed": True, "only_result": job.result}
    yield f"data: {json.dumps(done)}\n\n"


async def _read(place: Path, start: int, cut: int | None) -> AsyncIterator[bytes]:
    """The bytes of a file from start on; with a cut, only that many."""
    left = cut
    with place.open("rb") as file:
        file.seek(start)
        while block := file.read(BLOCK if left is None else min(left, BLOCK)):
            yield block
            if left is not None:
                left -= len(block)
        if cut is not None and file.read(1):
            raise ConnectionError("a cut that was asked for")


_ID = "([0-9a-f-]{36})"
_ROUTES = [
    ("GET", r"job_helpers/test_connection", Workspace.try_storage),
    ("POST", r"job_helpers/upload_s3_file", Workspace.upload),
    ("GET", r"job_helpers/download_s3_file", Workspace.download),
    ("GET", r"job_helpers/list_stored_files", Workspace.list_files),
    ("DELETE", r"job_helpers/delete_s3_file", Workspace.delete),
    ("POST", r"apps/sign_s3_objects", Workspace.sign),
    ("GET", r"s3_proxy/([^/]+)/(.+)", Workspace.proxy),
    ("GET", r"resources/get_value_interpolated/(.+)", Workspace.get_resolved),
    ("GET", r"resources/get_value/(.+)", Workspace.get_value),
    ("GET", r"resources/get/(.+)", Workspace.get_resource),
    ("POST", r"resources/create", Workspace.create_resource),
    ("POST", r"resources/update_value/(.+)", Workspace.update_resource),
    ("GET", r"resources/list", Workspace.list_resources),
    ("DELETE", r"resources/delete/(.+)", Workspace.delete_resource),
    ("GET", rf"jobs_u/get/{_ID}", Workspace.get_job),
    ("GET", rf"jobs_u/get_args/{_ID}", Workspace.get_arguments),
    ("POST", rf"job_metrics/set_progress/{_ID}", Workspace.set_progress),
    ("GET", rf"job_metrics/get_progress/{_ID}", Workspace.get_progress),
    ("POST", r"jobs/run/([pf])/(.+)", Workspace.start),
    ("GET", rf"jobs_u/completed/get_result_maybe/{_ID}", Workspace.result),
    ("GET", rf"jobs_u/getupdate_sse/{_ID}", Workspace.watch),
    ("POST", rf"jobs_u/queue/cancel/{_ID}", Workspace.cancel),
    ("GET", r"(scripts/get/p|flows/get)/(.+)", Workspace.describe),
    ("GET", r"(scripts|flows)/list", Workspace.list_runnables),
    ("GET", r"scripts/raw/p/(.+)\.py", Workspace.raw),
    ("GET", r"schedules/list", Workspace.list_schedules),
    ("GET", r"schedules/get/(.+)", Workspace.get_schedule),
    ("GET", rf"jobs/resume_urls/{_ID}/(\d+)", Workspace.resume_urls),
    ("POST", rf"jobs_u/(resume|cancel)/{_ID}/\d+/[0-9a-f]+", Workspace.resume),
]
