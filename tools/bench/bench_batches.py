"""A million rows through batches: split into input files, and collected again.

A job of ours runs in a process of its own, as a worker starts it, and reads its table
from the stand-in for a workspace's storage. The service is one that keeps what comes in
files and answers at once: the sandbox, which looks at each row, takes longer than the
jobs. Its answers come in no order, as those of a batch do. Seconds are those of the
whole job, with the uploads and downloads over loopback; the peak is its largest memory.
"""

import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

from tools.bench import bench
from tools.bench.record import Row
from tools.local.fake_workspace import Workspace
from tools.local.job_runner import prepare
from tools.local.server_thread import running

TEMPLATE = "Is this a complaint? {{text}}"
BLOCK = 1 << 20
# The kernel's own account of a child begins with the memory of what started it.
DRIVER = """
import runpy
try:
    runpy.run_path("wrapper.py", run_name="__main__")
finally:
    lines = open("/proc/self/status").read().splitlines()
    peak = next(one for one in lines if one.startswith("VmHWM")).split()[1]
    open("peak", "w").write(peak)
"""
NAMED = re.compile(rb'"custom_id": ("[^"]*")')


class Service:
    """Together's files and batches, as a context manager that serves them on loopback.

    What comes is kept in files; `answer()` makes the output of each batch that has
    none.
    """

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.files: dict[str, dict] = {}  # by id: what the service says of each
        self.batches: dict[str, dict] = {}
        self.asked: list[str] = []  # method and path of each request
        self.sent = 0  # bytes of files that came
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.server.service = self
        self.open = ExitStack()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self) -> Self:
        for needed in (self.folder, self.server, running(self.server)):
            self.open.enter_context(needed)
        return self

    def __exit__(self, *_: object) -> None:
        self.open.close()

    def place(self, file_id: str) -> Path:
        return Path(self.folder.name) / file_id

    def announce(self, filename: str) -> str:
        file_id = f"file-{len(self.files)}"
        self.files[file_id] = {
            "id": file_id,
            "object": "file",
            "created_at": 1,
            "filename": filename,
            "bytes": 0,
            "purpose": "batch-api",
            "FileType": "jsonl",
            "Processed": True,
        }
        return file_id

    def create(self, input_file_id: str) -> dict:
        batch_id = f"batch-{len(self.batches)}"
        self.batches[batch_id] = {
            "id": batch_id,
            "status": "VALIDATING",
            "input_file_id": input_file_id,
            "model_id": "m",
        }
        return self.batches[batch_id]

    def answer(self) -> None:
        """End each batch with an answer to each of its requests, in no order."""
        for batch in self.batches.values():
            if "output_file_id" in batch:
                continue
            content = self.place(batch["input_file_id"]).read_bytes()
            before, after = _line().split(b'"name"')
            lines = [before + one + after for one in NAMED.findall(content)]
            random.Random(1).shuffle(lines)
            output = self.announce("output.jsonl")
            self.files[output]["bytes"] = self.place(output).write_bytes(
                b"".join(lines)
            )
            batch |= {"status": "COMPLETED", "output_file_id": output}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        service = self.server.service
        service.asked.append(f"GET {self.path}")
        kind, name, what = ([*self.path.partition("?")[0].split("/"), "", ""])[2:5]
        if what == "content":
            content = service.place(name)
            self.head({"content-length": str(content.stat().st_size)})
            with content.open("rb") as file:
                while block := file.read(BLOCK):
                    self.wfile.write(block)
        elif kind == "files":
            found = service.files
            self.tell(found[name] if name else {"data": list(found.values())})
        elif kind == "batches":
            found = service.batches
            self.tell(found[name] if name else list(found.values()))
        else:
            self.tell(bench.MODELS)

    def do_POST(self) -> None:
        service = self.server.service
        service.asked.append(f"POST {self.path}")
        body = self.rfile.read(int(self.headers["content-length"] or 0))
        kind, name = ([*self.path.split("/"), ""])[2:4]
        if kind == "files" and name:
            self.tell(service.files[name])
        elif kind == "files":
            found = re.search(rb'name="file_name"\r\n\r\n([^\r]+)', body)
            file_id = service.announce(found[1].decode())
            headers = {"location": f"{service.url}/put/{file_id}"}
            headers |= {"x-together-file-id": file_id, "content-length": "0"}
            self.head(headers, 302)
        elif kind == "chat":
            self.tell(json.loads(_line())["response"]["body"])
        else:
            self.tell({"job": service.create(json.loads(body)["input_file_id"])})

    def do_PUT(self) -> None:
        service, file_id = self.server.service, self.path.rpartition("/")[2]
        service.asked.append(f"PUT {self.path}")
        left = int(self.headers["content-length"])
        service.sent += left
        service.files[file_id]["bytes"] = left
        with service.place(file_id).open("wb") as file:
            while left:
                block = self.rfile.read(min(left, BLOCK))
                file.write(block)
                left -= len(block)
        self.head({"content-length": "0"})

    def tell(self, value: object) -> None:
        content = json.dumps(value).encode()
        length = str(len(content))
        self.head({"content-type": "application/json", "content-length": length})
        self.wfile.write(content)

    def head(self, headers: dict, status: int = 200) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


@dataclass
class Run:
    """Rows that went through batches. split and collected are what `measured` returns
    of submit_rows and collect_rows; then the requests of each, without those for
    prices, the bytes sent up and stored, and the results."""

    split: tuple
    collected: tuple
    requests: tuple[int, int]
    sent: int
    stored: int
    made: dict
    result: dict


def batches(rows: int) -> list[Row]:
    """submit_rows, then collect_rows with the table given, into storage."""
    run = run_of(rows)
    return [
        Row("batches", "ours", *run.split),
        Row("batches", "ours, collecting", *run.collected),
    ]


def run_of(rows: int) -> Run:
    """Send a table through batches. Raises OSError where a row has no answer."""
    with Service() as service, Workspace() as workspace:
        workspace.put("in/rows.jsonl", table_of(rows))
        auth = {"api_key": "tgp_bench_0123456789", "base_url": service.url}
        table = {"s3": "in/rows.jsonl"}
        given = {"auth": auth, "model": "m", "template": TEMPLATE, "rows": table}
        split, made = measured("batches/submit_rows", given, workspace)
        submitted = _count(service)
        service.answer()
        given = {"auth": auth, "batch_id": made["batch_id"], "rows": table}
        given["output"] = "storage"
        collected, result = measured("batches/collect_rows", given, workspace)
        place = workspace.objects["", result["s3"]].file
        with place.open("rb") as file:
            told = sum(1 for line in file if b'"answer": "Yes."' in line)
        stored = place.stat().st_size
    if not told == result["done"] == rows:
        raise OSError(f"{told} of {rows} rows were answered")
    requests = submitted, _count(service) - submitted
    return Run(split, collected, requests, service.sent, stored, made, result)


def _count(service: Service) -> int:
    return sum("models" not in one for one in service.asked)


def measured(step: str, given: dict, workspace: Workspace) -> tuple[tuple, dict]:
    """Run a step as a job; return (seconds, rows a second of the processor, its
    seconds, MiB) of it, and its result. Raises OSError when it fails."""
    cost, result = measured_job(step, given, workspace)
    rows = result.get("rows") if step.endswith("submit_rows") else result["done"]
    return (cost.seconds, rows / cost.cpu, cost.cpu, cost.peak), result


@dataclass
class Cost:
    """Of a job: its seconds, those of the processor, and the most MiB it held."""

    seconds: float
    cpu: float
    peak: float


def measured_job(
    step: str, given: dict, workspace: Workspace, around: Mapping[str, str] = os.environ
) -> tuple[Cost, dict]:
    """Run a step as a job; return what it took, and its result. `around` is the
    environment beside the workspace's. Raises OSError when it fails."""
    with tempfile.TemporaryDirectory() as folder:
        job = Path(folder)
        prepare(job, step, given)
        with open(job / "log", "wb") as log:
            started = time.perf_counter()
            process = subprocess.Popen(
                [sys.executable, "-u", "-c", DRIVER],
                cwd=job,
                env={**around, **workspace.environment},
                stdout=log,
                stderr=log,
            )
            _, status, used = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - started
            process.returncode = os.waitstatus_to_exitcode(status)
        result = json.loads((job / "result.json").read_text())
        if process.returncode:
            raise OSError(f"{step} failed: {result}")
        peak = int((job / "peak").read_text()) / 1024
    cpu = used.ru_utime + used.ru_stime
    return Cost(seconds, cpu, peak), result


def table_of(rows: int) -> bytes:
    """JSON Lines of the bench."""
    return b"".join(
        b'{"id": %d, "text": "The parcel number %d came twice, and late."}\n' % (n, n)
        for n in range(rows)
    )


def _line() -> bytes:
    """The line of an answer to the request "name"."""
    message = {"role": "assistant", "content": "Yes.", "tool_calls": []}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    body = {
        "id": "c",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": "m",
        "choices": [{**choice, "logprobs": None}],
        "usage": {"prompt_tokens": 20, "completion_tokens": 2, "total_tokens": 22},
    }
    response = {"status_code": 200, "request_id": "r", "body": body}
    line = {"custom_id": "name", "response": response, "error": None}
    return json.dumps(line).encode() + b"\n"
