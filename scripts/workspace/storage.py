"""The objects in the workspace's storage, read and written through the job's Windmill.

Whatever the size, little is held in memory. Raises TogetherError outside a job, and
where the workspace has no storage.
"""

from __future__ import annotations

import os
from urllib.parse import quote

from ..client import TogetherError
from ..client.job import log
from ..client.transport import Pace, byte_count, endless, faults, too_long
from .api import (
    FREE_EDITION,
    WINDMILL_TRIES,
    ask_windmill,
    open_windmill,
    refusal,
    send_windmill,
    unusable,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Self

    from ..shapes import Members, Readable

BLOCK = 1 << 20  # bytes that are read and sent at a time
# While a body is sent the connection's timeout holds for each block, and the storage
# behind Windmill may take its time with one.
TRANSFER = 120.0, 900.0
FREE = 50 << 20  # bytes


def open_object(key: str, storage: str | None = None, start: int = 0) -> _Stored:
    """Return a readable of an object in the workspace's storage, from byte `start` on.

    It has read(size), `length` (bytes of the whole object, or None where the server
    does not tell) and `name`. `storage` names one of the workspace's other storages.
    When the connection breaks, the rest is requested. Raises TogetherError: no such
    object, no storage, not in a job.
    """
    return _Stored(key, storage, start)


class _Stored:
    def __init__(self, key: str, storage: str | None, start: int) -> None:
        self.key = key
        self.name = key.rsplit("/", 1)[-1]
        self.query = {"file_key": key}
        if storage:
            self.query["storage"] = storage
        self.position = start
        self.length: int | None = None
        self.tag = ""  # what the first answer calls this content
        self.pace = Pace()
        self.open()

    def open(self) -> None:
        """Ask for the object from the position on."""
        headers = {"Accept-Encoding": "identity"}
        if self.position:
            headers["Range"] = f"bytes={self.position}-"
        path = "job_helpers/download_s3_file"
        what = f"The object {self.key!r} cannot be read from storage"
        response = open_windmill("GET", path, what, self.query, headers=headers)
        # A part that nobody asked for is not the object, nor is an answer without one.
        if response.status != 200 and not (self.position and response.status == 206):
            response.close()
            problem = f"it answers {response.status} {response.reason}"
            raise unusable("GET", path, what, problem)
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            response.close()
            raise unusable("GET", path, what, "it comes compressed, unasked")
        begin, size = 0, response.headers.get("content-length", "")
        if response.status == 206:
            given, _, total = response.headers.get("content-range", "").partition("/")
            span = given.removeprefix("bytes ").partition("-")[0]
            begin = -1 if (count := byte_count(span)) is None else count
            size = total
        length = byte_count(size)
        changed = None not in (self.length, length) and self.length != length
        tag = response.headers.get("etag", "").strip().removeprefix("W/")
        changed = changed or bool(tag and self.tag and tag != self.tag)
        self.tag = self.tag or tag
        if changed or begin not in (0, self.position):
            response.close()
            raise self.changed()
        self.length = self.length if length is None else length
        framed = "transfer-encoding" in response.headers
        self.open_ended = self.length is None and not framed
        self.response: Any = response
        # A server that knows no ranges sends all from the start again.
        skip = self.position - begin
        while skip > 0:
            self.pace.keep(response, self.position - skip)
            piece = response.read(min(skip, BLOCK), decode_content=False)
            if not piece:
                self.close()
                raise self.changed()
            skip -= len(piece)

    def changed(self) -> TogetherError:
        return TogetherError(
            f"The object {self.key!r} changed while it was read.",
            type="changed_object",
            advice="Run the step again when nothing writes to it.",
        )

    def read(self, size: int | None = -1) -> bytes:
        """Return up to size bytes, all that is left for -1, b"" at the end."""
        if size is None or size < 0:
            pieces = []
            while piece := self.read(BLOCK):
                pieces.append(piece)
            return b"".join(pieces)
        for tries in range(1, WINDMILL_TRIES + 1):
            try:
                if self.response is None:
                    self.open()
                self.pace.keep(self.response, self.position)
                piece = self.response.read(size, decode_content=False)
                if size and not piece and self.position < (self.length or 0):
                    raise OSError("the answer ended amid the bytes")
            except faults() as error:
                self.close()
                fault = error
                if self.pace.is_lost():
                    break
                if tries < WINDMILL_TRIES:
                    from ..resilience.retry import rest  # only when it failed

                    rest(tries)
                continue
            self.position += len(piece)
            if not piece and self.open_ended:
                log(f"{self.name}: that it is whole, the server's answer does not tell")
            if too_long(self.length, self.position):
                self.close()
                raise endless(f"The object {self.key!r} cannot be read from storage")
            return piece
        from ..resilience.explain import describe  # only when it failed

        words, advice = describe(fault)
        raise TogetherError(
            f"The object {self.key!r} cannot be read from storage: {words}. {advice}",
            type="connection",
            advice=advice,
        ) from None

    def close(self) -> None:
        """Give the connection up."""
        if self.response is not None:
            self.response.close()
            self.response = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def write_object(
    content: bytes | Readable,
    key: str | None = None,
    filename: str | None = None,
    content_type: str | None = None,
    storage: str | None = None,
) -> dict[str, str]:
    """Store bytes, or what a readable gives, and return {"s3": key, "storage"?: name}.

    A readable is sent a block at a time, never held whole; where it has a `length` and
    gives fewer or more bytes, nothing is stored. Without a key the object gets a new
    one that ends in `filename`; with neither, Windmill chooses. Raises TogetherError.
    """
    query = {}
    if key is None and filename is not None:
        # Flat under the prefix that every workspace's rules let jobs write to.
        key = f"windmill_uploads/{os.urandom(6).hex()}_{filename}"
    if key is not None:
        query["file_key"] = key
    if storage:
        query["storage"] = storage
    if content_type is not None:
        query["content_type"] = content_type
    if filename is not None:
        plain = filename.isascii() and not set(filename) & set('"\\%')
        form = f'="{filename}"' if plain else f"*=UTF-8''{quote(filename, safe='')}"
        query["content_disposition"] = f"inline; filename{form}"
    headers = {"Content-Type": "application/octet-stream"}
    body: bytes | Iterator[bytes]
    if isinstance(content, bytes | bytearray | memoryview):
        body = bytes(content)
        headers["Content-Length"] = str(len(body))
    else:
        length = _length(content)
        body = _blocks(content, length)
        if length is not None:
            headers["Content-Length"] = str(length)
    what = "The result cannot be written to the workspace's storage"
    path = "job_helpers/upload_s3_file"
    try:
        reply = ask_windmill(
            "POST", path, what, query, body, headers, TRANSFER, kind=dict
        )
    except TogetherError as error:
        # A server that refuses in the middle of a body may hang up before it says why.
        broken = error.type == "connection"
        if broken and int(headers.get("Content-Length", 0)) > FREE:
            error.advice = f"{FREE_EDITION} {error.advice}"
        raise
    if not isinstance(reply.get("file_key"), str):
        raise unusable("POST", path, what)
    stored = {"s3": reply["file_key"]}
    if storage:
        stored["storage"] = storage
    return stored


def store_lines(
    content: bytes | Readable, filename: str, output: str | None, what: str
) -> dict[str, str] | None:
    """Store JSON Lines that are too many for a result, or that were to go to storage;
    for output "gzip" they come compressed.

    Returns the object, with a "note" if storage was not asked for; None if it was not
    and there is none, so that they stay in the result. `what` names them in the log.
    Raises TogetherError.
    """
    packed = output == "gzip"
    try:
        kind = "application/gzip" if packed else "application/x-ndjson"
        stored = write_object(content, filename=filename, content_type=kind)
    except TogetherError as error:
        if packed or output == "storage":
            raise
        log(f"the {what} stay in the result: {error}")
        return None
    if packed or output == "storage":
        return stored
    note = f"The {what} are too many for a result, so they went to storage."
    log(note)
    return {**stored, "note": note}


def delete_object(key: str, storage: str | None = None) -> None:
    """Delete an object of the storage. Raises TogetherError."""
    query = {"file_key": key}
    if storage:
        query["storage"] = storage
    what = f"The object {key!r} cannot be deleted"
    ask_windmill("DELETE", "job_helpers/delete_s3_file", what, query)


def place_for(
    output: str | None, instead: str, field: str = "Output (output)"
) -> tuple[str, str | None]:
    """Return the (output, note) that apply, before anything is paid for.

    A choice applies, or raises a TogetherError where it is not possible; `field` is the
    form's name for it. None becomes "storage" where the workspace has storage, else
    `instead`, with a note of why.
    """
    if output == "storage":
        check_storage(field=field)
    if output:
        return output, None
    try:
        check_storage(field=field)
    except TogetherError as error:
        why = error.detail or "this is not a Windmill job"
        note = f"It comes in the result, since {why}."
        if instead == "url":
            note = f"It stays at its address, which expires after a while, since {why}."
        log(note)
        return instead, note
    return "storage", None


def check_storage(
    storage: str | None = None, field: str = "Output (output)", output: str = "storage"
) -> None:
    """Raise a TogetherError where the workspace has no storage to write to.

    For a step to ask before it spends money. Where the server does not let this token
    ask, nothing is known and nothing is raised.
    """
    what = f'Nothing was sent: {field} cannot be "{output}"'
    query = {"storage": storage} if storage else {}
    reply = send_windmill("GET", "job_helpers/test_connection", what, query)
    if reply.status not in (200, 401, 403, 405):
        error = refusal("GET", "job_helpers/test_connection", what, reply, storing=True)
        name = field.rpartition("(")[2].rstrip(")")
        error.problems = [{"field": name, "problem": error.detail or ""}]
        raise error


def _length(content: Any) -> int | None:
    """Return the bytes that a readable holds, or None where it does not tell."""
    length = getattr(content, "length", None)
    if length is None and hasattr(content, "fileno"):
        try:
            length = os.fstat(content.fileno()).st_size - content.tell()
        except OSError:  # in memory, or a pipe
            return None
    return length


def _blocks(content: Readable, length: int | None) -> Iterator[bytes]:
    sent = 0
    while block := content.read(BLOCK):
        sent += len(block)
        if length is not None and sent > length:
            break
        yield block
    if length is not None and sent != length:
        raise TogetherError(
            f"Nothing was stored: {length} bytes were announced, "
            f"{'more' if sent > length else sent} came.",
            type="wrong_length",
        )


def list_objects(prefix: str, storage: str | None = None) -> list[str]:
    """Return the keys of the objects whose keys begin so. Raises TogetherError."""
    what = f"The objects under {prefix!r} cannot be listed"
    query = {"max_keys": 1000, "prefix": prefix}
    if storage:
        query["storage"] = storage
    path = "job_helpers/list_stored_files"
    keys: dict[str, None] = {}
    asked = set()
    while True:
        found = ask_windmill("GET", path, what, query, kind=dict)
        if found.get("restricted_access") is True:
            raise TogetherError(
                f"{what}: the workspace's rules do not let this user see them.",
                type="not_allowed",
                advice="Ask who administrates the workspace's object storage.",
            )
        page, marker = _keys_of(found), found.get("next_marker") or ""
        if page is None or not isinstance(marker, str):
            raise unusable("GET", path, what)
        keys.update(dict.fromkeys(key for key in page if key.startswith(prefix)))
        if not marker:
            return list(keys)
        if marker in asked:
            raise unusable("GET", path, what, "its list leads back to where it was")
        asked.add(marker)
        query["marker"] = marker


def _keys_of(page: Members) -> list[str] | None:
    """Return the keys of a page of a list, None where an entry of it names none."""
    entries = page.get("windmill_large_files") or []
    if not isinstance(entries, list):
        return None
    keys = [one["s3"] for one in entries if isinstance(one, dict) and "s3" in one]
    whole = len(keys) == len(entries) and all(isinstance(key, str) for key in keys)
    return keys if whole else None
