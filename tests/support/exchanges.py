"""Every kind of exchange that the pack has, with its right answers.

KINDS names them. `run(auth)` does one; the fault hits the requests that `target`
matches, and the others are answered well.
"""

import base64
import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass

from scripts.client import TogetherError
from scripts.transfer.file_input import open_file
from scripts.upload.file_upload import store_file
from scripts.workspace import jobs, state, storage
from tests.support.expected_request import main_of
from tests.support.fault_server import Asked, Good
from tools.operations import find

JOB = "018f0000-0000-0000-0000-000000000001"
FILE = b'{"text":"%s"}\n' % (b"hello " * 40)
LARGE = FILE * 8000  # more than the buffers of a connection hold
SOUND = bytes(range(256)) * 8
BINARY = {"content-type": "application/octet-stream"}
SSE = {"content-type": "text/event-stream"}
STORED = {"id": "file-1", "filename": "a.jsonl", "purpose": "fine-tune", "bytes": 0}
CHAT = {
    "id": "c",
    "object": "chat.completion",
    "model": "m",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hello you"},
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
}
MESSAGES = [{"role": "user", "content": "hi"}]
MODELS = [{"id": "m", "object": "model", "type": "chat", "pricing": {}}]


def _script(name: str) -> Callable:
    return main_of(find(name))


def _stream() -> bytes:
    def piece(delta: dict, finish: str | None = None, **more: object) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        said = {"id": "c", "model": "m", "choices": [choice], **more}
        return f"data: {json.dumps(said)}\n\n"

    return "".join(
        (
            piece({"role": "assistant", "content": "Hello"}),
            piece({"content": " you"}),
            piece({}, "stop", usage=CHAT["usage"]),
            "data: [DONE]\n\n",
        )
    ).encode()


def _as_json(value: object, status: str = "200 OK") -> Good:
    return Good(json.dumps(value).encode(), status)


def _see_other(asked: Asked) -> Good:
    headers = {"location": "/storage/1", "x-together-file-id": "file-1"}
    return Good(b"", "302 Found", headers)


def _parts(asked: Asked) -> Good:
    count = json.loads(asked.body)["num_parts"]
    parts = [
        {"part_number": n + 1, "url": f"{asked.origin}/storage/{n}"}
        for n in range(count)
    ]
    return _as_json({"upload_id": "u", "file_id": "file-1", "parts": parts})


def _embedded(asked: Asked) -> Good:
    texts = json.loads(asked.body)["input"]
    data = [
        {"index": i, "embedding": [float(len(t)), 1.0]} for i, t in enumerate(texts)
    ]
    return _as_json({"object": "list", "data": data, "usage": {"prompt_tokens": 3}})


def _done(asked: Asked) -> Good:
    return _as_json({"completed": True, "success": True, "result": {"n": 1}})


# What is answered where a kind says nothing else: (pattern, answer).
ANSWERS = (
    (r"POST /v1/chat/completions", lambda asked: _as_json(CHAT)),
    (r"POST /v1/embeddings", _embedded),
    (r"GET /v1/models", lambda asked: _as_json(MODELS)),
    (r"GET /v2/supported-models", lambda asked: _as_json({"data": []})),
    (r"GET /v3/whoami", lambda asked: _as_json({"project": {"id": "p"}})),
    (r"GET /v1/files/file-1", lambda asked: _as_json(STORED)),
    (r"GET /v1/files$", lambda asked: _as_json({"data": [STORED]})),
    (r"POST /v1/files/multipart/initiate", _parts),
    (r"POST /v1/files/multipart/complete", lambda asked: _as_json(STORED)),
    (r"POST /v1/files/multipart/abort", lambda asked: _as_json({})),
    (r"POST /v1/files/file-1/preprocess", lambda asked: _as_json(STORED)),
    (r"POST /v1/files$", _see_other),
    (r"PUT /storage/", lambda asked: Good(b"", "200 OK", {"etag": '"t"'})),
    (r"GET /bytes", lambda asked: Good(FILE, "200 OK", dict(BINARY))),
    (r"GET /.*/content", lambda asked: Good(FILE, "200 OK", dict(BINARY))),
    (r"GET /v1/batches/b", lambda asked: _as_json({"id": "b", "status": "COMPLETED"})),
    (
        r"POST /v1/batches",
        lambda asked: _as_json({"job": {"id": "b", "status": "VALIDATING"}}),
    ),
    (r"GET .*/get_result_maybe/", _done),
    (
        r"GET .*/getupdate_sse/",
        lambda asked: Good(b'data: {"completed": true}\n\n', "200 OK", dict(SSE)),
    ),
    (r"GET .*/resources/get_value/", lambda asked: _as_json({"seen": 3})),
    (r"POST .*/jobs/run/", lambda asked: Good(JOB.encode(), "201 Created")),
    (
        r"GET .*/download_s3_file",
        lambda asked: Good(FILE, "200 OK", dict(BINARY)),
    ),
    (r"POST .*/upload_s3_file", lambda asked: _as_json({"file_key": "k"})),
    (r"POST .*/resources/create", lambda asked: Good(b"made", "201 Created")),
)


@dataclass
class Kind:
    """A kind of exchange.

    target     which requests the fault hits, as "METHOD path"
    form       what their answers are: json, sse, bytes or empty
    creates    whether they may be carried out only once
    raw        whether what the service says is returned as it is
    plain      whether a coding that nobody asked for is refused
    any_json   whether that may be any JSON, an error too
    at_once    how many requests are under way together, each with its own memory
    partly     whether a result may tell of a part that failed: says so of a result
    answers    before ANSWERS
    """

    name: str
    run: Callable[[dict], object]
    target: str
    form: str = "json"
    creates: bool = False
    raw: bool = False
    any_json: bool = False
    plain: bool = False
    at_once: int = 1
    partly: Callable[[object], bool] = lambda result: False
    answers: tuple = ()

    def hit(self, asked: Asked) -> bool:
        return re.match(self.target, _said(asked)) is not None

    def answer(self, asked: Asked) -> Good:
        for pattern, good in (*self.answers, *ANSWERS):
            if re.match(pattern, _said(asked)):
                return good(asked)
        return _as_json({"error": {"message": f"no {asked.path}"}}, "404 Not Found")


def _said(asked: Asked) -> str:
    return f"{asked.method} {asked.path.partition('?')[0]}"


def _ask(auth: dict) -> object:
    found = _script("chat/ask_model")(auth, prompt="hi", model="m")
    return {"text": found["text"]}


OF_ROWS = {
    "timeout_seconds": 2,
    "patience_seconds": 2,
    "concurrency": 2,
    "output": "result",
}


def _rows(auth: dict) -> object:
    rows = [{"a": str(n)} for n in range(4)]
    found = _script("chat/map_rows")(
        auth, model="m", template="Say {{a}}", rows=rows, **OF_ROWS
    )
    return {name: found[name] for name in ("rows", "done", "failed")}


def _embed(auth: dict) -> object:
    rows = [{"text": str(n)} for n in range(4)]
    found = _script("embeddings/embed_rows")(auth, model="m", rows=rows, **OF_ROWS)
    return {name: found[name] for name in ("rows", "done", "failed")}


def _failed_rows(result: object) -> bool:
    """Whether each row has its right answer, or says why it has none."""
    good = [{"answer": "Hello you"}, {"embedding": [1.0, 1.0]}]
    return result["failed"] > 0 and all(
        row.get("answer_error")
        or row.get("embedding_error")
        or any(one.items() <= row.items() for one in good)
        for row in result["rows"]
    )


def _upload(auth: dict) -> object:
    found = store_file(auth, LARGE, "fine-tune", "a.jsonl", check=False)
    return {name: found[name] for name in ("id", "reused")}


def _upload_parts(auth: dict) -> object:
    limits = {"over": 0, "part": 5 << 20}
    content = FILE * 24_000  # two parts
    found = store_file(auth, content, "fine-tune", "a.jsonl", check=False, **limits)
    return {name: found[name] for name in ("id", "reused")}


def _download(auth: dict) -> object:
    found = _script("files/download_file")(auth, "file-1", output="result")
    return {"bytes": base64.b64decode(found["file"])}


def _speech(auth: dict) -> object:
    body = {"model": "m", "input": "hi", "voice": "v"}
    found = _script("audio/create_speech")(auth, body, output="result")
    return {"bytes": base64.b64decode(found["file"])}


def _url(auth: dict) -> object:
    with open_file({"url": f"{auth['base_url']}/bytes"}, "file", auth) as source:
        return {"bytes": b"".join(source.blocks())}


def _poll(auth: dict) -> object:
    found = _script("waits/poll_job")(auth, "batch", "b")
    if found.get("trouble"):
        raise TogetherError(found["trouble"])  # the flow looks again
    return {name: found.get(name) for name in ("state", "done", "job")}


def _pages(auth: dict) -> object:
    main = _script("evaluations/list_evaluations")
    return main(auth)


def _read_object(auth: dict) -> object:
    with storage.open_object("k") as stored:
        return {"bytes": stored.read()}


def _write_object(auth: dict) -> object:
    return storage.write_object(LARGE, filename="a.jsonl")


STREAMED = {"model": "m", "messages": MESSAGES, "stream": True}
BATCH = {"endpoint": "/v1/chat/completions", "input_file_id": "file-1"}
SPOKEN = ((r"POST /v1/audio/speech", lambda a: Good(SOUND, "200 OK", dict(BINARY))),)
LED = ((r"GET /.*/content", lambda a: Good(b"", "302 Found", {"location": "/bytes"})),)
LISTED = ((r"GET /v1/evaluation", lambda a: _as_json([{"workflow_id": "e"}])),)

KINDS = {
    kind.name: kind
    for kind in (
        Kind("call", lambda auth: _script("files/get_file")(auth, "file-1"),
             r"GET /v1/files/file-1$", raw=True),
        Kind("list", _pages, r"GET /v1/evaluation", raw=True, answers=LISTED),
        Kind("create", lambda auth: _script("batches/create_batch")(auth, BATCH),
             r"POST /v1/batches", creates=True, raw=True),
        Kind("chat", lambda auth: _script("chat/create_chat_completion")(
            auth, {"model": "m", "messages": MESSAGES}),
             r"POST /v1/chat", raw=True),
        Kind("ask", _ask, r"POST /v1/chat"),
        Kind("stream", lambda auth: _script("chat/create_chat_completion")(
            auth, STREAMED), r"POST /v1/chat", form="sse", raw=True,
             answers=((r"POST /v1/chat", lambda a: Good(_stream(), "200 OK",
                                                        dict(SSE))),)),
        Kind("rows", _rows, r"POST /v1/chat", at_once=2, partly=_failed_rows),
        Kind("embed", _embed, r"POST /v1/embeddings",
             partly=_failed_rows),
        Kind("poll", _poll, r"GET /v1/batches/b"),
        Kind("upload, announced", _upload, r"POST /v1/files$", form="empty",
             creates=True),
        Kind("upload, sent", _upload, r"PUT /storage/", form="empty"),
        Kind("upload, looked at", _upload, r"POST /v1/files/file-1/preprocess"),
        Kind("parts, begun", _upload_parts, r"POST /v1/files/multipart/initiate",
             creates=True),
        Kind("parts, sent", _upload_parts, r"PUT /storage/", form="empty"),
        Kind("parts, joined", _upload_parts, r"POST /v1/files/multipart/complete"),
        Kind("download", _download, r"GET /.*/content", form="bytes", raw=True),
        Kind("download, led on", _download, r"GET /bytes", form="bytes", raw=True,
             answers=LED),
        Kind("speech", _speech, r"POST /v1/audio/speech", form="bytes",
             answers=SPOKEN),
        Kind("address", _url, r"GET /bytes", form="bytes", raw=True),
        Kind("storage, read", _read_object, r"GET .*/download_s3_file", form="bytes",
             raw=True, plain=True),
        Kind("storage, written", _write_object, r"POST .*/upload_s3_file"),
        Kind("windmill, state", lambda auth: state.get_state("u/a/state"),
             r"GET .*/resources/get_value/", raw=True, any_json=True),
        Kind("windmill, job begun", lambda auth: jobs.start("f/a/b"),
             r"POST .*/jobs/run/", form="text", creates=True),
        Kind("windmill, job watched", lambda auth: jobs.wait_for(JOB, 3),
             r"GET .*/getupdate_sse/", form="sse"),
        Kind("windmill, job's result", lambda auth: jobs.wait_for(JOB, 3),
             r"GET .*/get_result_maybe/"),
    )
}  # fmt: skip


def as_job(url: str, token: str) -> None:
    """Let this process be a job of the Windmill at url."""
    os.environ.update(
        WM_BASE_URL=url, BASE_INTERNAL_URL=url, WM_TOKEN=token, WM_WORKSPACE="w"
    )
