"""The workload "cold step": a new process for one job, as a worker runs it.

Ours fetch their modules one by one from a server beside the service, which answers at
once or after 5 ms; scripts and modules are compiled anew in every job, while packages
keep their bytecode. The others do one chat call and have no module to fetch.
"""

import asyncio
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

from tools.bench import bench
from tools.bench.record import Row
from tools.local.job_runner import prepare
from tools.operations import ROOT
from tools.tree.flatten import module_names, module_text

FETCHES = {"fetched": 0.0, "fetched, 5 ms": 0.005}
BESIDE = ("empty step", "http.client", "urllib3", "requests.post", "sdk")
CUSTOM_ID = "0-bench"
ANSWERED = {
    "custom_id": CUSTOM_ID,
    "response": {"status_code": 200, "body": json.loads(bench.ANSWER)},
}
BATCH = {
    "id": "bench",
    "status": "COMPLETED",
    "model_id": "m",
    "input_file_id": "file-input",
    "output_file_id": "file-output",
}
STEPS = {
    "chat": ("chat/create_chat_completion", {"body": bench.BODY}),
    "list_files": ("files/list_files", {}),
    "map_rows": (
        "chat/map_rows",
        {"model": "m", "template": "{{text}}", "rows": [{"text": "Hi"}]},
    ),
    "collect_rows": ("batches/collect_rows", {"batch_id": "bench"}),
}


ANSWERS = {
    b"/v1/files": {"data": []},
    b"/v1/batches/bench": BATCH,
    b"/v1/files/file-input/content": {"custom_id": CUSTOM_ID},
    b"/v1/files/file-output/content": ANSWERED,
    b"/v2/supported-models": bench.MODELS,
}


class Service(bench.Canned):
    """What the steps ask the API for, answered at once."""

    def data_received(self, data: bytes) -> None:
        if self.rest or not data.startswith(b"GET "):
            super().data_received(data)
            return
        path = data.split(b" ", 2)[1].partition(b"?")[0]
        self.transport.write(bench.answer(json.dumps(ANSWERS[path]).encode()))


class Modules(asyncio.Protocol):
    """The modules of the pack, as Windmill's server hands them out."""

    def __init__(self, seconds: float, texts: dict[str, bytes]) -> None:
        self.seconds, self.texts = seconds, texts

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        path = data.split(b" ", 2)[1].decode().partition(".py?")[0]
        text = self.texts.get(path.rpartition("/")[2], b"WINDMILL_IS_FOLDER")
        loop = asyncio.get_running_loop()
        loop.call_later(self.seconds, self.transport.write, bench.answer(text))


def cold_step(rounds: int) -> list[Row]:
    """Medians of wall and CPU seconds of a job, each contender in every round."""
    times: dict[str, list] = {}
    with (
        bench.served(secure=True, module="tools.bench.bench_cold") as (auth, trust),
        bench.served(False, "tools.bench.bench_cold", "0") as (soon, _),
        bench.served(False, "tools.bench.bench_cold", "0.005") as (late, _),
        tempfile.TemporaryDirectory() as folder,
    ):
        servers = dict(zip(FETCHES, (soon["base_url"], late["base_url"]), strict=True))
        jobs = {}
        for name in BESIDE:
            jobs[name] = _job(Path(folder), name)
            bench.lay_out(jobs[name], name, auth)
        for step, (script, arguments) in STEPS.items():
            for how in ("not fetched", *FETCHES):
                name = f"{step}, {how}"
                jobs[name] = _job(Path(folder), name)
                given = {"auth": auth, **arguments}
                prepare(jobs[name], script, given, fetch=how in servers)
        for number in range(rounds + 1):
            for name, job in jobs.items():
                server = servers.get(name.partition(", ")[2], "http://127.0.0.1:9")
                windmill = {
                    "BASE_INTERNAL_URL": server,
                    "WM_WORKSPACE": "bench",
                    "WM_TOKEN": "bench" if server in servers.values() else "",
                }
                contender = name if name in BESIDE else "ours"
                env = {**bench.environment(contender, trust), "PYTHONPATH": str(job)}
                measured = run_job(job, {**env, **windmill})
                if number:  # the first round fills the packages' bytecode
                    times.setdefault(name, []).append(measured)
    return [
        Row(
            "cold step",
            name,
            seconds=bench.median(found, 0),
            cpu_seconds=bench.median(found, 1),
            modules=found[0][2],
        )
        for name, found in times.items()
    ]


def _job(folder: Path, name: str) -> Path:
    job = folder / name
    job.mkdir()
    return job


def run_job(job: Path, env: dict) -> tuple[float, float, int]:
    """Run a job; return its wall and CPU seconds, and how many modules it fetched. It
    leaves nothing compiled."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-u", "-m", "wrapper"], cwd=job, env=env, capture_output=True
    )
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        told = (job / "result.json").read_text()
        raise OSError(f"{job.name} failed: {told}\n{done.stderr.decode()[-2000:]}")
    modules = sum(1 for _ in (job / "tmp").rglob("*.py"))
    for place in [*job.rglob("__pycache__"), job / "tmp"]:
        shutil.rmtree(place, ignore_errors=True)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, cpu, modules


if __name__ == "__main__":
    certificate, *words = sys.argv[1:]
    if words:
        texts = {name: module_text(ROOT, name).encode() for name in module_names(ROOT)}
        modules = partial(Modules, float(words[0]), texts)
        asyncio.run(bench.Server(None, modules).serve())
    asyncio.run(bench.Server(Path(certificate), Service).serve())
