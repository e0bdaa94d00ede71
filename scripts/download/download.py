"""Bring bytes over HTTP: a piece at a time, whole, and known to be whole.

    open_download   what an operation of the API answers with, as a readable
    open_url        what an address in one of its answers leads to, as a readable
    api_download    the same of a request that is at hand

A connection that breaks is mended by asking for the rest (RFC 9110, section 14): only a
206 for just that part counts, under the same ETag where the server gives one. What is
shorter or longer than the server, or the API, said is an error. Where nobody says it and
the end of the connection is that of the bytes, whoever may know is asked, and the file
itself (file_end.py). The API key goes to the API alone; where it redirects to,
scripts/transfer/public_fetch.py says what may be reached.
"""

from __future__ import annotations

import re
import time
import zlib

from ..client import TogetherError
from ..client.job import log
from ..client.request import Request, send_operation
from ..client.transport import (
    CODINGS,
    Pace,
    Reply,
    Unpacked,
    byte_count,
    endless,
    faults,
    read_whole,
    too_long,
)
from ..operations import operation
from .file_end import FileEnd
from .filenames import named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeVar

    from ..shapes import Auth, Fault, Headers, Json, Operation, Response

    Made = TypeVar("Made")

READ_BLOCK = 1 << 20  # bytes that are read at a time
PEEKED = 1 << 15  # first bytes that are waited for: they tell a file from an error
SECURE = 1 << 18  # bytes that are read at a time over TLS
ERROR_SECONDS = 60.0  # for the body of an error
BARREN = 6  # connections in a row that bring nothing before it is given up
CONTENT = operation("files/download_file")
FILE = operation("files/get_file")
UNTOLD = (
    "The server did not say how many bytes there are and closed the connection behind "
    "the last: that these are all cannot be told."
)


class Peekable:
    """A readable whose first bytes can be looked at; `fresh` brings up to size bytes,
    as soon as some are there."""

    kept = b""

    def peek(self) -> bytes:
        """Return the first bytes without taking them: PEEKED or more, fewer only of what
        has no more. A server may send them one by one."""
        while len(self.kept) < PEEKED and (piece := self.fresh(READ_BLOCK)):
            self.kept += piece
        return self.kept

    def read(self, size: int = READ_BLOCK) -> bytes:
        """Return up to size bytes, as soon as some are there."""
        if self.kept:
            piece, self.kept = self.kept[:size], self.kept[size:]
            return piece
        return self.fresh(size)

    def fresh(self, size: int) -> bytes:
        raise NotImplementedError


class Download(Peekable):
    """A readable: read(size) gives up to that many bytes, b"" at the end.

    `length` is the bytes there are in all, or None; `name` what the server calls the
    file, made safe, or ""; `content_type`, "" where unknown; `note`, at the end, what
    is not known of the bytes, or "". read raises TogetherError; its type is
    "changed_download" when the bytes changed while they were read, so that all must be
    read anew. `ask_size` asks elsewhere how many there are, where the server does not
    say it.
    """

    def __init__(
        self,
        connect: Callable[[Headers], Any],
        length: int | None = None,
        ask_size: Callable[[], int | None] | None = None,
    ) -> None:
        self.connect = connect
        self.length = length
        self.ask_size = ask_size
        self.open_ended = False  # the connection's end is that of the bytes
        self.file_end: Any = None  # what the file says of its own end
        self.note = ""
        self.position = 0
        self.barren = 0
        self.ended = False
        self.response: Any = None
        self.pace = Pace()
        while self.response is None:
            try:
                self.begin(connect({}))
            except faults() as fault:
                self.cut(fault)

    def begin(self, response: Response) -> None:
        """Note what the first answer says of the whole."""
        headers = response.headers
        coding = headers.get("content-encoding", "identity").strip().lower()
        self.coded = is_coded(headers)
        if self.coded and coding not in CODINGS:
            response.close()
            raise TogetherError(
                f"The download is compressed with {coding!r}, which was not asked for.",
                type="unreachable",
                advice="Give an address that answers with the file as it is.",
            )
        self.unpacked: Any = Unpacked(response, coding) if self.coded else None
        size = byte_count(headers.get("content-length", ""))
        if size is not None and not self.coded:
            self.measure(size)
        self.open_ended = is_open_ended(headers)
        if self.open_ended and self.length is None:
            self.file_end = FileEnd()
        self.tag = tag = headers.get("etag", "").strip()
        self.validator = tag if tag.startswith('"') else None  # W/ is weak
        self.content_type = headers.get("content-type", "").split(";")[0].strip()
        self.name = named(headers.get("content-disposition", ""))
        self.response = response

    def measure(self, size: int) -> None:
        if self.length not in (None, size):
            raise TogetherError(
                f"The download has {size} bytes where {self.length} were announced.",
                type="wrong_length",
                advice="Run the step again; if it stays so, tell Together's support.",
            )
        self.length = size

    def fresh(self, size: int) -> bytes:
        while not self.ended:
            try:
                if self.response is None:
                    self.resume()
                    continue
                piece = self.take(size)
                if not piece:
                    self.end()
            except faults() as fault:
                self.cut(fault)
                continue
            if piece:
                self.position += len(piece)
                if self.file_end:
                    self.file_end.take(piece)
                self.barren = 0
                if too_long(self.length, self.position):
                    self.close()
                    raise endless(f"The download broke off after {self.position} bytes")
                return piece
        return b""

    def take(self, size: int) -> bytes:
        """Read from the connection as much as comes at once.

        read1 loses nothing when the connection breaks. Over TLS it brings one record,
        16 KiB, at three times the cost of read, which loses what it holds when it is
        reset: there, blocks are kept small.
        """
        self.pace.keep(self.response, self.position)
        if self.coded:
            try:
                return self.unpacked.read(size)
            except zlib.error as error:
                words = f"its compressed body is damaged ({error})"
                raise OSError(words) from None
        sock = getattr(self.response.connection, "sock", None)
        if hasattr(sock, "cipher"):
            return self.response.read(min(size, SECURE), decode_content=False)
        return self.response.read1(size, decode_content=False)

    def end(self) -> None:
        """The connection says that this is all: it must be."""
        self.response.drain_conn()
        self.response.release_conn()
        if self.open_ended:
            self.settle()
        self.ended = True
        if not self.coded:
            self.measure(self.position)

    def settle(self) -> None:
        """Find out whether the connection ended behind the last byte, or amid them. Raises
        OSError where it was amid them and the rest can be asked for."""
        if self.length is None and self.ask_size:
            size = self.ask_size()
            # Less than came is an old number.
            self.length = size if size and size >= self.position else None
        if self.length is None:
            self.length = self.probe()
        if self.length is not None:
            if self.position < self.length:
                raise OSError("the connection was closed amid the bytes")
            return
        whole = self.file_end and self.file_end.is_whole()
        if whole is False:
            raise _changed_error("the server does not say how many bytes there are")
        if whole is None:
            self.note = UNTOLD
            log(UNTOLD)

    def probe(self) -> int | None:
        """Return how many bytes there are, told by what the server answers to a request
        for those behind the last; None where it does not tell."""
        try:
            response = self.connect(self.onwards())
        except TogetherError:
            return None  # it was asked for no more than a number
        except faults():
            return None
        given = response.headers.get("content-range", "")
        length = byte_count(response.headers.get("content-length", ""))
        response.close()
        digits = r"(\d{1,18})"
        part = re.fullmatch(rf"bytes (?:\*|{digits}-{digits})/(\d{{1,18}}|\*)", given)
        if response.status == 200:
            return length
        if part and part[3] != "*":
            return int(part[3])
        if response.status == 416:
            return self.position
        follows = part and part[1] and int(part[1]) == self.position
        return int(part[2]) + 1 if part and follows else None

    def onwards(self) -> Headers:
        """Return the headers that ask for the bytes behind those that came."""
        headers = {"Range": f"bytes={self.position}-"}
        if self.validator:
            headers["If-Range"] = self.validator
        return headers

    def fits(self, tag: str) -> bool:
        """Say whether a part with this ETag may be of the content that began: a weak
        one cannot prove it, but that it is another."""
        if not (tag and self.tag):
            return True
        if self.validator:
            return tag == self.validator
        return tag.removeprefix("W/") == self.tag.removeprefix("W/")

    def resume(self) -> None:
        """Ask for the bytes that are missing."""
        if self.position == 0:
            self.begin(self.connect({}))
            return
        if self.coded:  # the part of a compressed body is no part of the content
            raise _changed_error("the server compresses it")
        response = self.connect(self.onwards())
        status, given = response.status, response.headers
        if status == 416:
            # Nothing follows what came: the end, unless more was announced.
            response.close()
            self.ended = True
            self.measure(self.position)
            return
        if is_coded(given) and status in (200, 206):
            # A part of what is compressed, behind bytes that were not, is no file.
            response.close()
            raise _changed_error("the server compresses it")
        tag = given.get("etag", "").strip()
        if status == 206:
            part = re.fullmatch(
                r"bytes (\d{1,18})-\d+/(\d{1,18}|\*)", given.get("content-range", "")
            )
            if part is None or int(part[1]) != self.position or not self.fits(tag):
                response.close()
                raise _changed_error("the server sent another part than was asked for")
            if part[2] != "*":
                self.measure(int(part[2]))
            self.open_ended = is_open_ended(given)
            self.response = response
            return
        # A server that knows no ranges begins again: only a strong ETag proves that it
        # is the same, and then what has come is passed over.
        if self.validator is None or tag != self.validator:
            response.close()
            raise _changed_error("the server cannot send the rest alone")
        self.open_ended = is_open_ended(given)
        self.response = response
        over = self.position
        while over > 0:
            self.pace.keep(response, self.position - over)
            piece = response.read1(min(over, READ_BLOCK), decode_content=False)
            if not piece:
                raise _changed_error("it is shorter than before")
            over -= len(piece)

    def cut(self, fault: Fault) -> None:
        """Give the connection up; wait a little, or raise when it leads nowhere."""
        self.close()
        self.barren = BARREN if self.pace.is_lost() else self.barren + 1
        if self.barren >= BARREN:
            from ..resilience.explain import describe  # only when something failed

            words, advice = describe(fault)
            words = str(fault) if isinstance(fault, _BusyError) else words
            so_far = f"{self.position} of {self.length} bytes"
            if self.length is None:
                so_far = f"{self.position} bytes"
            raise TogetherError(
                f"The download broke off after {so_far}: {words}. {advice}",
                type="connection",
                received=self.position,
                advice=advice,
            ) from None
        asked = fault.asked if isinstance(fault, _BusyError) else None
        if self.barren > 1 or asked is not None:
            from ..resilience.retry import rest  # only when something failed

            rest(max(1, self.barren - 1), asked)

    def close(self) -> None:
        """Give the connection up."""
        if self.response is not None:
            self.response.close()
            self.response = None


def is_open_ended(headers: Mapping[str, str]) -> bool:
    """Say whether only the connection's end tells that of a body. What is compressed
    tells its own."""
    if byte_count(headers.get("content-length", "")) is not None:
        return False
    return not is_coded(headers) and "transfer-encoding" not in headers


def is_coded(headers: Mapping[str, str]) -> bool:
    """Say whether a body comes compressed."""
    coding = headers.get("content-encoding", "identity").strip().lower()
    return coding not in ("", "identity")


class _BusyError(OSError):
    """A server that answers, but not with what was asked for, for now; `asked` are the
    seconds that it asks to wait, or None."""

    def __init__(self, words: str, asked: float | None = None) -> None:
        super().__init__(words)
        self.asked = asked


def _changed_error(problem: str) -> TogetherError:
    return TogetherError(
        f"The download broke off and cannot be continued: {problem}.",
        type="changed_download",
        advice="Run the step again.",
    )


def anew_where_changed(work: Callable[[], Made]) -> Made:
    """Return what `work` makes of a download, which it begins: again where the bytes
    changed while they were read, as often as a request is tried. Raises TogetherError."""
    tries = 0
    while True:
        try:
            return work()
        except TogetherError as error:
            if error.type != "changed_download":
                raise
            from ..resilience.retry import MAX_TRIES  # only when something failed

            tries += 1
            if tries >= MAX_TRIES:
                raise


def open_download(auth: Auth, operation: Operation, **arguments: Json) -> Download:
    """Send an operation and return its answer's bytes as a Download.

    For steps that read what others store: a batch's output, say, row by row. Raises
    TogetherError.
    """
    if "output" in operation["arguments"]["properties"]:
        arguments["output"] = "result"  # the caller decides where it goes
    return api_download(Request(auth, operation, arguments))


def open_url(
    url: str,
    auth: Auth,
    what: str,
    headers: Headers | None = None,
    length: int | None = None,
) -> Download:
    """Return a Download of a signed address from one of the API's answers.

    Only https and public addresses are reached, but for what the resource's own base
    URL opens; the key stays here. `what` names it in messages, `length` is what the API
    says of its size. Raises TogetherError.
    """
    from ..transfer.public_fetch import (  # only where an address is given
        fetch,
        reach_of,
    )

    opened = reach_of(auth)

    def connect(asked: Headers) -> Response:
        response = fetch(
            "GET",
            url,
            reach=opened,
            https=True,
            headers={**(headers or {}), **asked},
            what=what,
        )
        return good(response, lambda reply: _refusal(what, reply), asked)

    return Download(connect, length)


def api_download(request: Request) -> Download:
    plain = {**request.headers, "Accept-Encoding": "identity"}

    def connect(asked: Headers) -> Any:
        request.headers = {**plain, **asked}
        request.tries = 0
        try:
            answer = request.send(streaming=True)
        except TogetherError as error:
            status = error.status or 503  # none: no answer came
            if asked and status == 416:
                return _Unread(416)
            from ..resilience.retry import passing  # only when something failed

            if asked and passing(status):
                raise _BusyError(str(error)) from None
            raise
        finally:
            request.headers = plain
        if answer.status == 200 or (asked and answer.status == 206):
            return answer
        if not 300 <= answer.status < 400:
            answer.close()
            answer.reason = request.without_key(answer.reason)
            raise _unreachable("The address of the download", answer)
        # A signed address may expire: each part is asked for where the API says now.
        return good(
            follow(request, answer, asked),
            lambda reply: refused_by_storage(request, reply),
            asked,
        )

    return Download(connect, ask_size=lambda: _size_at_service(request))


def _size_at_service(request: Request) -> int | None:
    """Return how many bytes the service says that a stored file has, or None."""
    if request.operation["path"] != CONTENT["path"]:
        return None
    try:
        file = send_operation(request.auth, FILE, file_id=request.arguments["file_id"])
    except TogetherError:
        return None  # as where it does not say it
    size = file.get("bytes") if isinstance(file, dict) else None
    return size if size.__class__ is int else None


class _Unread:
    """An answer without a body."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.headers: Headers = {}

    def close(self) -> None:
        """There is nothing to close."""


def follow(request: Request, reply: Any, headers: Headers | None = None) -> Response:
    """Return the response of where a redirect of the API leads, without the key."""
    from ..transfer.public_fetch import (  # only where an address is given
        fetch,
        led,
        reach_of,
    )

    what = "the address of the download"
    place = led(request.base + request.target, reply.headers["location"], what)
    return fetch(
        "GET",
        place,
        reach=reach_of(request.auth),
        https=True,
        headers=headers,
        what=what,
    )


def good(
    response: Response, failure: Callable[[Reply], TogetherError], asked: Headers
) -> Response:
    """Return a response that brings the bytes that the headers `asked` for: all, or
    with a range those behind it; a passing failure is like a cut."""
    status = response.status
    if status == 200 or (asked and status in (206, 416)):
        return response
    reply = error_of(response)
    from ..resilience.retry import passing, retry_after  # only when something failed

    if passing(status):
        words = f"the server answers {status} {reply.reason}"
        raise _BusyError(words, retry_after(reply.headers))
    raise failure(reply)


def error_of(response: Response) -> Reply:
    """Return an answer that is an error, whose body is no longer waited for than for
    one of the API. Raises urllib3's HTTPError."""
    reply = Reply(response, read_whole(response, time.monotonic() + ERROR_SECONDS))
    response.close()
    return reply


def _unreachable(what: str, reply: Any) -> TogetherError:
    advice = "Such addresses expire: ask the API for a new one."
    return TogetherError(
        f"{what} answers {reply.status} {reply.reason}. {advice}",
        type="unreachable",
        status=reply.status,
        advice=advice,
    )


GONE = (401, 403, 404, 410)  # of a signed address: no word on what the key may do


def refused_by_storage(request: Request, reply: Reply) -> TogetherError:
    """Return the error for what the place answered to which the API redirects."""
    if not _is_gone(reply):
        return request.failure(None, reply)
    return _expiry_error("the address of the download", reply)


def _refusal(what: str, reply: Reply) -> TogetherError:
    return _expiry_error(what, reply) if _is_gone(reply) else _unreachable(what, reply)


def _is_gone(reply: Reply) -> bool:
    """Say whether the answer of a signed address means that it leads nowhere."""
    told = reply.status == 400 and b"xpired" in reply.data[:4096]
    return told or reply.status in GONE


def _expiry_error(what: str, reply: Reply) -> TogetherError:
    from ..resilience.server_words import storage_words  # only when something failed

    advice = (
        "Run the step again, which asks the API for a new address. If that does not "
        "work either, the file is gone and has to be made anew."
    )
    said = f"{reply.status} {reply.reason}{storage_words(reply.data)}"
    return TogetherError(
        f"The link has expired, or its file is gone: {what} answers {said}. {advice}",
        type="unreachable",
        status=reply.status,
        advice=advice,
    )


def leads_nowhere(error: TogetherError) -> bool:
    """Say whether a download failed since its host answers for good that it has no
    such file, or not for this address."""
    return error.type == "unreachable" and error.status is not None
