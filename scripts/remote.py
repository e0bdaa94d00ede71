"""Sources that lie elsewhere: every reading of them is a request.

Address  what a web address answers with
Stored   an object of the workspace's storage
"""

import os
import re
import time
from urllib.parse import unquote, urlsplit

from .client import HTTPError, TogetherError, _describe
from .fetching import fetch, reach
from .sources import _SUFFIXES, BLOCK, Source, _safe_name, _unreadable, _wrong

__all__ = ["Address", "Stored"]

DEADLINE = 6 * 3600.0  # seconds that one reading may take
RESUMES = 5  # of a broken connection, one after another without a byte


class Address(Source):
    """What a web address answers with, fetched anew at every reading.

    A connection that breaks is taken up again where the server gives ranges and says
    that the content is the same; else the reading fails.
    """

    remote = True

    def __init__(self, url, field, auth, limit, name):
        super().__init__(field, name)
        self.url, self.limit, self.reach = url, limit, reach(auth)
        self.waiting = response = self.ask()
        headers = response.headers
        # Compressed all the same, its length is not the file's, nor are its ranges.
        self.coded = headers.get("content-encoding", "identity").lower() != "identity"
        self.length = None if self.coded else _whole(response)
        self.validator = _validator(response)
        ranges = headers.get("accept-ranges", "").strip().lower() == "bytes"
        self.ranged = ranges and not self.coded and self.validator is not None
        kind = headers.get("content-type", "").split(";")[0].strip().lower()
        self.kind = kind if kind in _SUFFIXES else None
        if name is None:
            told = re.search(
                r"filename\*?=(?:UTF-8'')?\"?([^\";]+)",
                headers.get("content-disposition", ""),
                re.IGNORECASE,
            )
            found = told[1] if told else urlsplit(url).path
            self.name = _safe_name(unquote(found))

    def media_type(self):
        return self.kind or super().media_type()

    def named(self):
        if self.name and os.path.splitext(self.name)[1]:
            return self.name
        return (self.name or "file") + _SUFFIXES.get(self.media_type(), "")

    def ask(self, start=0):
        """Return the response whose body begins at `start`."""
        headers = {"Accept": "*/*"}
        if start:
            headers |= {"Range": f"bytes={start}-", "If-Range": self.validator}
        try:
            response = fetch(
                "GET", self.url, reach=self.reach, headers=headers, what=self.field
            )
        except (HTTPError, OSError) as error:
            raise _unreadable(self.field, _describe(error)[0]) from None
        if response.status != (206 if start else 200):
            response.close()
            words = f"its address answers {response.status} {response.reason or ''}"
            if start and response.status == 200:
                words = _CHANGED
            raise _unreadable(self.field, words.strip())
        return response

    def blocks(self, start=0):
        response, self.waiting = self.waiting, None
        if response is None or (start and self.ranged):
            if response is not None:
                response.close()
            response = self.again(start if self.ranged else 0)
        place = start if self.ranged else 0
        failed, until = 0, time.monotonic() + DEADLINE
        while True:
            try:
                block = response.read(BLOCK, decode_content=self.coded)
            except (HTTPError, OSError) as error:
                response.close()
                failed += 1
                if failed > RESUMES or not self.ranged:
                    raise _unreadable(self.field, _describe(error)[0]) from None
                if failed > 1:
                    time.sleep(0.25 * 2**failed)
                response = self.again(place)
                continue
            if not block:
                break
            failed = 0
            place += len(block)
            if place > self.limit:
                response.close()
                raise _wrong(self.field, f"is too large: over {self.limit} bytes")
            if time.monotonic() > until:
                response.close()
                raise _unreadable(self.field, f"not done after {DEADLINE:g} seconds")
            if place > start:
                yield block[max(0, len(block) - (place - start)) :]
        if self.length is not None and place != self.length:
            words = f"{self.length} bytes were announced, {place} came"
            raise _unreadable(self.field, words)

    def again(self, start):
        """Return the response from `start` on, of the same content as at first."""
        response = self.ask(start)
        now = _validator(response), None if self.coded else _whole(response)
        before = self.validator, None if self.coded else self.length
        if now != before:
            response.close()
            raise _unreadable(self.field, _CHANGED)
        return response


_CHANGED = "the file changed while it was read"


def _validator(response):
    """Return what tells whether the content is still the same, or None."""
    etag = response.headers.get("etag", "W/")
    return response.headers.get("last-modified") if etag[:2] == "W/" else etag


def _whole(response):
    """Return the bytes of the whole content as the server announces them, or None."""
    length = response.headers.get("content-length", "")
    if response.status == 206:
        length = response.headers.get("content-range", "").rpartition("/")[2]
    return int(length) if length.isdigit() else None


class Stored(Source):
    """An object of the workspace's storage.

    Not ranged: Windmill sends it from its start, whatever it is asked for.
    """

    remote = True

    def __init__(self, key, storage, field, name):
        if not key:
            raise _wrong(field, "s3 must be the key of an object in storage")
        super().__init__(field, name or _safe_name(key))
        self.key, self.storage = key, storage
        self.waiting = self.ask()
        self.length = self.waiting.length

    def ask(self, start=0):
        from .windmill import open_object

        try:
            return open_object(self.key, self.storage, start)
        except TogetherError as error:
            raise _unreadable(self.field, str(error)) from error

    def blocks(self, start=0):
        stream, self.waiting = self.waiting, None
        if stream is None or start:
            if stream is not None:
                stream.close()
            stream = self.ask(start)
        with stream:
            while block := stream.read(BLOCK):
                yield block
