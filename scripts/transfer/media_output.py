"""Results that show themselves, and the choice of where bytes go.

    deliver         bytes or a readable: into the result, or into storage
    deliver_items   an answer that brings bytes, or addresses of bytes, in its members
    receive         the verb of the download scripts: into the result or into storage
    with_notes      an answer with further notes behind its own

Windmill renders what the member named by `wm_renderer` holds, and keeps the rest of
the result as it is for the next step. It renders nothing of results beyond about 2.5
million characters, and its cloud refuses those beyond 2 MB: what is larger goes to
storage by itself, and both the log and the answer's `note` say so.
"""

from __future__ import annotations

import json
import os
import sys
import time
from urllib.parse import quote, unquote, urlsplit

from ..client import TogetherError
from ..client.job import in_job, log
from ..client.jsonio import RESULT_LIMIT
from ..client.request import MOST_SECONDS
from ..client.transport import Reply, byte_count, faults, read_whole
from ..download.download import (
    READ_BLOCK,
    anew_where_changed,
    api_download,
    follow,
    leads_nowhere,
    open_url,
    refused_by_storage,
)
from ..download.filenames import named, safe_name
from .file_parts import FileParts
from .file_source import loose_base64
from .filetypes import PAGE_HEAD, is_page, kind_of, suffix
from .media_checks import judge_file, judge_media, judge_shown
from .media_view import as_result, pictures, view

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ..client.request import Request
    from ..shapes import Brings, Json, Members, NamedReadable, Readable


def receive(request: Request) -> Members:
    """Send an operation whose answer is bytes; return what its `output` asks for.

    A GET streams and is resumed. Anything else is paid work, small and sent whole.
    """
    if request.method != "GET":
        reply = request.send()
        if reply.status >= 300:
            try:
                response = follow(request, reply)
                most = time.monotonic() + MOST_SECONDS["inference"]
                reply = Reply(response, read_whole(response, most))
            except faults() as error:
                raise request.failure(error, None) from None
            if reply.status >= 300:
                raise refused_by_storage(request, reply)
        judge_media(request, reply)
        kind = reply.headers.get("content-type", "").split(";")[0].strip()
        name = named(reply.headers.get("content-disposition", ""))
        name = _without_key(request, name) or _own_name(request, kind, reply.data)
        return deliver(reply.data, name, request.output, kind, paid=True)
    return anew_where_changed(lambda: _received_file(request))


def _received_file(request: Request) -> Members:
    """Return what `output` asks for, of a file that comes in pieces."""
    source = api_download(request)
    try:
        kind = source.content_type
        judge_file(request, source)
        name = _without_key(request, source.name)
        name = name or _own_name(request, kind, source.peek())
        return _with_source_notes(deliver(source, name, request.output, kind), source)
    finally:
        source.close()


def _with_source_notes(answer: Members, *sources: Any) -> Members:
    """Return an answer with what is not known of the bytes that it was made of."""
    notes = {note for one in sources if (note := getattr(one, "note", ""))}
    return with_notes(answer, notes) if notes else answer


def with_notes(answer: Members, notes: Iterable[str]) -> Members:
    """Return an answer with these behind what its `note` says so far."""
    told = answer.get("note")
    kept = [told if isinstance(told, str) else json.dumps(told)] if told else []
    return {**answer, "note": " ".join([*kept, *notes])}


def _without_key(request: Request, name: str) -> str:
    """Return a file's name without the API key, which a gateway that debugs may tell."""
    return safe_name(str(request.without_key(name)))


def _own_name(request: Request, content_type: str, head: bytes) -> str:
    """Return a name for bytes that came without one: the schema's, with a suffix."""
    name = request.operation.get("filename", "download")
    step = request.arguments.get("checkpoint_step")
    if step is not None:
        stem, dot, ending = name.partition(".")
        name = f"{stem}-checkpoint-{step}{dot}{ending}"
    if "." in name:
        if "x-tar" in content_type:
            name = name.replace(".tar.zst", ".tar.gz")
        return name
    asked = request.body.get("response_format")
    asked = f".{asked}" if isinstance(asked, str) else ""
    return safe_name(name + (suffix(head, content_type) or asked or ".bin"))


WATCHED = 64 << 20  # bytes from which on a transfer moves the job's progress bar
ADDRESSES = ("url", "video_url", "download_url", "location")
SET_UP = "Set up object storage in the workspace's settings."
NAMES = ("filename", "path")
SIZES = ("size", "sizeBytes")


def deliver(
    content: Any,
    filename: str,
    output: str | None,
    content_type: str = "",
    paid: bool = False,
) -> Members:
    """Return {"file": base64, "filename"} or {"s3": key, "storage"?, "filename"}.

    `content` is bytes, or a readable with `length`. What is too large for a result goes
    to storage; where there is none, what was paid for comes back in the result all the
    same, with a note, and anything else raises a TogetherError that names `output`.
    """
    data = content if output == "storage" else _bytes_or_readable(content)
    if output != "storage" and isinstance(data, bytes) and len(data) <= _room():
        return as_result(data, filename, content_type)
    size = len(data) if isinstance(data, bytes) else data.length
    try:
        answer = _store(data, filename, content_type)
    except TogetherError as error:
        if paid and output != "storage":
            note = f"It is larger than Windmill shows. {error}"
            return {**as_result(data, filename, content_type), "note": _log_note(note)}
        if paid:
            error.partial = as_result(data, filename, content_type)
        if output != "storage" and _no_storage(error):
            raise _too_large(filename, size) from None
        raise
    if output == "storage":
        return answer
    return {**answer, "note": _log_note(_storage_note(filename, size))}


def _room(taken: int = 0) -> int:
    """Return how many bytes a result holds; outside Windmill nothing limits it."""
    inside = in_job()
    return (RESULT_LIMIT - taken) * 3 // 4 if inside else sys.maxsize


def _bytes_or_readable(content: Any) -> Any:
    """Return the bytes of content that a result has room for, else a readable."""
    if isinstance(content, bytes):
        return content
    room = _room()
    pieces, size = [], 0
    if (content.length or 0) <= room:
        while piece := content.read(READ_BLOCK):
            pieces.append(piece)
            size += len(piece)
            if size > room:
                break
        else:
            return b"".join(pieces)
    return _Chain(pieces, content)


class _Chain:
    """A readable: pieces that were read already, then the rest."""

    def __init__(self, pieces: list[bytes], rest: Readable) -> None:
        self.pieces, self.rest = pieces, rest
        self.length = rest.length

    def read(self, size: int = -1) -> bytes:
        return self.pieces.pop(0) if self.pieces else self.rest.read(size)


def _store(content: Any, filename: str, content_type: str = "") -> Members:
    from ..workspace.storage import write_object  # only where objects are stored

    if not isinstance(content, bytes) and (content.length or 0) >= WATCHED:
        content = _Watched(content)
    kind = content_type or "application/octet-stream"
    stored = write_object(content, filename=filename, content_type=kind)
    return {**stored, "filename": filename}


class _Watched:
    """A readable that moves the job's progress bar, every five seconds at most."""

    def __init__(self, content: Readable) -> None:
        self.content, self.length = content, content.length or 0
        self.done, self.told = 0, time.monotonic()

    def read(self, size: int = -1) -> bytes:
        piece = self.content.read(size)
        self.done += len(piece)
        if time.monotonic() - self.told >= 5.0:
            from ..workspace.progress import set_progress  # only within a job

            set_progress(100 * self.done // self.length)
            self.told = time.monotonic()
        return piece


def _no_storage(error: TogetherError) -> bool:
    return error.type in ("no_storage", "not_in_windmill")


def _log_note(note: str) -> str:
    log(note)
    return note


def _megabytes(size: int | None) -> str:
    return "more" if size is None else f"{size / 1e6:.1f} MB, more"


def _storage_note(filename: str, size: int | None) -> str:
    held = f"has {_megabytes(size)} than a result holds"
    return f"{filename} {held}: it is in the workspace's storage."


def _too_large(filename: str, size: int | None) -> TogetherError:
    problem = (
        f"cannot be the result: {filename} has {_megabytes(size)} than the "
        f"{RESULT_LIMIT * 3 / 4e6:.1f} MB that a result holds, and the workspace has no "
        "object storage"
    )
    return TogetherError(
        f'output "result" {problem}. {SET_UP}',
        type="too_large",
        problems=[{"field": "output", "problem": problem}],
        advice=SET_UP,
    )


def deliver_items(request: Request, answer: Members) -> Members:
    """Return the API's answer with the bytes that it brings shown, stored or left.

    Nothing of the answer is lost: a view is put beside it, an item that is stored gets
    the members of the object ({"s3", "storage"?, "filename"}) in place of its base64.
    When only one is brought, the answer itself carries them, so that a next step can
    take it as a file. Raises TogetherError, with the answer in its `partial`.
    """
    brings = request.operation["brings"]
    items = items_of(answer, brings["at"])
    if not items:
        return answer
    if request.output == "url":
        return {**answer, **_address_view(brings, items)}
    try:
        if request.output == "storage":
            return _store_items(request, answer, items)
        return _show_items(request, answer, items)
    except TogetherError as error:
        error.partial = answer
        raise


def items_of(answer: Json, path: str) -> list[Members]:
    """Return the members of an answer that bring bytes: `path` is like data/*. One that
    is a bare text becomes an object there."""
    found = [answer]
    for name in filter(None, path.split("/")):
        if name != "*":
            groups = [item for item in found if isinstance(item, dict)]
            for item in groups:
                if name in item:
                    item[name] = _as_object(item[name])
            found = [item[name] for item in groups if item.get(name)]
        found = [
            one
            for item in found
            for one in (item if isinstance(item, list) else [item])
        ]
    return [item for item in found if isinstance(item, dict) and _brings(item)]


def _as_object(value: Json) -> Json:
    """Return what brings bytes as an object, where it came as a bare text."""
    if isinstance(value, list):
        return [_as_object(one) for one in value]
    if not isinstance(value, str):
        return value
    return {"url" if value.startswith(("http:", "https:")) else "b64_json": value}


def _brings(item: Members) -> bool:
    return bool(item.get("b64_json") or item.get("parts") or address_of(item))


def address_of(item: Members) -> str | None:
    """Return the address of what an item brings, None where it has none."""
    found = (item.get(name) for name in ADDRESSES)
    texts = (value.strip() for value in found if isinstance(value, str))
    return next(filter(None, texts), None)


def _address_view(brings: Brings, items: list[Members]) -> Members:
    """Return the view of what the browser itself can fetch from where it is."""
    places = [address_of(item) for item in items]
    shown = [p for p in places if p and p.startswith(("https:", "data:image/"))]
    return view(brings["kind"], [("", place) for place in shown])


def _member(item: Members, names: tuple[str, ...]) -> Json:
    return next((item[name] for name in names if item.get(name)), None)


def _content_of(request: Request, item: Members) -> Any:
    """Return the bytes, or a readable of the bytes, that an item brings. Raises
    TogetherError."""
    auth, address = request.auth, address_of(item) or ""
    if item.get("b64_json") or address[:5].lower() == "data:":
        return _base64_bytes(item.get("b64_json") or address)
    size = byte_count(str(_member(item, SIZES) or ""))
    if item.get("parts"):
        return FileParts(item["parts"], auth, size)
    what = "the address in the answer"
    source = open_url(address, auth, what, length=size)
    if request.operation["brings"]["kind"] in ("picture", "video"):
        judge_shown(source, what)  # a file may be a page
    return source


def _base64_bytes(value: Json) -> bytes:
    """Return the bytes of base64, or of a data URI. Raises TogetherError for anything
    else."""
    text = value if isinstance(value, str) else ""
    try:
        text = text.split(",", 1)[-1] if text[:5].lower() == "data:" else text
        data = loose_base64(text)
    except ValueError:
        data = b""
    begin = data[:PAGE_HEAD].lstrip()[:1]
    if not data or begin in (b"{", b"[") or is_page(data):
        words = "What came is no base64 of a file."
        raise TogetherError(words, type="invalid_answer")
    return data


def _name(item: Members, number: int, content: Any, kind: str) -> str:
    """Return the file name for an item: its own, the server's, its address's."""
    head = content if isinstance(content, bytes) else content.peek()
    given = _member(item, NAMES)
    given = safe_name(given) if isinstance(given, str) else ""
    given = given or getattr(content, "name", "")
    if not given and address_of(item):
        given = _address_name(address_of(item) or "")
    if given:
        return given
    said = getattr(content, "content_type", "")
    return f"{kind}-{number}{suffix(head, said) or '.bin'}"


def _address_name(address: str) -> str:
    """Return the file name that an address ends in, "" for one without an ending."""
    try:
        path = unquote(urlsplit(address).path)
    except ValueError:  # no URL: what it should bring came beside it
        return ""
    return safe_name(path) if "." in os.path.basename(path) else ""


def _store_items(request: Request, answer: Members, items: list[Members]) -> Members:
    kind = request.operation["brings"]["kind"]
    stored, contents = [], []
    files = []
    for number, item in enumerate(items, 1):
        content = _content_of(request, item)
        contents.append(content)
        name = _name(item, number, content, kind)
        if isinstance(content, bytes):
            files.append((content, name))
        head = content if isinstance(content, bytes) else content.peek()
        said = kind_of(head) or getattr(content, "content_type", "")
        stored.append(_store(content, name, said))
        item.pop("b64_json", None)
        item.update(stored[-1])
    answer = _with_source_notes(answer, *contents)
    if kind == "picture":
        answer = _judged_pictures(answer, files)
    if len(stored) == 1:
        return {**answer, **stored[0]}
    if kind == "picture":
        return {**answer, **view(kind, [(s["filename"], _preview(s)) for s in stored])}
    return answer


def _preview(stored: Members) -> str:
    """Return where Windmill's own page shows a stored picture from."""
    workspace = quote(os.environ.get("WM_WORKSPACE", ""), safe="")
    place = f"/api/w/{workspace}/job_helpers/load_image_preview"
    return f"{place}?file_key={quote(stored['s3'], safe='')}"


def _show_items(request: Request, answer: Members, items: list[Members]) -> Members:
    """Hold what the items bring in the result, if there is room."""
    brings = request.operation["brings"]
    room = _room(len(json.dumps(answer)))
    files, contents = [], []
    try:
        for number, item in enumerate(items, 1):
            content = _content_of(request, item)
            contents.append(content)
            name = _name(item, number, content, brings["kind"])
            data = content if isinstance(content, bytes) else _read(content, room)
            room -= len(data) + 200
            files.append((data, name))
            if room < 0:
                break
    except TogetherError as error:
        if request.operation["retry"] == "read" and leads_nowhere(error):
            raise  # nothing is lost, and what the answer links to is not there
        # The answer is paid for and whole; only its view is wanting.
        note = f"It could not be fetched to be shown: {error}"
        return with_notes({**answer, **_address_view(brings, items)}, [_log_note(note)])
    if room < 0:
        return _too_many(request, answer, items)
    answer = _with_source_notes(answer, *contents)
    if brings["kind"] == "picture":
        return {**_judged_pictures(answer, files), **pictures(files)}
    shown = [as_result(data, name) for data, name in files]
    if len(shown) == 1:
        return {**answer, **shown[0]}
    for item, file in zip(items, shown, strict=True):
        item.update(file=file["file"], filename=file["filename"])
    return answer


def _judged_pictures(answer: Members, files: list[tuple[bytes, str]]) -> Members:
    """Return an answer with a note of what came as a picture and is none."""
    odd = [
        f"{name} is no picture of a kind that is known."
        for data, name in files
        if not (kind_of(data) or "").startswith("image/")
    ]
    return with_notes(answer, [_log_note(" ".join(odd))]) if odd else answer


def _read(content: NamedReadable, room: int) -> bytes:
    """Return all bytes of a readable, or a few more than there is room for."""
    pieces, size = [], 0
    while size <= room and (piece := content.read(READ_BLOCK)):
        pieces.append(piece)
        size += len(piece)
    content.close()
    return b"".join(pieces)


def _too_many(request: Request, answer: Members, items: list[Members]) -> Members:
    """More than a result holds: to storage, else as the API gave it."""
    what = "What it brings is larger than a result holds"
    try:
        answer = _store_items(request, answer, items)
    except TogetherError as error:
        note = f"{what}. {error}"
        linked = _address_view(request.operation["brings"], items)
        return with_notes({**answer, **linked}, [_log_note(note)])
    note = f"{what}: it is in the workspace's storage."
    return with_notes(answer, [_log_note(note)])
