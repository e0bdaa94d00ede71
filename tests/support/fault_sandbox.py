"""A sandbox whose models echo, and refuse, fail or hang as a test says."""

import asyncio
import json
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from tools.sandbox import Sandbox, error_body

HANG, DRIP = "hang", "drip"


class FaultSandbox(Sandbox):
    """`respond` says how to answer the n-th request (from 1) about a text, given how
    often that text came: None as usual, HANG never, DRIP a blank now and then, a dict
    as it is, or (status, headers) with or without a body.

    Chat models answer "<text>!"; an embedding is [length of the text, its place in
    the request]; a document's score is the number in it. `seen` counts the texts,
    `most` is how many requests were under way at once.
    """

    def __init__(self) -> None:
        super().__init__(pace=0, judge=False)
        self.reset()

    def reset(self) -> None:
        self.respond: Callable = lambda number, text, times: None
        self.seen: Counter = Counter()
        self.bodies: list[dict] = []
        self.now = self.most = 0
        self.pause = 0.0
        self.lock = threading.Lock()
        self.requests.clear()
        self.faults.clear()

    async def answer(self, request: Request, path: str) -> Response:
        kind = path.rsplit("/", 1)[-1]
        if kind not in ("completions", "embeddings", "rerank"):
            return await super().answer(request, path)
        body = json.loads(await request.body())
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            return await self.judged(kind, body, request)
        finally:
            with self.lock:
                self.now -= 1

    async def judged(self, kind: str, body: dict, request: Request) -> Response:
        text = _text(kind, body)
        with self.lock:
            self.seen[text] += 1
            self.bodies.append({**body, "at": time.monotonic()})
            number, times = len(self.bodies), self.seen[text]
        if self.pause:
            await asyncio.sleep(self.pause)
        answer = self.respond(number, text, times)
        if answer == HANG:
            while (await request.receive())["type"] != "http.disconnect":
                pass
            return Response()
        if answer == DRIP:
            return StreamingResponse(_drip())
        if isinstance(answer, dict):
            return JSONResponse(answer)
        if answer is not None:
            status, headers, *body = answer
            body = body[0] if body else error_body("as the test says", "fault")
            return JSONResponse(body, status, headers)
        return JSONResponse(_echo(kind, body))


async def _drip() -> AsyncIterator[bytes]:
    while True:
        yield b" "
        await asyncio.sleep(0.2)


def _text(kind: str, body: dict) -> str:
    if kind == "completions":
        return body["messages"][-1]["content"]
    return str(body.get("input", body.get("documents")))


def _echo(kind: str, body: dict) -> dict:
    if kind == "embeddings":
        data = [
            {"index": place, "embedding": [len(text), place]}
            for place, text in enumerate(body["input"])
        ]
        return {"data": data[::-1], "usage": {"prompt_tokens": len(data)}}
    if kind == "rerank":
        scores = [
            {"index": place, "relevance_score": _score(document)}
            for place, document in enumerate(body["documents"])
        ]
        scores.sort(key=lambda found: -found["relevance_score"])
        return {
            "results": scores[: body.get("top_n")],
            "usage": {"prompt_tokens": len(scores)},
        }
    text = body["messages"][-1]["content"]
    choice = {"message": {"role": "assistant", "content": f"{text}!"}}
    tokens = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    return {"choices": [{**choice, "finish_reason": "stop"}], "usage": tokens}


def _score(document: object) -> float:
    digits = "".join(c for c in json.dumps(document) if c.isdigit())
    return int(digits or 0) / 1e6
