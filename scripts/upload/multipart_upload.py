"""Send the bytes of a file to signed addresses, whole or in parts.

put         to one address, tried again until it is taken
send_parts  in parts, several at once; one that fails is tried again alone
Progress    tells the job's page and log how far a large file is

What has been acknowledged is not sent again. transfer/public_fetch.py says which
addresses are reached, at every redirect: https and public ones, but for what the
resource's own base URL opens. The API key stays behind.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
import threading
import time

from ..client import TogetherError
from ..client.endings import is_error
from ..client.job import log
from ..client.jsonio import parse_json
from ..client.transport import faults, read_whole
from ..resilience.explain import describe
from ..resilience.retry import passing, rest, retry_after
from ..resilience.server_words import storage_words
from ..transfer.file_source import temporary, unreadable
from ..transfer.filetypes import is_page
from ..transfer.multipart import exact
from ..transfer.public_fetch import fetch, reach_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..shapes import Auth, Headers, Places, Response
    from ..transfer.file_source import Source

AT_ONCE = 4  # parts
TRIES = 5  # of a part, or of a whole file
# Seconds: for a block to leave, and for the answer after the last one.
ANSWER_SECONDS = 300.0
ANSWER_BYTES = 1 << 20  # of it: a storage that took the bytes has nothing to say
TIMEOUT = 60.0, ANSWER_SECONDS
WATCHED = 16 << 20  # bytes from which on the progress is shown
PAUSE = 2.0  # seconds between two pieces of news of it
CHANGED = "it changed while it was uploaded"


def send_parts(
    auth: Auth,
    source: Source,
    size: int,
    places: Places,
    progress: Progress | None = None,
    checksum: str | None = None,
) -> dict[int, str]:
    """Send a file in parts of `size` bytes; return {part number: ETag}.

    `places` is {part number: (signed address, headers)}, parts counted from 1. Four go
    at once; one that fails is tried again alone, and when it fails for good the others
    stop. With `checksum`, a SHA-256, what was read in order must be what it says.
    Raises TogetherError.
    """
    from concurrent.futures import ThreadPoolExecutor  # few files go up in parts

    progress = progress or Progress(source.named(), source.length)
    progress.expect(source.size())
    tags, failures, stop = {}, [], threading.Event()
    room = threading.Semaphore(AT_ONCE)

    def send(number: int, content: Source, start: int, length: int) -> None:
        try:
            address, headers = places[number]
            body = Part(content, start, length, progress, stop=stop)
            what = f"the signed address of part {number}"
            response = put(auth, address, body, headers, what)
            tag = _plain_tag(response.headers.get("etag", ""))
            if not tag:
                raise unexpected_answer(f"no ETag came for part {number}")
            tags[number] = tag
        except BaseException as error:
            failures.append(error)
            stop.set()
        finally:
            if content is not source:
                content.close()
            room.release()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            for number, content, start in _cut_parts(
                source, size, len(places), checksum
            ):
                room.acquire()
                if stop.is_set():
                    break
                length = min(size, source.size() - (number - 1) * size)
                pool.submit(send, number, content, start, length)
        except BaseException:
            stop.set()
            raise
    if failures:  # not that a part was stopped, but why
        reasons = (one for one in failures if not isinstance(one, _StoppedError))
        raise next(reasons, failures[0])
    return tags


def _plain_tag(tag: str) -> str:
    """Return an ETag without its quotation marks, and without the W/ that a proxy puts
    before one when it compresses."""
    tag = tag.strip()
    tag = tag[2:] if tag[:2].upper() == "W/" else tag
    return tag.strip("\"' ")


def _cut_parts(
    source: Source, size: int, count: int, checksum: str | None
) -> Iterator[tuple[int, Source, int]]:
    """Yield (number, Source, where in it the part starts) for each part in order."""
    if source.ranged:
        for number in range(count):
            yield number + 1, source, number * size
        return
    digest = hashlib.sha256()
    blocks = exact(source)
    block = memoryview(b"")
    for number in range(count):
        handle = tempfile.NamedTemporaryFile(prefix="together-")  # noqa: SIM115 (kept)
        left = min(size, source.size() - number * size)
        while left:
            block = block or memoryview(next(blocks))
            piece = block[:left]
            digest.update(piece)
            handle.write(piece)
            left -= len(piece)
            block = block[len(piece) :]
        handle.flush()
        if number == count - 1 and checksum not in (None, digest.hexdigest()):
            raise unreadable(source.field, CHANGED)
        yield number + 1, temporary(handle, source.field), 0


class _StoppedError(Exception):
    """Another part has failed for good."""


class Part:
    """A part of a source as a request's body; counts what has gone.

    With `checksum`, a source that is asked for anew is only sent to its last byte when
    it is what was looked at.
    """

    def __init__(
        self,
        source: Source,
        start: int,
        length: int,
        progress: Progress,
        checksum: str | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        self.source, self.start, self.length = source, start, length
        self.progress = progress
        self.checksum = checksum if source.remote else None
        self.stop = stop
        self.gone = 0

    def __iter__(self) -> Iterator[bytes | memoryview]:
        self.take_back()
        digest = hashlib.sha256() if self.checksum else None
        for block in exact(self.source, self.start, self.length):
            if self.stop is not None and self.stop.is_set():
                raise _StoppedError
            if digest:
                digest.update(block)
                last = self.gone + len(block) == self.length
                if last and digest.hexdigest() != self.checksum:
                    raise unreadable(self.source.field, CHANGED)
            yield block
            self.gone += len(block)
            self.progress.add_sent(len(block))

    def take_back(self) -> None:
        """What has gone counts for nothing: it will go again."""
        self.progress.add_sent(-self.gone)
        self.gone = 0


def put(auth: Auth, address: str, body: Part, headers: Headers, what: str) -> Response:
    """Send bytes to a signed address until they are taken; return the response.

    To put the same bytes to the same address again changes nothing there.
    """
    # Of a length that the service names too, there would be two.
    headers = {k: v for k, v in headers.items() if k.lower() != "content-length"}
    headers["Content-Length"] = str(body.length)
    opened = reach_of(auth)
    for tries in range(1, TRIES + 1):
        retry_seconds = None
        try:
            response = fetch(
                "PUT",
                address,
                reach=opened,
                https=True,
                headers=headers,
                body=body,
                timeout=TIMEOUT,
                what=what,
            )
            data = read_whole(response, time.monotonic() + ANSWER_SECONDS, ANSWER_BYTES)
        except faults() as error:
            words = describe(error)[0]
            status = None
        else:
            good, status = 200 <= response.status < 300, response.status
            if good and not _is_refusal(data):
                return response
            words = f"the storage answers {status} {response.reason or ''}".strip()
            # Whoever says 200 and means an error may take it at the next try.
            status = None if good else status
            words += storage_words(data)
            retry_seconds = retry_after(response.headers)
        if not passing(status) or tries == TRIES:
            raise _upload_error(what, words, status, tries)
        body.progress.say(f"{what}: {words}; trying again")
        if rest(tries, retry_seconds, body.stop):
            raise _StoppedError
    raise AssertionError("the last try returns or raises")


def _is_refusal(data: bytes) -> bool:
    """Say whether the body of a success is an error, or a page, of somebody on the way:
    a storage that took the bytes has nothing to say."""
    if is_page(data) or re.search(rb"<error[\s>]", data[:4096], re.I):
        return True
    found = parse_json(data)[0] if data.lstrip()[:1] == b"{" else None
    if not isinstance(found, dict):
        return False
    return is_error(found.get("error")) or found.get("success") is False


def _upload_error(
    what: str, words: str, status: int | None, tries: int
) -> TogetherError:
    advice = "Run the step again."
    return TogetherError(
        f"The file could not be uploaded to {what}: {words}. {advice}",
        type="storage",
        status=status,
        tries=tries,
        ambiguous=False,
        advice=advice,
    )


class Progress:
    """Tells the job's page and log how far a large upload is.

    Reading it the first time is a third of the bar, sending it the rest.
    """

    def __init__(self, name: str, length: int | None) -> None:
        self.name = name
        self.length = length or 0
        self.count = 0
        self.last_news = time.monotonic()
        self.shown = -1
        self.lock = threading.Lock()

    def read(self, count: int) -> None:
        if self.length >= WATCHED:
            self.show(33 * count // self.length, count, "read")

    def expect(self, length: int) -> None:
        self.length, self.count = length, 0

    def add_sent(self, count: int) -> None:
        with self.lock:
            self.count += count
            so_far = self.count
        if self.length >= WATCHED and count > 0:
            self.show(33 + 66 * so_far // self.length, so_far, "sent")

    def show(self, percent: int, count: int, done: str) -> None:
        now = time.monotonic()
        with self.lock:
            if percent <= self.shown or now - self.last_news < PAUSE:
                return
            self.shown, self.last_news = percent, now
        # Not under the lock: it is a request, for which the other senders would wait.
        self.say(f"{count >> 20} of {self.length >> 20} MiB {done}")
        from ..workspace.progress import set_progress  # only within a job

        set_progress(percent)

    def say(self, text: str) -> None:
        log(f"{self.name!r}: {text}")


def unexpected_answer(problem: str) -> TogetherError:
    return TogetherError(
        f"The service's answer to the upload cannot be used: {problem}.",
        type="invalid_answer",
        ambiguous=False,
        advice="Run the step again; if it stays so, tell Together's support.",
    )
