"""Sources that lie elsewhere: every reading of them is a request.

UrlSource     what a web address answers with
StoredSource  an object of the workspace's storage
"""

from __future__ import annotations

import copy
import os
import time
from urllib.parse import unquote, urlsplit

from ..client import TogetherError
from ..client.transport import Pace
from ..download.download import Download, good
from ..download.filenames import safe_name
from .file_source import BLOCK, FILE_LIMIT, Source, unreadable
from .filetypes import ENDINGS, has_ending, suffix
from .public_fetch import fetch, reach_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from ..client.transport import Reply
    from ..shapes import Auth, Headers, Response

HEAD_BYTES = 1 << 12  # bytes of the first block: readers tell by it what a file is
READING_DEADLINE = 6 * 3600.0  # seconds that one reading of an address may take


class RemoteSource(Source):
    """What is asked for anew at every reading, save the first, which waits."""

    remote = True
    limit = FILE_LIMIT  # bytes
    waiting: Any = None  # the first reading, until blocks() begins
    beginning = b""  # what was read of it already

    def head(self, size: int = 16) -> bytes:
        """Return the first bytes, of the reading that waits where there is one."""
        if self.waiting is None:
            return super().head(size)
        while len(self.beginning) < size:
            block = self.some(self.waiting, size - len(self.beginning))
            if not block:
                break
            self.beginning += bytes(block)
        return self.beginning[:size]

    def some(self, stream: Any, size: int) -> bytes:
        return stream.read(size)

    def blocks(self, start: int = 0) -> Iterator[bytes]:
        """Yield the bytes from `start` on, HEAD_BYTES or more at first, where there are as
        many: a server may send them one by one."""
        first = b""
        pieces = self.pieces(start)
        for piece in pieces:
            first += piece
            if len(first) >= HEAD_BYTES:
                break
        if first:
            yield first
        yield from pieces

    def pieces(self, start: int) -> Iterator[bytes]:
        raise NotImplementedError

    def again(self, start: int) -> Any:
        raise NotImplementedError

    def reading(self, start: int) -> tuple[Any, bytes]:
        """Return a reading from `start` on, and what was read of it already: the one
        that waits, or a new one."""
        stream, self.waiting = self.waiting, None
        beginning, self.beginning = self.beginning, b""
        if stream is not None and not start:
            return stream, beginning
        if stream is not None:
            stream.close()
        return self.again(start), b""

    def over_limit(self) -> TogetherError:
        words = f"is too large: over {self.limit} bytes"
        return TogetherError.refused(self.field, words)

    def close(self) -> None:
        if self.waiting is not None:
            self.waiting.close()
        super().close()


class UrlSource(RemoteSource):
    """What a web address answers with, fetched anew at every reading."""

    def __init__(
        self, url: str, field: str, auth: Auth | None, limit: int, name: str | None
    ) -> None:
        super().__init__(field, name)
        self.url, self.limit, self.reach = url, limit, reach_of(auth)
        self.first = self.waiting = self.guarded(Download, self.connect)
        self.length = self.first.length
        self.ranged = self.has_parts()
        path = unquote(urlsplit(url).path)
        self.name = name or self.first.name or safe_name(path) or None
        if self.length is not None and self.length > limit:
            self.close()
            raise TogetherError.refused(field, f"is too large: {self.length} bytes")

    def guarded(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Do something that may fail, and say so of the argument."""
        try:
            return function(*arguments)
        except TogetherError as error:
            if self.field in str(error):
                raise
            raise unreadable(self.field, str(error)) from error

    def connect(self, headers: Headers) -> Response:
        response = fetch(
            "GET", self.url, reach=self.reach, headers=headers, what=self.field
        )
        return good(response, self.refusal, headers)

    def has_parts(self) -> bool:
        """Say whether a part can be asked for alone, as one of the same content: by the
        first answer, and so for every reading alike.

        Without a strong ETag nothing would show that parts are of one content, and what
        the server compresses cannot be gone on with.
        """
        ranges = self.first.response.headers.get("accept-ranges", "").strip().lower()
        same = self.first.validator is not None
        return ranges == "bytes" and same and not self.first.coded

    def refusal(self, reply: Reply) -> TogetherError:
        words = f"its address answers {reply.status} {reply.reason}"
        return unreadable(self.field, words.strip())

    def media_type(self, head: bytes | None = None) -> str:
        kind = self.first.content_type.lower()
        return kind if kind in ENDINGS.values() else super().media_type(head)

    def named(self) -> str:
        if self.name and has_ending(self.name):
            return self.name
        return (self.name or "file") + suffix(b"", self.media_type())

    def some(self, stream: Any, size: int) -> bytes:
        return self.guarded(stream.read, size)

    def pieces(self, start: int) -> Iterator[bytes]:
        stream, beginning = self.reading(start)
        until = time.monotonic() + READING_DEADLINE
        try:
            if beginning:
                yield beginning
            while block := self.some(stream, BLOCK):
                if stream.validator != self.first.validator:
                    raise unreadable(self.field, "it changed while it was read")
                if stream.position > self.limit:
                    raise self.over_limit()
                if time.monotonic() > until:
                    problem = f"it is not done after {READING_DEADLINE:g} seconds"
                    raise unreadable(self.field, problem)
                yield block
        finally:
            stream.close()

    def again(self, start: int) -> Download:
        """Return a download from `start` on, of the same content as at first."""
        stream = copy.copy(self.first)
        stream.position, stream.kept, stream.ended = start, b"", False
        stream.response, stream.barren, stream.pace = None, 0, Pace()
        stream.file_end = None  # which has seen the first reading
        if start and not self.ranged:
            stream.position = 0
            self.pass_over(stream, start)
        return stream

    def pass_over(self, stream: Download, count: int) -> None:
        while count > 0:
            block = self.guarded(stream.read, min(count, BLOCK))
            if not block:
                return
            count -= len(block)


class StoredSource(RemoteSource):
    """An object of the workspace's storage.

    Not ranged: Windmill sends it from its start, whatever it is asked for.
    """

    def __init__(
        self,
        key: str,
        storage: str | None,
        field: str,
        name: str | None,
        limit: int = FILE_LIMIT,
    ) -> None:
        if not key:
            raise TogetherError.refused(
                field, "s3 must be the key of an object in storage"
            )
        super().__init__(field, name or safe_name(key) or None)
        self.key, self.storage, self.limit = key, storage, limit
        self.waiting = self.again()
        self.length = self.waiting.length

    def media_type(self, head: bytes | None = None) -> str:
        # Asking for its first bytes would be a request of its own.
        ending = os.path.splitext(self.name or "")[1].lower()
        return ENDINGS.get(ending) or super().media_type(head)

    def again(self, start: int = 0) -> Any:
        from ..workspace.storage import open_object  # only where objects are stored

        try:
            return open_object(self.key, self.storage, start)
        except TogetherError as error:
            raise unreadable(self.field, str(error)) from error

    def pieces(self, start: int) -> Iterator[bytes]:
        stream, beginning = self.reading(start)
        with stream:
            if beginning:
                yield beginning
            while block := stream.read(BLOCK):
                if stream.position > self.limit:
                    raise self.over_limit()
                yield block
