"""Measure how a gibibyte travels: `./dev bench --workload transfer`.

Every contender is a process of its own in every round, and writes to a file; its time
is taken inside it, without its imports. Peak memory is what the kernel noted (VmHWM);
idle is a Python that has imported the helper and done nothing.
"""

import contextlib
import json
import os
import shutil
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from tools.bench.bench import environment, served
from tools.bench.record import Row
from tools.local.job_runner import prepare

SIZE = 1 << 30
BLOCK = os.urandom(1 << 20)
MODEL = "fine_tuning/download_fine_tune_model"
SUM_AND_CURL = "sha256sum, curl -T"
PATH = "/v1/finetune/download?ft_id=ft-bench"

DRIVER = """
import json, os, sys, time
sys.path.insert(0, ".")
def peak():
    lines = open("/proc/self/status").read().splitlines()
    line = next(line for line in lines if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024
auth = json.load(open("args.json"))["auth"]
out = sys.argv[1]
{imports}
idle = peak()
cpu, started = time.process_time(), time.perf_counter()
{work}
seconds = time.perf_counter() - started
print("MEASURED", json.dumps([seconds, time.process_time() - cpu, peak(), idle]))
"""
# The imports and the work of each contender, for the download to a file.
DOWNLOADERS = {
    "ours": (
        """
from f.togetherai.download import READ_BLOCK, open_download
from f.togetherai.fine_tuning.download_fine_tune_model import OPERATION
""",
        """
source = open_download(auth, OPERATION, ft_id="ft-bench")
with open(out, "wb") as file:
    while piece := source.read(READ_BLOCK):
        file.write(piece)
""",
    ),
    "sdk": (
        """
import logging, pathlib, together
from together.lib import DownloadManager
""",
        f"""
client = together.Together(**auth)
DownloadManager(client).download({PATH!r}, pathlib.Path(out), fetch_metadata=True)
""",
    ),
}
# The step itself: from the API into the workspace's storage.
STORER = (
    """
from f.togetherai.fine_tuning.download_fine_tune_model import main
import f.togetherai.transfer, f.togetherai.workspace
""",
    """
stored = main(auth, "ft-bench")
assert stored["s3"], stored
""",
)

# The imports and the work of each contender, for the upload of a file. All read it
# twice: the checksum comes first, by the protocol.
UPLOADERS = {
    "ours": (
        """
import pathlib
from f.togetherai.files.upload_file import main
import f.togetherai.upload, f.togetherai.workspace
""",
        """
body = {"purpose": "fine-tune", "file_name": "a.jsonl", "file": pathlib.Path(out)}
stored = main(auth, body, check=False)
assert stored["id"] == "file-bench", stored
""",
    ),
    "sdk": (
        """
import together
""",
        """
client = together.Together(**auth)
stored = client.files.upload(out, purpose="fine-tune", check=False)
assert stored.id == "file-bench", stored
""",
    ),
}
STORED = {
    "id": "file-bench",
    "object": "file",
    "created_at": 1,
    "filename": "a.jsonl",
    "bytes": SIZE,
    "purpose": "fine-tune",
    "FileType": "jsonl",
    "Processed": True,
}


class Pipe:
    """A server of random bytes that also takes any number of them.

    GET answers SIZE bytes, or the part asked for; POST and PUT read what comes and
    answer as Windmill's storage does, or as the API answers the steps of an upload.
    One thread a connection, blocks of 1 MiB.
    """

    def __init__(self, certificate: Path | None) -> None:
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate)
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=64)

    @property
    def url(self) -> str:
        scheme = "https" if self.context else "http"
        return f"{scheme}://127.0.0.1:{self.socket.getsockname()[1]}"

    def serve(self) -> None:
        print(self.url, flush=True)
        while True:
            connection, _ = self.socket.accept()
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
            with connection, connection.makefile("rb", 1 << 20) as stream:
                while request := stream.readline():
                    headers = {}
                    while (line := stream.readline()) not in (b"\r\n", b""):
                        name, _, value = line.decode("latin-1").partition(":")
                        headers[name.lower()] = value.strip()
                    if headers.get("expect"):
                        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                    method, path, _ = request.decode().split(" ")
                    if method in ("POST", "PUT"):
                        _swallow(stream, headers)
                        self.take(connection, path)
                    elif "test_connection" in path:
                        _answer(connection, b"null")
                    else:
                        self.send(connection, headers.get("range"))

    def take(self, connection: socket.socket, path: str) -> None:
        if path == "/v1/files":
            place = f"location: {self.url}/signed\r\nx-together-file-id: file-bench"
            head = f"HTTP/1.1 302 Found\r\n{place}\r\ncontent-length: 0\r\n\r\n"
            connection.sendall(head.encode())
        elif path.startswith("/v1/files/"):
            _answer(connection, json.dumps(STORED).encode())
        else:
            _answer(connection, b'{"file_key": "bench"}')

    def send(self, connection: socket.socket, part: str | None) -> None:
        start, end, status = 0, SIZE - 1, "200 OK"
        if part:
            first, _, last = part.removeprefix("bytes=").partition("-")
            start, end = int(first), int(last or end)
            status = f"206 Partial\r\ncontent-range: bytes {start}-{end}/{SIZE}"
        left = end + 1 - start
        kind = 'content-type: application/octet-stream\r\netag: "bench"'
        head = f"HTTP/1.1 {status}\r\n{kind}\r\ncontent-length: {left}\r\n\r\n"
        connection.sendall(head.encode())
        while left > 0:
            connection.sendall(BLOCK[:left])
            left -= len(BLOCK)


def _swallow(stream: object, headers: dict[str, str]) -> None:
    """Read a body to its end."""
    buffer = bytearray(1 << 20)
    view = memoryview(buffer)

    def skip(left: int) -> None:
        while left > 0:
            left -= stream.readinto(view[: min(left, len(view))])

    if "content-length" in headers:
        skip(int(headers["content-length"]))
        return
    while size := int(stream.readline(), 16):
        skip(size)
        stream.readline()
    stream.readline()


def _answer(connection: socket.socket, body: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
    connection.sendall(head + b"content-length: %d\r\n\r\n" % len(body) + body)


def transfer(rounds: int) -> list[Row]:
    """A gibibyte down, over HTTPS and HTTP, on into the workspace's storage, and up."""
    rows = []
    for secure in (True, False):
        over = "" if secure else " (http)"
        with _served(secure) as (auth, trust), _folder() as folder:
            rows += _download(f"download 1 GiB{over}", rounds, auth, trust, folder)
        with _served(secure) as (auth, trust), _folder() as folder:
            rows += _upload(f"upload 1 GiB{over}", rounds, auth, trust, folder)
    with _served(True) as (auth, trust), _served(False) as (storage, _):
        with _folder() as folder:
            rows += _store(rounds, auth, trust, storage["base_url"], folder)
    return rows


def _served(secure: bool) -> contextlib.AbstractContextManager:
    return served(secure, "tools.bench.bench_transfer")


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    """A folder in memory where there is room, so that no disk is measured."""
    shared = Path("/dev/shm")
    roomy = shared.is_dir() and shutil.disk_usage(shared).free > 3 * SIZE
    with tempfile.TemporaryDirectory(dir=shared if roomy else None) as folder:
        yield Path(folder)


def _download(
    name: str, rounds: int, auth: dict, trust: dict, folder: Path
) -> list[Row]:
    out = folder / "out"
    found: dict[str, list] = {"ours": [], "curl": [], "sdk": []}
    jobs = {}
    for contender, texts in DOWNLOADERS.items():
        jobs[contender] = _lay_out(folder, contender, auth, texts)
    for _ in range(rounds):
        for contender, rows in found.items():
            env = environment(contender, trust)
            if contender == "curl":
                words = ["curl", "-sf", "-o", str(out), auth["base_url"] + PATH]
                rows.append(_run([words], env))
            else:
                rows.append(_drive(jobs[contender], env, out))
            if out.stat().st_size != SIZE:
                raise OSError(f"{contender} brought {out.stat().st_size} bytes")
            out.unlink()
    return _rows(name, found)


def _upload(name: str, rounds: int, auth: dict, trust: dict, folder: Path) -> list[Row]:
    source = folder / "a.jsonl"
    with source.open("wb") as file:
        for _ in range(SIZE // len(BLOCK)):
            file.write(BLOCK)
    found: dict[str, list] = {"ours": [], SUM_AND_CURL: [], "sdk": []}
    jobs = {}
    for contender, texts in UPLOADERS.items():
        jobs[contender] = _lay_out(folder, contender, auth, texts, "files/upload_file")
    for _ in range(rounds):
        for contender, rows in found.items():
            if contender != SUM_AND_CURL:
                env = environment(contender, trust)
                rows.append(_drive(jobs[contender], env, source))
                continue
            env = environment("curl", trust)
            summed = _run([["sha256sum", str(source)]], env)
            words = ["curl", "-sf", "-T", str(source), f"{auth['base_url']}/signed"]
            sent = _run([words], env)
            time_and_cpu = [a + b for a, b in zip(summed, sent, strict=True)][:2]
            rows.append([*time_and_cpu, max(summed[2], sent[2])])
    return _rows(name, found)


def _store(
    rounds: int, auth: dict, trust: dict, storage: str, folder: Path
) -> list[Row]:
    found: dict[str, list] = {"ours": [], "curl | curl": []}
    job = _lay_out(folder, "ours", auth, STORER)
    windmill = {"BASE_INTERNAL_URL": storage, "WM_WORKSPACE": "w", "WM_TOKEN": "t"}
    for _ in range(rounds):
        env = {**environment("ours", trust), **windmill}
        found["ours"].append(_drive(job, env, folder / "out"))
        down = ["curl", "-sf", auth["base_url"] + PATH]
        up = ["curl", "-sf", "-X", "POST", "-T", "-", f"{storage}/upload"]
        found["curl | curl"].append(_run([down, up], environment("curl", trust)))
    return _rows("download 1 GiB to storage", found)


def _rows(name: str, found: dict[str, list]) -> list[Row]:
    idle = statistics.median(row[3] for row in found["ours"])
    rows = []
    for contender, measured in found.items():
        seconds, cpu, peak = (
            statistics.median(row[n] for row in measured) for n in range(3)
        )
        rows.append(Row(name, contender, seconds, None, cpu, peak, idle))
    return rows


def _lay_out(
    folder: Path,
    contender: str,
    auth: dict,
    texts: tuple[str, str],
    script: str = MODEL,
) -> Path:
    job = folder / contender
    job.mkdir(exist_ok=True)
    prepare(job, script, {"auth": auth})
    imports, work = texts
    (job / "driver.py").write_text(DRIVER.format(imports=imports, work=work))
    return job


def _drive(job: Path, env: dict, out: Path) -> list[float]:
    """Run a driver; return seconds, CPU seconds, peak and idle MiB."""
    done = subprocess.run(
        [sys.executable, "driver.py", str(out)],
        cwd=job,
        env=env,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise OSError(f"a contender failed: {done.stderr[-2000:]}")
    line = next(li for li in done.stdout.splitlines() if li.startswith("MEASURED "))
    return json.loads(line.removeprefix("MEASURED "))


def _run(commands: list[list[str]], env: dict) -> list[float]:
    """Run programs, each one's output the next one's input, and watch their memory."""
    before = os.times()
    started = time.perf_counter()
    processes = []
    for words in commands:
        source = processes[-1].stdout if processes else subprocess.DEVNULL
        last = words is commands[-1]
        sink = subprocess.DEVNULL if last else subprocess.PIPE
        processes.append(subprocess.Popen(words, env=env, stdin=source, stdout=sink))
    peaks = [0.0] * len(processes)
    while processes[-1].poll() is None:
        for number, process in enumerate(processes):
            peaks[number] = max(peaks[number], _peak(process.pid))
        with contextlib.suppress(subprocess.TimeoutExpired):
            processes[-1].wait(0.02)
    seconds = time.perf_counter() - started
    if any(process.wait() for process in processes):
        raise OSError(f"{commands[0][0]} failed")
    for process in processes[:-1]:
        process.stdout.close()
    after = os.times()
    cpu = after.children_user - before.children_user
    cpu += after.children_system - before.children_system
    return [seconds, cpu, sum(peaks)]


def _peak(pid: int) -> float:
    """The most MiB that a process had so far; 0 when it is gone."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    found = [line for line in text.splitlines() if line.startswith("VmHWM")]
    return int(found[0].split()[1]) / 1024 if found else 0.0


if __name__ == "__main__":
    Pipe(Path(sys.argv[1]) if sys.argv[1] else None).serve()
