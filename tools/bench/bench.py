"""Measure the scripts beside their alternatives: `./dev bench`.

All contenders of a workload take turns in one run against one local server, so that
they share whatever the machine is doing; medians count, and ratios more than seconds.
"""

import asyncio
import contextlib
import json
import os
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import certifi
import trustme

from tools.bench.record import Row, shares, write
from tools.cli.terminal import say
from tools.local.job_runner import prepare
from tools.operations import ROOT

BODY = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
MODELS = {
    "data": [
        {
            "name": "m",
            "products": ["PRODUCT_SERVERLESS"],
            "pricing": {"input": 1, "output": 1},
        }
    ]
}
ANSWER = json.dumps(
    {
        "id": "bench",
        "object": "chat.completion",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }
).encode()
EVENTS = 5000
PATH = "/v1/chat/completions"


# Each contender is a module text with main(auth); ours is the script itself.
CONTENDERS = {
    "empty step": "def main(auth): return None",
    "http.client": """
import http.client, json, ssl
from urllib.parse import urlsplit
kept = {}
def main(auth):
    url = urlsplit(auth["base_url"])
    if "connection" not in kept:
        if url.scheme == "https":
            context = ssl.create_default_context()
            connection = http.client.HTTPSConnection(url.netloc, context=context)
        else:
            connection = http.client.HTTPConnection(url.netloc)
        kept["connection"] = connection
    connection = kept["connection"]
    headers = {"Authorization": "Bearer " + auth["api_key"]}
    headers["Content-Type"] = "application/json"
    connection.request("POST", PATH, json.dumps(BODY), headers)
    return json.loads(connection.getresponse().read())
""",
    "urllib3": """
import json, ssl, urllib3
pool = urllib3.PoolManager(ssl_context=ssl.create_default_context())
def main(auth):
    headers = {"Authorization": "Bearer " + auth["api_key"]}
    headers["Content-Type"] = "application/json"
    url = auth["base_url"] + PATH
    answer = pool.request("POST", url, body=json.dumps(BODY), headers=headers)
    return json.loads(answer.data)
""",
    "requests.post": """
import requests
def main(auth):
    headers = {"Authorization": "Bearer " + auth["api_key"]}
    url = auth["base_url"] + PATH
    return requests.post(url, json=BODY, headers=headers, timeout=60).json()
""",
    "requests.Session": """
import requests
session = requests.Session()
def main(auth):
    headers = {"Authorization": "Bearer " + auth["api_key"]}
    url = auth["base_url"] + PATH
    return session.post(url, json=BODY, headers=headers, timeout=60).json()
""",
    "sdk": """
import together
kept = {}
def main(auth):
    if "client" not in kept:
        kept["client"] = together.Together(**auth)
    return kept["client"].chat.completions.create(**BODY).model_dump()
""",
}
WARM = ("ours", "requests.post", "requests.Session", "http.client", "sdk")

DRIVER = """
import importlib, json, resource, sys, time
sys.path.insert(0, ".")
main = importlib.import_module({module!r}).main
auth = json.load(open("args.json"))["auth"]
arguments = {{"body": {body!r}}} if {ours!r} else {{}}
main(auth, **arguments)
for line in sys.stdin:
    count = int(line)
    cpu = time.process_time()
    started = time.perf_counter()
    for _ in range(count):
        main(auth, **arguments)
    seconds = time.perf_counter() - started
    print(json.dumps([seconds, time.process_time() - cpu]), flush=True)
"""

STREAM_DRIVERS = {
    "ours": """
from f.togetherai.chat.create_chat_completion import main
def read(auth):
    main(auth, {**BODY, "stream": True})
""",
    "requests iter_lines": """
import json, requests
session = requests.Session()
def read(auth):
    headers = {"Authorization": "Bearer " + auth["api_key"]}
    answer = session.post(auth["base_url"] + PATH, json={**BODY, "stream": True},
                          headers=headers, stream=True)
    for line in answer.iter_lines():
        if line.startswith(b"data: {"):
            print(json.loads(line[6:])["choices"][0]["delta"]["content"], flush=True)
""",
    "sdk": """
import together
kept = {}
def read(auth):
    if "client" not in kept:
        kept["client"] = together.Together(**auth)
    for chunk in kept["client"].chat.completions.create(**BODY, stream=True):
        print(chunk.choices[0].delta.content, flush=True)
""",
}


class Server:
    """A server that answers everything at once, in a thread of its own.

    One canned answer, or a burst of events when the body says "stream":true.
    """

    def __init__(
        self, certificate: Path | None, protocol: Callable | None = None
    ) -> None:
        self.protocol = protocol or Canned
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate)
        self.scheme = "https" if certificate else "http"

    async def serve(self) -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            self.protocol, "127.0.0.1", 0, ssl=self.context
        )
        port = server.sockets[0].getsockname()[1]
        print(f"{self.scheme}://127.0.0.1:{port}", flush=True)
        await server.serve_forever()


def _stream() -> bytes:
    chunk = {
        "id": "bench",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "delta": {"role": "assistant", "content": "word "}}],
    }
    event = f"data: {json.dumps(chunk)}\n\n".encode()
    events = b"%x\r\n%s\r\n" % (len(event), event)
    end = b"data: [DONE]\n\n"
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
    head += b"transfer-encoding: chunked\r\n\r\n"
    return head + events * EVENTS + b"%x\r\n%s\r\n0\r\n\r\n" % (len(end), end)


def answer(body: bytes) -> bytes:
    """An answer of status 200."""
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
    return head + b"content-length: %d\r\n\r\n" % len(body) + body


class Canned(asyncio.Protocol):
    """Answers each request at once."""

    whole = answer(ANSWER)
    events = _stream()

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        self.rest = b""

    def data_received(self, data: bytes) -> None:
        self.rest += data
        while b"\r\n\r\n" in self.rest:
            head, _, body = self.rest.partition(b"\r\n\r\n")
            _, found, after = head.lower().partition(b"content-length:")
            length = int(after.split(b"\r\n")[0]) if found else 0
            if len(body) < length:
                return
            asked, self.rest = body[:length], body[length:]
            streaming = b'"stream":true' in asked.replace(b" ", b"")
            self.transport.write(self.events if streaming else self.whole)


@contextlib.contextmanager
def served(
    secure: bool, module: str = "tools.bench.bench", *more: str
) -> Iterator[tuple[dict, dict]]:
    """A server process; yields the resource and the environment that trusts it."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        authority = trustme.CA()
        pem = place / "server.pem"
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(
            pem
        )
        # The trust store of everyday life, and our authority in it: loading it is a
        # part of what a contender costs.
        bundle = place / "bundle.pem"
        bundle.write_bytes(
            Path(certifi.where()).read_bytes() + authority.cert_pem.bytes()
        )
        hashed = place / "certs"
        hashed.mkdir()
        (hashed / "ca.pem").write_bytes(authority.cert_pem.bytes())
        subprocess.run(["openssl", "rehash", hashed], check=True, capture_output=True)
        words = [sys.executable, "-m", module, str(pem) if secure else "", *more]
        with subprocess.Popen(
            words, cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                url = process.stdout.readline().strip()
                trust = {
                    "SSL_CERT_DIR": str(hashed),
                    "CURL_CA_BUNDLE": str(bundle),
                    "REQUESTS_CA_BUNDLE": str(bundle),
                    "SSL_CERT_FILE": str(bundle),
                }
                yield {"api_key": "bench", "base_url": url}, trust
            finally:
                process.kill()


def environment(contender: str, trust: dict) -> dict:
    """Ours reads the system's directory of certificates as it does in Windmill's image;
    the others read the bundle that certifi ships, as they do everywhere."""
    bundles = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")
    own = ("SSL_CERT_DIR",) if contender == "ours" else bundles
    # Packages keep their bytecode, whatever this process was told of its own.
    strange = {*bundles, "SSL_CERT_DIR", "PYTHONDONTWRITEBYTECODE"}
    clean = {
        name: value
        for name, value in os.environ.items()
        if name not in strange and not name.lower().endswith("_proxy")
    }
    return {**clean, **{name: trust[name] for name in own}}


def lay_out(job: Path, contender: str, auth: dict) -> str:
    """Make a job directory for a contender; return its module."""
    prepare(job, "chat/create_chat_completion", {"auth": auth, "body": BODY})
    if contender == "ours":
        return "f.togetherai.chat.create_chat_completion"
    module = job / "f" / "togetherai" / "contender.py"
    constants = f"PATH, BODY = {PATH!r}, {BODY!r}\n"
    module.write_text(constants + CONTENDERS[contender])
    wrapper = (job / "wrapper.py").read_text()
    old = "f.togetherai.chat.create_chat_completion"
    (job / "wrapper.py").write_text(wrapper.replace(old, "f.togetherai.contender"))
    return "f.togetherai.contender"


def _cold(rounds: int) -> list[Row]:
    from tools.bench.bench_cold import cold_step

    return cold_step(rounds)


def warm_call(rounds: int, secure: bool = True) -> list[Row]:
    """One process per contender; main is called again and again."""
    workload = "warm call" if secure else "warm call (http)"
    count = 200
    speeds: dict[str, list] = {name: [] for name in WARM}
    with served(secure) as (auth, trust), tempfile.TemporaryDirectory() as folder:
        processes = {}
        for name in WARM:
            job = Path(folder) / name
            job.mkdir()
            module = lay_out(job, name, auth)
            driver = DRIVER.format(module=module, body=BODY, ours=name == "ours")
            (job / "driver.py").write_text(driver)
            processes[name] = _driven(job, environment(name, trust))
        for _ in range(rounds):
            for name, process in processes.items():
                seconds, cpu = _ask(process, 20 if name == "requests.post" else count)
                calls = 20 if name == "requests.post" else count
                speeds[name].append((calls / seconds, cpu / calls))
        for process in processes.values():
            process.stdin.close()
            process.wait()
    return [
        Row(
            workload,
            name,
            calls_per_second=median(found, 0),
            cpu_seconds=median(found, 1),
        )
        for name, found in speeds.items()
    ]


def stream_events(rounds: int) -> list[Row]:
    """A burst of 5,000 small events over HTTPS; cpu_seconds are of one event."""
    costs: dict[str, list] = {name: [] for name in STREAM_DRIVERS}
    with served(secure=True) as (auth, trust), tempfile.TemporaryDirectory() as folder:
        processes = {}
        for name, text in STREAM_DRIVERS.items():
            job = Path(folder) / name
            job.mkdir()
            prepare(job, "chat/create_chat_completion", {"auth": auth})
            (job / "reader.py").write_text(f"PATH, BODY = {PATH!r}, {BODY!r}\n{text}")
            driver = DRIVER.format(module="reader", body=BODY, ours=False)
            driver = driver.replace(".main", ".read").replace(
                "print(json.dumps(", "print('MEASURED', json.dumps("
            )
            (job / "driver.py").write_text(driver)
            processes[name] = _driven(job, environment(name, trust))
        for _ in range(rounds):
            for name, process in processes.items():
                seconds, cpu = _ask(process, 1, "MEASURED ")
                costs[name].append((seconds, cpu / EVENTS))
        for process in processes.values():
            process.stdin.close()
            process.wait()
    return [
        Row("stream", name, seconds=median(found, 0), cpu_seconds=median(found, 1))
        for name, found in costs.items()
    ]


def _driven(job: Path, env: dict) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-u", "driver.py"],
        cwd=job,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def _ask(process: subprocess.Popen, count: int, mark: str = "[") -> tuple[float, float]:
    threading.Thread(target=_write, args=(process, f"{count}\n")).start()
    for line in process.stdout:
        if line.startswith(mark):
            return tuple(json.loads(line.removeprefix(mark if mark != "[" else "")))
    raise OSError("a contender ended before it answered")


def _write(process: subprocess.Popen, text: str) -> None:
    process.stdin.write(text)
    process.stdin.flush()


def median(found: list[tuple], position: int) -> float:
    return statistics.median(row[position] for row in found)


def _transfer(rounds: int) -> list[Row]:
    from tools.bench.bench_transfer import transfer

    return transfer(rounds)


def _rows(rounds: int) -> list[Row]:
    from tools.bench.bench_rows import rows_at_once

    return rows_at_once("rows", rounds, rows=1000, at_once=64, latency=0.1)


def _many_rows(rounds: int) -> list[Row]:
    from tools.bench.bench_rows import rows_at_once

    return rows_at_once("many rows", rounds, rows=5000, at_once=256, latency=0.1)


def _large_table(rounds: int, rows: int = 100_000) -> list[Row]:
    from tools.bench.bench_rows import large_table

    return large_table(rounds, rows)


def _words(rounds: int) -> list[Row]:
    from tools.bench.bench_words import words

    return words(rounds)


def _hits(rounds: int) -> list[Row]:
    from tools.bench.hit_rates import hits

    return hits(rounds)


def _batches(rounds: int, rows: int = 1_000_000) -> list[Row]:
    from tools.bench.bench_batches import batches

    return batches(rows)


def _growth(rounds: int) -> list[Row]:
    from tools.bench.bench_growth import growth

    return growth(rounds)


WORKLOADS: dict[str, tuple[Callable, int]] = {
    "cold step": (_cold, 25),
    "warm call": (warm_call, 15),
    "warm call (http)": (lambda rounds: warm_call(rounds, secure=False), 15),
    "stream": (stream_events, 7),
    "transfer": (_transfer, 5),
    "rows": (_rows, 3),
    "many rows": (_many_rows, 1),
    "large table": (_large_table, 1),
    "words": (_words, 3),
    "hits": (_hits, 1),
    "batches": (_batches, 1),
    "growth": (_growth, 2),
}


SIZED = ("large table", "batches")  # may be given a number of rows


def report(
    workload: str | None,
    *,
    as_json: bool = False,
    keep: bool = False,
    rounds: int | None = None,
    size: int | None = None,
) -> int:
    """Run one workload, or all; print rows of JSON, or a table with ratios. keep writes
    them down, and says what has become worse. size is the number of rows of a workload
    that may be given one."""
    if workload and workload not in WORKLOADS:
        names = ", ".join(WORKLOADS)
        raise ValueError(f"no workload {workload!r}; there are: {names}")
    if size and workload not in SIZED:
        raise ValueError(f"--rows is for one workload of these: {', '.join(SIZED)}")
    if size and keep:
        raise ValueError("--write keeps figures of the usual size: leave --rows out")
    rows = []
    for name, (measure, usual) in WORKLOADS.items():
        if workload in (None, name):
            rows += measure(rounds or usual, *([size] if size else ()))
    if as_json:
        print(json.dumps([asdict(row) for row in rows], indent=1))
    else:
        print(table(rows))
    for line in write(rows) if keep else ():
        say(f"worse than when it was last written: {line}")
    return 0


def table(rows: list[Row]) -> str:
    """Rows as text, each measure beside its share (see record.py)."""
    lines = []
    for name in dict.fromkeys(row.workload for row in rows):
        found = [row for row in rows if row.workload == name]
        if name == "cold step":
            lines += _beside_requests(found)
            continue
        if found[0].share is not None:
            lines += [name, *(f"  {row.contender:20} {row.share:.0%}" for row in found)]
            continue
        lines.append(
            f"{name:22} {'median':>14} {'ours is':>9} {'CPU':>12} {'ours is':>9}"
        )
        parts = dict(shares(found))
        for row in found:
            if row.seconds is not None:
                measure, shown = "seconds", f"{row.seconds * 1000:.1f} ms"
            else:
                measure = "calls_per_second"
                shown = f"{row.calls_per_second:.0f} calls/s"
            share = _times(parts.get((row.contender, measure)))
            cpu = f"{row.cpu_seconds * 1e6:.0f} us"
            cpus = _times(parts.get((row.contender, "cpu_seconds")))
            line = f"  {row.contender:20} {shown:>14} {share:>9} {cpu:>12} {cpus:>9}"
            if row.peak_mib is not None:
                line += f" {row.peak_mib:6.0f} MiB"
            lines.append(line)
    return "\n".join(lines)


def _times(share: float | None) -> str:
    """A share as a cell; empty of ours, which stands beside itself."""
    return "" if share is None else f"{share:.2f}x"


def _beside_requests(rows: list[Row]) -> list[str]:
    """Rows of several of our steps, each measure beside that of one requests.post."""
    parts = dict(shares(rows))
    lines = [f"{'cold step':28} {'median':>9} {'of bare':>8} {'CPU':>9} {'of bare':>8}"]
    lines[0] += f" {'modules':>8}"
    for row in rows:
        wall, cpu = row.seconds * 1000, row.cpu_seconds * 1000
        share = _times(parts.get((row.contender, "seconds")))
        cpus = _times(parts.get((row.contender, "cpu_seconds")))
        lines.append(
            f"  {row.contender:26} {wall:6.1f} ms {share:>8} {cpu:6.1f} ms {cpus:>8}"
            f" {row.modules or 0:8d}"
        )
    return lines


if __name__ == "__main__":
    asyncio.run(Server(Path(sys.argv[1]) if sys.argv[1] else None).serve())
