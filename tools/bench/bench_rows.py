"""The workloads of rows: many calls at once, against a service that takes its time.

1,000 rows, 64 at a time, or 5,000, 256 at a time, over HTTPS, each answer 100 ms after
its request. Every contender runs in a fresh process, as a job does; what is measured
begins with its first connection. The ideal is the latency alone: rows x latency /
concurrency.

And a large table, 8 rows at a time, answered at once: a job of ours, its rows and its
answers in storage, beside what `./dev simulate` says of it.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from types import SimpleNamespace

from tools.bench import bench, bench_batches, simulate
from tools.bench.record import Row
from tools.local.fake_workspace import Workspace
from tools.local.job_runner import prepare

CONTENDERS = {
    "ours": """
from f.togetherai.chat.map_rows import main
def run(auth, rows):
    result = main(auth, "{{text}}", rows, "m", concurrency=AT_ONCE)
    return [row["answer"] for row in result["rows"]]
""",
    "requests.Session": """
import requests
from concurrent.futures import ThreadPoolExecutor
def run(auth, rows):
    session = requests.Session()
    session.mount("https://", requests.adapters.HTTPAdapter(pool_maxsize=AT_ONCE))
    headers = {"Authorization": "Bearer " + auth["api_key"]}
    url = auth["base_url"] + PATH
    def ask(row):
        messages = [{"role": "user", "content": row["text"]}]
        body = {"model": "m", "messages": messages}
        answer = session.post(url, json=body, headers=headers, timeout=60).json()
        return answer["choices"][0]["message"]["content"]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(ask, rows))
""",
    "AsyncTogether": """
import asyncio, together
def run(auth, rows):
    async def all_of_them():
        places = asyncio.Semaphore(AT_ONCE)
        async with together.AsyncTogether(**auth) as client:
            async def ask(row):
                messages = [{"role": "user", "content": row["text"]}]
                async with places:
                    answer = await client.chat.completions.create(
                        model="m", messages=messages)
                return answer.choices[0].message.content
            return await asyncio.gather(*map(ask, rows))
    return asyncio.run(all_of_them())
""",
}
DRIVER = """
import json, sys, time
sys.path.insert(0, ".")
from contender import run
auth = json.load(open("args.json"))["auth"]
rows = [{{"text": f"row {{n}}"}} for n in range({rows})]
def peak():
    lines = open("/proc/self/status").read().splitlines()
    return int(next(one for one in lines if one.startswith("VmHWM")).split()[1]) / 1024
idle = peak()
cpu, started = time.process_time(), time.perf_counter()
found = run(auth, rows)
seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
assert found == ["Hi"] * len(rows), found
print(json.dumps([seconds, cpu, peak(), idle]))
"""


class Late(bench.Canned):
    """Answers each request some seconds after it came; knows the price of m."""

    def __init__(self, latency: float) -> None:
        self.latency = latency

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        loop = asyncio.get_running_loop()

        def write(data: bytes) -> None:
            loop.call_later(self.latency, transport.write, data)

        self.transport = SimpleNamespace(write=write)

    def data_received(self, data: bytes) -> None:
        if not self.rest and data.startswith(b"GET "):
            models = json.dumps(bench.MODELS).encode()
            self.transport.write(bench.answer(models))
        else:
            super().data_received(data)


def rows_at_once(
    workload: str, rounds: int, rows: int, at_once: int, latency: float
) -> list[Row]:
    """Medians of wall and CPU seconds and of memory for all rows, and the ideal."""
    costs: dict[str, list] = {name: [] for name in CONTENDERS}
    secured = bench.served(True, "tools.bench.bench_rows", str(latency))
    with secured as (auth, trust), tempfile.TemporaryDirectory() as folder:
        for name in CONTENDERS:
            job = Path(folder) / name
            prepare(job, "chat/map_rows", {"auth": auth})
            constants = f"PATH, AT_ONCE = {bench.PATH!r}, {at_once}\n"
            (job / "contender.py").write_text(constants + CONTENDERS[name])
            (job / "driver.py").write_text(DRIVER.format(rows=rows))
        for _ in range(rounds):
            for name, found in costs.items():
                done = subprocess.run(
                    [sys.executable, "-u", "driver.py"],
                    cwd=Path(folder) / name,
                    env=bench.environment(name, trust),
                    capture_output=True,
                    text=True,
                )
                if done.returncode:
                    raise OSError(f"{name} failed: {done.stderr[-2000:]}")
                found.append(tuple(json.loads(done.stdout)))
    measured = [
        Row(
            workload,
            name,
            seconds=bench.median(found, 0),
            calls_per_second=rows / bench.median(found, 0),
            cpu_seconds=bench.median(found, 1),
            peak_mib=bench.median(found, 2),
            idle_mib=bench.median(found, 3),
        )
        for name, found in costs.items()
    ]
    ideal = rows * latency / at_once
    return [*measured, Row(workload, "ideal", ideal, rows / ideal, 0.0)]


def large_table(rounds: int, rows: int) -> list[Row]:
    """Medians of a job, and what is said of it. Raises OSError where it fails."""
    found = []
    secured = bench.served(True, "tools.bench.bench_rows", "0")
    with secured as (auth, trust), Workspace() as workspace:
        workspace.put("in/rows.jsonl", bench_batches.table_of(rows))
        given = {"auth": auth, "template": "{{text}}", "model": "m"}
        given |= {"rows": {"s3": "in/rows.jsonl"}, "output": "storage"}
        around = bench.environment("ours", trust)
        for _ in range(rounds):
            cost, result = bench_batches.measured_job(
                "chat/map_rows", given, workspace, around
            )
            if result["done"] != rows:
                raise OSError(f"{result['done']} of {rows} rows were answered")
            found.append((cost.seconds, cost.cpu, cost.peak))
    seconds = bench.median(found, 0)
    said = simulate.map_rows(simulate.Task(rows, rate=None, latency=0.0)).seconds
    cpu = rows * simulate.measured()["map_row_seconds"]
    return [
        Row(
            "large table",
            "ours",
            seconds=seconds,
            calls_per_second=rows / seconds,
            cpu_seconds=bench.median(found, 1),
            peak_mib=bench.median(found, 2),
        ),
        Row("large table", "./dev simulate", said, rows / said, cpu),
    ]


if __name__ == "__main__":
    late = partial(Late, float(sys.argv[2]))
    asyncio.run(bench.Server(Path(sys.argv[1]), late).serve())
