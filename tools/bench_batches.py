"""A million rows through batches: split into input files, and collected again.

The sandbox answers; a job of ours runs in a process of its own, as a worker starts it,
and reads its table from the stand-in for a workspace's storage. Seconds are those of
the whole job, with the uploads and downloads over loopback; the peak is its largest
memory.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tools import bench
from tools.fake_workspace import Workspace
from tools.job_runner import prepare
from tools.sandbox import Sandbox

ROWS = 1_000_000
TEMPLATE = "Is this a complaint? {{text}}"


def batches(rows: int = ROWS) -> list[bench.Row]:
    """submit_rows, then collect_rows with the table given, into storage."""
    with Sandbox(pace=0) as sandbox, Workspace() as workspace:
        sandbox.lives.control({"speed": 0})
        sandbox.answers["create_chat_completion"] = _answer
        workspace.put("in/rows.jsonl", _table(rows))
        auth = {"api_key": "tgp_bench_0123456789", "base_url": sandbox.url}
        table = {"s3": "in/rows.jsonl"}
        given = {"auth": auth, "model": "m", "template": TEMPLATE, "rows": table}
        split, made = measured("batches/submit_rows", given, workspace)
        sandbox.lives.advance(90_000)
        # The sandbox works batches off when they are first looked at: not ours to time.
        for one in made["batch_id"].split(","):
            sandbox.lives["batch"].show(sandbox.lives["batch"].lives[one])
        given = {"auth": auth, "batch_id": made["batch_id"], "rows": table}
        given["output"] = "storage"
        collected, result = measured("batches/collect_rows", given, workspace)
    if result["done"] != rows:
        raise OSError(f"{result['done']} of {rows} rows were answered")
    return [
        bench.Row("batches", name, *found)
        for name, found in (("ours", split), ("ours, collecting", collected))
    ]


def measured(step: str, given: dict, workspace: Workspace) -> tuple[tuple, dict]:
    """Run a step as a job; return (seconds, rows a second of the processor, its
    seconds, MiB) of it, and its result. Raises OSError when it fails."""
    with tempfile.TemporaryDirectory() as folder:
        job = Path(folder)
        prepare(job, step, given)
        with open(job / "log", "wb") as log:
            started = time.perf_counter()
            process = subprocess.Popen(
                [sys.executable, "-u", "wrapper.py"],
                cwd=job,
                env={**os.environ, **workspace.environment},
                stdout=log,
                stderr=log,
            )
            _, status, used = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - started
            process.returncode = os.waitstatus_to_exitcode(status)
        result = json.loads((job / "result.json").read_text())
        if process.returncode:
            raise OSError(f"{step} failed: {result}")
    rows = result.get("rows") if step.endswith("submit_rows") else result["done"]
    cpu = used.ru_utime + used.ru_stime
    return (seconds, rows / cpu, cpu, used.ru_maxrss / 1024), result


def _table(rows: int) -> bytes:
    return b"".join(
        b'{"id": %d, "text": "The parcel number %d came twice, and late."}\n' % (n, n)
        for n in range(rows)
    )


def _answer(arguments: dict) -> dict:
    message = {"role": "assistant", "content": "Yes."}
    return {
        "id": "c",
        "object": "chat.completion",
        "model": arguments["body"]["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 20, "completion_tokens": 2, "total_tokens": 22},
    }
