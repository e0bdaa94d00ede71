"""Every request that a script would send, as it is: the script runs against a recorder
on this machine, which answers as the sandbox does and judges nothing."""

import json
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP

from scripts.client.resource import HOST
from tools.local.fake_workspace import Workspace
from tools.local.job_runner import Job, run
from tools.operations import Operation
from tools.sandbox import Recorded, Sandbox

# What announces a file, whose bytes then go elsewhere.
UPLOADS = {("POST", "/v1/files"), ("POST", "/v1/files/multipart/initiate")}
LINES = 1000  # of a file that are shown


def dry_run(
    operation: Operation, given: dict, workspace: Workspace, base_url: str | None
) -> tuple[list[dict], Job]:
    """Return the requests in order, without the key, and how the job ended."""
    with Sandbox(judge=False) as recorder:
        auth = {"api_key": "dry-run", "base_url": recorder.url}
        arguments = {"auth": auth, **given}
        job = run(operation.id, arguments, environment=workspace.environment)
        # What an answer's own addresses lead to is not the API.
        seen = [r for r in recorder.requests if not r.path.startswith("/sandbox/")]
        files = iter(recorder.files)
        shown = []
        for request in seen:
            shown.append(_shown(recorder, request, base_url))
            if (request.method, request.path) in UPLOADS and (file := next(files, "")):
                shown.append(_upload(recorder, file))
        return shown, job


def _upload(recorder: Sandbox, file: str) -> dict:
    """The bytes of a file, which go to an address that the answer before names."""
    content = recorder.files[file][1] or recorder.uploads.storage.read(f"files/{file}")
    return {
        "method": "PUT",
        "url": "(the signed address that the answer before names)",
        "headers": {},
        "body": _content(content),
    }


def _shown(recorder: Sandbox, request: Recorded, base_url: str | None) -> dict:
    route = recorder.route(request.method, request.path)
    exchange = route.operation.exchange if route else {}
    host = (base_url or exchange.get("host", HOST)).rstrip("/").removesuffix("/v1")
    headers = {k: v for k, v in request.headers.items() if k != "host"}
    headers["authorization"] = "Bearer ***"
    query = f"?{request.query}" if request.query else ""
    return {
        "method": request.method,
        "url": f"{host}{request.path}{query}",
        "headers": headers,
        "body": _body(request),
    }


def _body(request: Recorded) -> object:
    kind = request.headers.get("content-type", "")
    if kind.startswith("multipart/"):
        head = f"content-type: {kind}\r\n\r\n".encode()
        form = BytesParser(policy=HTTP).parsebytes(head + request.body)
        return {
            part.get_param("name", header="content-disposition"): _part(part)
            for part in form.iter_parts()
        }
    try:
        return request.json
    except ValueError:
        return _content(request.body)


def _part(part: Message) -> object:
    content = part.get_payload(decode=True)
    name = part.get_filename()
    shown = _content(content)
    return {"filename": name, "content": shown} if name else shown


def _content(content: bytes) -> object:
    """A text; of JSON Lines, such as a batch's, the lines; of bytes, how many."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return f"{len(content)} bytes"
    lines = text.splitlines()
    try:
        rows = [json.loads(line) for line in lines[:LINES]]
    except ValueError:
        return text
    if not rows or not all(isinstance(row, dict) for row in rows):
        return text
    more = len(lines) - len(rows)
    return [*rows, f"... {more} more lines"] if more else rows
