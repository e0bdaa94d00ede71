"""Bodies of requests that hold files: sent block by block, never whole in memory.

Body            bytes, and sources as they are or as base64
json_body       JSON in which some texts are files
form_data       a request's body as multipart/form-data
"""

from __future__ import annotations

import binascii
import json

from ..client import TogetherError
from ..client.request import half_character
from .file_input import open_file, uri_of, url_of
from .file_source import Source, unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from ..client.request import Request
    from ..client.validate import FileValue
    from ..shapes import Auth


class Body:
    """A request's body: bytes, and sources of known length, as they are or as base64.

    Iterating it yields blocks, from the start every time, so that it can be sent again;
    `length` is what its Content-Length says.
    """

    def __init__(self, parts: list[Any]) -> None:
        self.parts = parts  # bytes, Source, or ("base64", Source)
        self.length = 0
        for part in parts:
            if isinstance(part, bytes):
                self.length += len(part)
            elif isinstance(part, Source):
                self.length += part.size()
            else:
                self.length += (part[1].size() + 2) // 3 * 4

    def __iter__(self) -> Iterator[bytes | memoryview]:
        for part in self.parts:
            if isinstance(part, bytes):
                yield part
            elif isinstance(part, Source):
                yield from exact(part)
            else:
                yield from _base64_blocks(exact(part[1]))


def exact(
    source: Source, start: int = 0, length: int | None = None
) -> Iterator[bytes | memoryview]:
    """Yield just the bytes that were announced: `length` of them, or all from `start`.

    Raises TogetherError where the source has fewer.
    """
    left = source.size() - start if length is None else length
    for block in source.blocks(start) if left else ():
        yield block[:left]
        left -= min(left, len(block))
        if not left:
            return
    if left:
        words = f"{left} of {source.length} bytes are missing"
        raise unreadable(source.field, words)


def _base64_blocks(blocks: Iterable[bytes | memoryview]) -> Iterator[bytes]:
    rest = b""
    for block in blocks:
        if rest:
            block = rest + bytes(block)
        whole = len(block) // 3 * 3
        rest = bytes(block[whole:])
        if whole:
            yield binascii.b2a_base64(block[:whole], newline=False)
    if rest:
        yield binascii.b2a_base64(rest, newline=False)


def json_body(text: str, marks: dict[str, FileValue], auth: Auth | None) -> Body:
    """Return the Body of JSON text in which each mark, a quoted word, is a file."""
    parts: list[Any] = []
    place = 0
    found = {mark: uri_of(f.value, f.field, auth, f.kind) for mark, f in marks.items()}
    for mark in sorted(found, key=text.index):
        start = text.index(mark)
        parts.append(text[place:start].encode())
        given = found[mark]
        if isinstance(given, str):
            parts.append(json.dumps(given)[1:-1].encode())
        else:
            parts += [given[0].encode(), ("base64", given[1])]
        place = start + len(mark)
    parts.append(text[place:].encode())
    return Body(parts)


def form_data(request: Request) -> tuple[Body, str]:
    """Return (Body, content type) of a request's body: fields first, files last."""
    members = request.operation["arguments"]["properties"]["body"]
    members = members.get("properties", {})
    fields, files = [], []
    for name, value in request.body.items():
        schema = members.get(name, {})
        if schema.get("format") == "binary":
            field = f"body.{name}"
            place = url_of(value, field) if schema.get("x-file") == "uri" else None
            if place:
                fields.append((name, place))
                continue
            source = open_file(value, field, request.auth).settled()
            files.append((name, request.body.get("file_name"), source))
            continue
        several = isinstance(value, list)
        for item in value if several else [value]:
            text = item if isinstance(item, str) else json.dumps(item)
            fields.append((f"{name}[]" if several else name, text))
    return multipart_body(fields, files)


def multipart_body(
    fields: list[tuple[str, str]], files: list[tuple[str, str | None, Source]]
) -> tuple[Body, str]:
    """Return (Body, content type) of multipart/form-data: fields first, then files.

    `fields` are (name, text), `files` (name, file name or None, Source). Raises
    TogetherError for what UTF-8 cannot spell, and for a file that is empty.
    """
    from urllib3.fields import RequestField  # few bodies hold files
    from urllib3.filepost import choose_boundary  # few bodies hold files

    boundary = choose_boundary()
    line = f"--{boundary}\r\n".encode()
    parts: list[Any] = []
    for name, text in fields:
        part = RequestField(name, b"")
        part.make_multipart()
        try:
            parts += [line + part.render_headers().encode(), text.encode(), b"\r\n"]
        except UnicodeEncodeError:
            raise half_character(f"body.{name.removesuffix('[]')}") from None
    for name, filename, source in files:
        if source.length == 0:
            raise TogetherError.refused(source.field, "is empty: it has 0 bytes")
        part = RequestField(name, b"", filename=filename or source.named())
        part.make_multipart(content_type="application/octet-stream")
        parts += [line + part.render_headers().encode(), source, b"\r\n"]
    parts.append(f"--{boundary}--\r\n".encode())
    return Body(parts), f"multipart/form-data; boundary={boundary}"
