"""A server of the Model Context Protocol, as far as its tools go.

Version 2025-03-26, streamable HTTP: JSON-RPC by POST, answered as JSON or as one event
of a stream, which may stay open behind it. The token goes to the server's own address
and is in no message; no redirect is followed.
"""

from __future__ import annotations

import itertools
import json
import re
import time
from itertools import chain

from .client import TogetherError
from .client.jsonio import parse_json, storable
from .client.resource import without_key
from .client.transport import (
    MIB,
    TooLargeError,
    abandon,
    faults,
    read_pieces,
    read_whole,
)
from .replies.sse import Events
from .resilience.server_words import reason_in
from .transfer.public_fetch import post

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .shapes import Json, Members, Response

VERSION = "2025-03-26"
ADDRESS = re.compile(r"(?i)https?://[^/?#\s@]+([/?#]\S*)?")
TOKEN = re.compile(r"[!-~]+")
SECONDS = 120.0  # for one exchange, at most
MOST_PAGES = 20  # of a server's list of tools
MOST_TOOLS = 128  # of one server
MOST_STREAM_BYTES = 48 * MIB
SHOWN = 500  # characters of what a server says that a message repeats
UNREADABLE = "its answer cannot be read"


class McpServer:
    """Raises TogetherError for what cannot be reached, read or done; `field` is what
    its messages call the server."""

    def __init__(self, url: str, token: str | None, field: str) -> None:
        self.url, self.field = url.strip(), field
        if not ADDRESS.fullmatch(self.url):
            raise TogetherError.refused(field, "must be an address with https://")
        kinds = "application/json, text/event-stream"
        self.headers = {"Accept": kinds, "Content-Type": "application/json"}
        self.token = (token or "").strip()
        if token := self.token:
            if not TOKEN.fullmatch(token):
                problem = "must be a token: letters, digits and signs without blanks"
                raise TogetherError.refused(field.replace(".mcp", ".token"), problem)
            self.headers["Authorization"] = f"Bearer {token}"
        self.numbers = itertools.count(1)
        about = {"name": "together-ai-for-windmill", "version": "1"}
        words: Members = {"protocolVersion": VERSION, "capabilities": {}}
        found = self.ask("initialize", {**words, "clientInfo": about})
        version = found.get("protocolVersion")
        if isinstance(version, str) and re.fullmatch(r"[\d-]{1,20}", version):
            self.headers["MCP-Protocol-Version"] = version
        self.send({"method": "notifications/initialized"})

    def tools(self) -> tuple[list[Members], list[str]]:
        """Return the tools that it lists, MOST_TOOLS at most, and what to say of those
        that are left out: [] for none."""
        found: list[Members] = []
        words: Members = {}
        for _ in range(MOST_PAGES):
            page = self.ask("tools/list", words)
            listed = page.get("tools")
            listed = listed if isinstance(listed, list) else []
            found += [tool for tool in listed if isinstance(tool, dict)]
            cursor = page.get("nextCursor")
            more = bool(cursor) and isinstance(cursor, str)
            more = more and cursor != words.get("cursor")
            if not more or len(found) > MOST_TOOLS:
                break
            words = {"cursor": cursor}
        return found[:MOST_TOOLS], self.unread(len(found) - MOST_TOOLS, more)

    def unread(self, count: int, more: bool) -> list[str]:
        """Say how many tools are left out, and whether it has pages that were not
        read."""
        if count > 0:
            least = "at least " if more else ""
            words = (
                f"of {self.field} are left out: at most {MOST_TOOLS} of a server are"
            )
            return [f"{least}{count} tools {words} offered"]
        words = f"the tools of {self.field} beyond page {MOST_PAGES} are left out"
        return [words] if more else []

    def call(self, name: str, arguments: Members, seconds: float = SECONDS) -> str:
        """Return the text that a tool gives within so many seconds, SECONDS at most.
        Raises TogetherError, also where it says that it failed."""
        words = {"name": name, "arguments": arguments}
        answer = self.ask("tools/call", words, seconds)
        text = _answer_text(answer)
        if answer.get("isError"):
            reason = (text or "it does not say why")[:SHOWN]
            raise TogetherError(f"the tool failed: {reason}", type="job_failed")
        if text is None:
            doubt = "whether it was carried out is not known"
            raise self.failure(f"tools/call: {UNREADABLE}: {doubt}")
        return str(storable(text, []))

    def ask(self, method: str, params: Members, seconds: float = SECONDS) -> Members:
        """Return the result of a request."""
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": params}
        answer = self.send(message, number, seconds)
        if isinstance(answer.get("result"), dict):
            result: Members = answer["result"]
            return result
        lacking = "no result came" if answer.get("result") is None else UNREADABLE
        words = _reason(answer.get("error")) or lacking
        raise self.failure(f"{method}: {words}")

    def send(
        self, message: Members, number: int | None = None, seconds: float = SECONDS
    ) -> Members:
        """Send a message; return the one that answers its number, {} for none, within
        so many seconds, SECONDS at most."""
        data = json.dumps({"jsonrpc": "2.0", **message}).encode()
        seconds = min(seconds, SECONDS)
        most = time.monotonic() + seconds
        timeout = min(10.0, seconds), seconds  # to connect; until something comes
        try:
            headers = dict(self.headers)
            response = post(self.url, data, headers, timeout, self.field)
            if 300 <= response.status < 400:
                abandon(response)
                problem = "redirects, and is not followed: give the address it leads to"
                raise TogetherError.refused(self.field, problem)
            if response.status >= 300:
                read, _ = parse_json(read_whole(response, most))
                words = _reason(self.masked(read))
                words = f": {words}" if words else ""
                raise self.failure(f"it answered with status {response.status}{words}")
            if session := response.headers.get("mcp-session-id"):
                self.headers["Mcp-Session-Id"] = session
            for text in _messages(response, most, number):
                read = self.masked(parse_json(text)[0])
                for found in read if isinstance(read, list) else [read]:
                    if not isinstance(found, dict) or "method" in found:
                        continue  # a request or notice of the server's own
                    # Where it could not read the request, it knows no number.
                    lost = found.get("id") is None and "error" in found
                    if found.get("id") == number or lost:
                        return found
        except faults() as error:
            if time.monotonic() >= most:
                words = f"it did not answer within {seconds:.3g} seconds"
                raise self.failure(words) from None
            words = type(error).__name__
            raise self.failure(f"it cannot be reached ({words})") from None
        return {}

    def masked(self, value: Json) -> Json:
        """Return what the server says without the token, which some repeat."""
        return without_key(self.token, value)

    def failure(self, words: str) -> TogetherError:
        return TogetherError(f"The MCP server of {self.field}: {words}.", type="mcp")


def _reason(error: Json) -> str | None:
    """Return the words of an error of any shape, or None."""
    words = reason_in(error)
    return words and words[:SHOWN]


def _messages(response: Response, most: float, number: int | None) -> Iterator[bytes]:
    """Yield what the server says, by the moment `most`. Of a stream no more is read
    than is asked for, and nothing where no answer is waited for. Raises urllib3's
    HTTPError, OSError."""
    if "event-stream" not in response.headers.get("content-type", "").lower():
        yield read_whole(response, most)
        return
    try:
        if number is not None:
            # The last event may lack the blank line behind it.
            pieces = chain(_bounded(read_pieces(response, most)), [b"\n\n"])
            yield from (data.encode() for data, _ in Events(pieces))
    finally:
        abandon(response)


def _bounded(pieces: Iterator[bytes]) -> Iterator[bytes]:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > MOST_STREAM_BYTES:
            limit = MOST_STREAM_BYTES // MIB
            raise TooLargeError(f"the stream has more than {limit} MiB")
        yield piece


def _answer_text(answer: Members) -> str | None:
    """Return what a tool gives, as text: of any shape that servers answer in, of which
    one is older than VERSION. "" for nothing, None for what cannot be read."""
    parts = answer.get("content")
    if parts is None:
        parts = []
    elif isinstance(parts, str | dict):
        parts = [parts]
    elif not isinstance(parts, list):
        return None
    text = "\n".join(filter(None, map(_part_text, parts)))
    for name in ("structuredContent", "toolResult"):
        if not text and answer.get(name) is not None:
            text = _json_text(answer[name])
    return text


def _part_text(part: Json) -> str:
    """Return a part of a tool's answer as text; what is none is only named."""
    if not isinstance(part, dict):
        return _json_text(part)
    if isinstance(part.get("text"), str):
        text: str = part["text"]
        return text
    resource: Json = part.get("resource")
    if isinstance(resource, dict) and isinstance(resource.get("text"), str):
        return str(resource["text"])
    if part.get("type", "text") == "text":  # words of another shape
        return _json_text(part)
    return f"({part['type']} that is no text)"


def _json_text(value: Json) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
