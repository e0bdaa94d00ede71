"""What stands before the sandbox's API: a line for each request, a start page at `/`,
and faults by chance.

    Chances(["429:0.3", "reset:0.1"])   three of ten requests are answered 429, one in
                                        ten is cut off without an answer
"""

import asyncio
import contextlib
import html
import random
import socket
import struct
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from starlette.responses import JSONResponse

SHOWN = 50  # requests on the start page
LONGEST_PATH = 200  # characters of a path that are shown
BROKEN = "broken off"  # in place of a status, where no answer was begun
# What the service says with a status: type, words. What is not here says so.
WORDS = {
    400: ("invalid_request_error", "The request is not valid"),
    401: ("authentication_error", "Invalid API key"),
    402: ("insufficient_quota", "Insufficient balance"),
    403: ("third_party_data_sharing_blocked", "Data sharing is not allowed"),
    429: ("rate_limit_exceeded", "Too many requests"),
    500: ("server_error", "Internal error"),
    503: ("overloaded", "The model is overloaded"),
}
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Sandbox</title><style>
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem;
padding: 0 1rem; color-scheme: light dark }}
pre {{ overflow-x: auto; padding: 1rem; border: 1px solid #8888 }}
table {{ border-collapse: collapse; width: 100% }}
td, th {{ text-align: left; padding: .2rem .8rem .2rem 0 }}
td:nth-child(3) {{ overflow-wrap: anywhere }}
</style></head><body>
<h1>Sandbox of the Together AI API</h1>
<p>A local stand-in for the API: it judges requests as the service does, answers with
made-up content, and costs nothing. Any text is a key.</p>
<p>Base URL: <code>{url}</code> (in Windmill: the resource's <code>base_url</code>)</p>
<pre>curl {url}/v1/chat/completions -H "Authorization: Bearer any-key" \\
  -H "Content-Type: application/json" \\
  -d '{{"model": "{model}",
       "messages": [{{"role": "user", "content": "Hello"}}]}}'</pre>
<p>Faults by chance: {chances}.</p>
<h2>{count} so far</h2>
<table><tr><th>time<th>method<th>path<th>status<th>ms</tr>{rows}</table>
</body></html>
"""


@dataclass
class Seen:
    """A request that was answered: when it came, how long it took. Neither its query
    nor its headers, which may hold a key."""

    at: float
    method: str
    path: str
    status: int | str
    milliseconds: float

    @property
    def cells(self) -> tuple[str, ...]:
        clock = time.strftime("%H:%M:%S", time.localtime(self.at))
        took = f"{self.milliseconds:.0f}"
        return clock, self.method, self.path, str(self.status), took

    def __str__(self) -> str:
        return "{} {} {} {} {} ms".format(*self.cells)


class Log:
    """The requests so far: told to `tell` one by one, the last ones kept."""

    def __init__(self, tell: Callable[[str], None] | None = None) -> None:
        self.tell = tell
        self.last: deque[Seen] = deque(maxlen=SHOWN)
        self.count = 0

    async def watch(
        self,
        scope: dict,
        send: Callable[[dict], Awaitable[None]],
        answer: Callable[[Callable[[dict], Awaitable[None]]], Awaitable[None]],
    ) -> None:
        """Let a request be answered, and note what became of it."""
        at, began = time.time(), time.monotonic()
        status: int | str = BROKEN

        async def noting(message: dict) -> None:
            nonlocal status
            if message["type"].endswith("response.start"):
                status = message["status"]
            elif message["type"] == "websocket.accept":
                status = 101
            await send(message)

        try:
            await answer(noting)
        finally:
            path = scope["raw_path"].decode("ascii", "backslashreplace")
            took = (time.monotonic() - began) * 1000
            method = scope.get("method", "GET")
            seen = Seen(at, method, path[:LONGEST_PATH], status, took)
            self.last.append(seen)
            self.count += 1
            if self.tell:
                self.tell(str(seen))

    def page(self, url: str, model: str, chances: "Chances") -> str:
        rows = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}" for cell in seen.cells)
            for seen in reversed(self.last)
        )
        count = f"{self.count} request{'' if self.count == 1 else 's'}"
        shown = {"url": url, "model": model, "chances": str(chances), "count": count}
        return PAGE.format(**{k: html.escape(v) for k, v in shown.items()}, rows=rows)


class Chances:
    """Faults that strike at random: "status:share", "reset:share", "slow:share".

    Raises ValueError for anything else, and for shares that are more than all requests.
    The same seed gives the same faults.
    """

    def __init__(
        self,
        faults: Iterable[str] = (),
        seed: int | None = None,
        seconds: float = 5.0,
    ) -> None:
        self.shares = [_read(fault) for fault in faults]
        if sum(share for _, share in self.shares) > 1:
            raise ValueError("the shares of all faults are more than 1")
        self.random = random.Random(seed)
        self.seconds = seconds  # by which an answer is late that is slow

    def __str__(self) -> str:
        told = [f"{share:.0%} {fault}" for fault, share in self.shares]
        return ", ".join(told) or "none"

    def next(self) -> str | None:
        """The fault that strikes the next request, or None."""
        drawn = self.random.random()
        for fault, share in self.shares:
            if drawn < share:
                return fault
            drawn -= share
        return None

    async def strike(
        self,
        scope: dict,
        receive: Callable[[], Awaitable[dict]],
        send: Callable[[dict], Awaitable[None]],
    ) -> bool:
        """Let a fault strike a request of the API; whether there is no more to do."""
        fault = self.next() if scope["path"].startswith("/v") else None
        if fault is None:
            return False
        if fault == "slow":
            await asyncio.sleep(self.seconds)
            return False
        if fault == "reset":
            raise ResetError
        kind, words = WORDS.get(int(fault), ("sandbox", "Fault by chance"))
        error = {"message": words, "type": kind, "param": None, "code": None}
        response = JSONResponse({"error": error}, int(fault))
        if scope["type"] == "http":
            while (await receive()).get("more_body"):
                pass
            await response(scope, receive, send)
        else:
            from starlette.websockets import WebSocket

            await WebSocket(scope, receive, send).send_denial_response(response)
        return True


class ResetError(Exception):
    """The connection is to be cut off without an answer."""


async def cut_off(send: object, receive: Callable[[], Awaitable[dict]]) -> None:
    """Reset the connection that an ASGI `send` of uvicorn's writes to."""
    transport = getattr(send, "__self__").transport  # noqa: B009, typed as a function
    own = transport.get_extra_info("socket")
    # Closed at once, with a reset: SO_LINGER of 0 seconds, socket(7).
    own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    with contextlib.suppress(TimeoutError):  # until uvicorn knows, or it complains
        async with asyncio.timeout(1):
            while not (await receive())["type"].endswith("disconnect"):
                pass


def _read(fault: str) -> tuple[str, float]:
    word, _, share = fault.partition(":")
    known = word in ("reset", "slow")
    if not known and not (word.isascii() and word.isdigit() and 400 <= int(word) < 600):
        raise ValueError(f"{word!r} is no fault: a status of 400 to 599, reset, slow")
    try:
        number = float(share)
    except ValueError:
        number = -1.0
    if not 0 < number <= 1:
        raise ValueError(f"{fault!r}: a share above 0 and up to 1 follows the colon")
    return word, number
