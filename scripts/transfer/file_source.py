"""A file's content, read lazily, again and again: Source, and its kinds here."""

from __future__ import annotations

import base64
import binascii
import io
import json
import os
import tempfile

from ..client import TogetherError
from ..client.request import half_character
from .filetypes import has_ending, media_type, suffix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..shapes import Members

BLOCK = 1 << 20  # bytes that are held at once
FILE_LIMIT = int(50.1 * 2**30)  # bytes; no operation takes more
EMPTY = "is empty: the file has 0 bytes"


class Source(io.RawIOBase):
    """A file's content, never whole in memory unless it came so.

    blocks()   yields it in pieces of about 1 MiB, from the start at every call
    read()     as any raw binary stream; io.BufferedReader and TextIOWrapper take it
    length     its bytes, or None while they are not known; settled() finds out
    name       its file name, or None
    """

    ranged = False  # whether blocks(start) costs no more than what follows
    remote = False  # whether every reading asks for it anew

    def __init__(
        self, field: str, name: str | None = None, length: int | None = None
    ) -> None:
        super().__init__()
        self.field = field
        self.name = name
        self.length = length
        self._reading: Iterator[bytes | memoryview] | None = None
        self._rest = memoryview(b"")

    def blocks(self, start: int = 0) -> Iterator[bytes | memoryview]:
        """Yield the bytes from `start` on; a block may be overwritten by the next."""
        for block in self._all():
            if start >= len(block):
                start -= len(block)
                continue
            yield memoryview(block)[start:] if start else block
            start = 0

    def _all(self) -> Iterator[bytes]:
        raise NotImplementedError

    def settled(self) -> Source:
        """Return a source of known length with the same content: mostly this one."""
        if self.length is None:
            return _spooled(self)
        return self

    def size(self) -> int:
        """Return its bytes, once they are known."""
        assert self.length is not None  # settled() sees to that
        return self.length

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            if self._reading is None:
                self._reading = iter(self.blocks())
            self._rest = memoryview(next(self._reading, b""))
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size

    def head(self, size: int = 16) -> bytes:
        """Return the first bytes. A server may send them one by one."""
        head = b""
        for block in self.blocks():
            head += bytes(block[: size - len(head)])
            if len(head) >= size:
                break
        return head

    def media_type(self, head: bytes | None = None) -> str:
        """Return what kind of file it is, told by its content, then by its name. `head`
        are its first bytes, where they are at hand."""
        return media_type(self.head() if head is None else head, self.name)

    def named(self) -> str:
        """Return its name, or one made up from its content."""
        if self.name and has_ending(self.name):
            return self.name
        return (self.name or "file") + suffix(self.head())


class BytesSource(Source):
    ranged = True

    def __init__(
        self, data: bytes | bytearray | memoryview, field: str, name: str | None
    ) -> None:
        data = memoryview(data)
        super().__init__(field, name, data.nbytes)
        self.data = data

    def blocks(self, start: int = 0) -> Iterator[memoryview]:
        for place in range(start, self.data.nbytes, BLOCK):
            yield self.data[place : place + BLOCK]


class PathSource(Source):
    """A file of this machine: never what a form or flow names, only what code does."""

    ranged = True

    def __init__(
        self,
        path: str | os.PathLike[str] | None,
        field: str,
        name: str | None,
        handle: Any = None,
    ) -> None:
        self.handle = handle  # of a temporary file, which goes when this does
        place: Any = path if handle is None else handle.name
        self.path = place
        super().__init__(field, name or os.path.basename(path or "") or None)
        self.length = os.path.getsize(place)

    def close(self) -> None:
        if self.handle:
            self.handle.close()
        super().close()

    def blocks(self, start: int = 0) -> Iterator[memoryview]:
        buffer = memoryview(bytearray(BLOCK))
        with io.FileIO(self.path) as file:
            file.seek(start)
            while count := file.readinto(buffer):
                yield buffer[:count]


class Base64Source(Source):
    """Base64 text from `start` on; line breaks and blanks in it count for nothing."""

    def __init__(self, text: str, field: str, name: str | None, start: int = 0) -> None:
        super().__init__(field, name)
        self.text, self.start = text, start
        blanks = sum(text.count(blank, start) for blank in " \n\r\t")
        self.ranged = not blanks
        if (len(text) - start - blanks) % 4:
            raise TogetherError.refused(field, NOT_BASE64)
        # All of it is checked before the first byte is sent.
        self.length = sum(map(len, self.blocks()))

    def blocks(self, start: int = 0) -> Iterator[bytes | memoryview]:
        if not self.ranged:
            yield from super().blocks(start)
            return
        step = BLOCK // 3 * 4
        first = self.start + start // 3 * 4
        for place in range(first, len(self.text), step):
            block = self.decoded(self.text[place : place + step])
            if place + step < len(self.text) and len(block) != step // 4 * 3:
                raise TogetherError.refused(self.field, NOT_BASE64)
            yield memoryview(block)[start % 3 :] if place == first else block

    def _all(self) -> Iterator[bytes]:
        step = BLOCK // 3 * 4
        rest, padded = "", False
        for place in range(self.start, len(self.text), step):
            text = rest + "".join(self.text[place : place + step].split())
            whole = len(text) // 4 * 4
            text, rest = text[:whole], text[whole:]
            if padded and text:
                raise TogetherError.refused(self.field, NOT_BASE64)
            padded = padded or text.endswith("=")
            yield self.decoded(text)

    def decoded(self, text: str) -> bytes:
        try:
            return decode_base64(text)
        except ValueError:
            raise TogetherError.refused(self.field, NOT_BASE64) from None


NOT_BASE64 = "must be a file as base64 text, a data URI, an http(s) URL or s3://..."


def decode_base64(text: str) -> bytes:
    return binascii.a2b_base64(text, strict_mode=True) if text else b""


def loose_base64(text: str) -> bytes:
    """Return the bytes of base64 as servers write it: of either alphabet, without what
    fills it up, in lines. Raises ValueError for what is none."""
    text = "".join(text.split()).rstrip("=").translate({45: "+", 95: "/"})
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)


class TextSource(Source):
    def __init__(self, text: str, field: str, name: str | None) -> None:
        super().__init__(field, name)
        self.text = text
        try:
            # Of ASCII alone each character is a byte.
            self.ranged = text.isascii()
            self.length = len(text) if self.ranged else sum(map(len, self._all()))
        except UnicodeEncodeError:
            raise half_character(field) from None

    def blocks(self, start: int = 0) -> Iterator[bytes | memoryview]:
        if not self.ranged:
            yield from super().blocks(start)
            return
        for place in range(start, len(self.text), BLOCK):
            yield self.text[place : place + BLOCK].encode()

    def _all(self) -> Iterator[bytes]:
        step = BLOCK // 4  # a character has up to four bytes
        for place in range(0, len(self.text), step):
            yield self.text[place : place + step].encode()


class RowsSource(Source):
    """JSON Lines, written as they are needed."""

    def __init__(self, rows: list[Members], field: str, name: str | None) -> None:
        super().__init__(field, name)
        self.rows = rows
        for number, row in enumerate(rows, 1):
            if not isinstance(row, dict):
                raise TogetherError.refused(field, f"row {number} must be an object")

    def _all(self) -> Iterator[bytes]:
        lines, size = [], 0
        for number, row in enumerate(self.rows, 1):
            try:
                text = json.dumps(
                    row, ensure_ascii=False, separators=(",", ":"), allow_nan=False
                )
                lines.append(text.encode())
            except UnicodeEncodeError:  # half of a surrogate pair
                lines.append(json.dumps(row, separators=(",", ":")).encode())
            except (ValueError, TypeError, RecursionError) as error:
                raise TogetherError.refused(
                    self.field, f"row {number} is no JSON: {error}"
                ) from None
            size += len(lines[-1]) + 1
            if size >= BLOCK:
                yield b"\n".join([*lines, b""])
                lines, size = [], 0
        if lines:
            yield b"\n".join([*lines, b""])

    def settled(self) -> Source:
        if self.length is None:
            self.length = sum(map(len, self._all()))
        return self


def unreadable(field: str, problem: str) -> TogetherError:
    return TogetherError(
        f"{field} cannot be read: {problem}",
        type="invalid_argument",
        problems=[{"field": field, "problem": f"cannot be read: {problem}"}],
        ambiguous=False,
        advice="Check that the file is there and may be read, then run the step again.",
    )


def _spooled(source: Source) -> Source:
    """Return the source's content as a temporary file, which goes with the source."""
    handle = tempfile.NamedTemporaryFile(prefix="together-")  # noqa: SIM115 (kept)
    for block in source.blocks():
        handle.write(block)
    handle.flush()
    return temporary(handle, source.field, source.name)


def temporary(handle: Any, field: str, name: str | None = None) -> PathSource:
    """Return the Source of a NamedTemporaryFile, which goes when the source does."""
    return PathSource(None, field, name, handle)
