"""Tables and files across the workers: each answered once, in order; what a second run
beside the first does, and what a cancelled one leaves; and, where a command that kills
a worker is named, what its death costs.

LIVE_ROWS     rows of the table, 400 without
LIVE_SECONDS  how long a flow may take, 120 without
LIVE_KILL     a command that kills a worker and starts it again, run once a third of the
              rows were asked; without it that check is skipped
"""

import json
import os
import secrets
import subprocess
import time
from collections import Counter
from itertools import islice

from tools.live.checks import SkippedError, Subject, expect
from tools.live.stage import PATIENCE, Stage
from tools.models import model

FLOW = "map_rows_across_workers"
FILES_FLOW = "map_files_across_workers"
FILES = 6
ROWS = int(os.environ.get("LIVE_ROWS", "400"))
SECONDS = float(os.environ.get("LIVE_SECONDS", PATIENCE))
KILL = os.environ.get("LIVE_KILL")
PARALLEL = 4
BETWEEN_STEPS = "hanging in between"  # Windmill's words for why it ended a flow
AGAIN = 0.05  # of the rows, that may be asked again where a worker dies


class Asked:
    """A table at an address of the sandbox, and how often each row was asked about."""

    def __init__(self, stage: Stage, rows: int) -> None:
        self.stage = stage
        self.mark = secrets.token_hex(4)
        self.texts = [f"{number} of {self.mark}" for number in range(rows)]
        lines = "".join(json.dumps({"text": text}) + "\n" for text in self.texts)
        path = f"/sandbox/objects/{self.mark}.jsonl"
        stage.sandbox.objects[path] = "application/x-ndjson", lines.encode()
        self.url = stage.sandbox.url + path
        self.begin = self.seen = len(stage.sandbox.requests)
        self.times: Counter[str] = Counter()

    def arguments(self, **more: object) -> dict:
        rows = len(self.texts)
        words = {"model": model("chat"), "template": "{{text}}", "output": "table"}
        words |= {"rows": {"url": self.url}, "part_rows": max(50, rows // 100)}
        return {**words, "parallelism": PARALLEL, "concurrency": 8, **more}

    def count(self) -> int:
        """How many requests there were about its rows."""
        new = list(islice(self.stage.sandbox.requests, self.seen, None))
        self.seen += len(new)
        for request in new:
            if request.path.endswith("/chat/completions"):
                text = request.json["messages"][-1]["content"]
                self.times[text] += text.endswith(self.mark)
        return self.times.total()

    def check(self, rows: object) -> None:
        """See that each row is there once, in order, with its own answer."""
        expect(isinstance(rows, list), f"there are no rows in {str(rows)[:300]}")
        expect(
            [row["text"] for row in rows] == self.texts,
            f"{len(rows)} rows came back of {len(self.texts)}, or in another order",
        )
        wrong = [row for row in rows if row["text"] not in (row["answer"] or "")]
        expect(not wrong, f"{len(wrong)} answers are missing or of others: {wrong[:3]}")

    def again(self) -> int:
        """How many requests were about a row that had been asked before."""
        self.count()
        return sum(times - 1 for times in self.times.values() if times > 1)


def each_row_is_answered_once_on_several_workers(stage: Stage) -> dict:
    table = Asked(stage, ROWS)
    began = time.monotonic()
    job = stage.start_flow(FLOW, **table.arguments())
    table.check(stage.wait(job, FLOW, SECONDS).succeeded())
    seconds = time.monotonic() - began
    expect(table.again() == 0, f"{table.again()} requests were about a row once more")
    parts = [one["id"] for one in stage.jobs(job) if _is_part(stage, one)]
    looked = [stage.api.get(f"jobs_u/get/{part}") for part in parts]
    workers = {one.get("worker") for one in looked}
    expect(len(workers) > 1, f"only {workers} worked, at {len(parts)} parts")
    said = f"{ROWS} rows on {len(workers)} workers in {seconds:.0f} s, each asked once"
    return {"said": said, "rows": ROWS, "seconds": round(seconds, 1)}


def _is_part(stage: Stage, job: dict) -> bool:
    return job.get("script_path") == stage.script("chat/map_rows")


def a_second_run_is_refused_while_one_is_at_work(stage: Stage) -> str:
    table = Asked(stage, ROWS)
    given = table.arguments(concurrency=2)
    job = stage.start_flow(FLOW, **given)
    stage.until("the first rows are asked", table.count, SECONDS)
    other = stage.run_flow(FLOW, **{**given, "part_rows": 7})
    first = stage.wait(job, FLOW, SECONDS)
    words = str(other.error.get("message"))
    expect(not other.success and job in words, f"it was not refused: {words}")
    table.check(first.succeeded())
    expect(table.again() == 0, f"{table.again()} requests were about a row once more")
    return words


def files_are_done_a_job_each(stage: Stage) -> str:
    mark = secrets.token_hex(4)
    addresses = []
    for number in range(FILES):
        path = f"/sandbox/objects/{mark}_{number}.txt"
        stage.sandbox.objects[path] = "text/plain", f"letter {number}".encode()
        addresses.append(stage.sandbox.url + path)
    before = len(stage.sandbox.requests)
    given = {"action": "ask", "question": f"Who wrote {mark}?", "model": model("chat")}
    given |= {"files": addresses, "parallelism": PARALLEL, "output": "table"}
    found = stage.wait(stage.start_flow(FILES_FLOW, **given), FILES_FLOW, SECONDS)
    rows = found.succeeded()
    wrong = [
        row
        for number, row in enumerate(rows)
        if not str(row["answer"]).endswith(f"letter {number}")
    ]
    expect(len(rows) == FILES and not wrong, f"of {len(rows)} rows wrong: {wrong[:3]}")
    asked = [
        request
        for request in islice(stage.sandbox.requests, before, None)
        if request.path.endswith("/chat/completions") and mark in str(request.json)
    ]
    expect(len(asked) == FILES, f"{len(asked)} questions were asked of {FILES} files")
    return f"{FILES} documents at addresses, each asked about once"


def a_compressed_table_needs_storage(stage: Stage) -> str:
    table = Asked(stage, 20)
    done = stage.run_flow(FLOW, **table.arguments(output="gzip"))
    if stage.storage:
        name = str(done.succeeded().get("s3"))
        expect(name.endswith(".gz"), f"it went to {name}")
        return f"20 rows in {name}"
    words = str(done.error.get("message"))
    expect(not done.success and "storage" in words, f"it said: {words}")
    return words


def a_cancelled_flow_stops_and_a_rerun_asks_the_rest(stage: Stage) -> str:
    table = Asked(stage, ROWS)
    given = table.arguments(part_rows=max(1, ROWS // 40), concurrency=2)
    job = stage.start_flow(FLOW, **given)
    enough = ROWS // 4
    stage.until("a quarter is asked", lambda: table.count() >= enough, SECONDS)
    stage.api.post(f"jobs_u/queue/cancel/{job}", {"reason": "no longer wanted"})
    stage.wait(job, FLOW)
    before = -1
    until = time.monotonic() + 60
    while (now := table.count()) != before and time.monotonic() < until:
        before = now
        stage.pause(5)
    expect(now == before, "the flow was cancelled, and its jobs go on asking")
    left = stage.start_flow(FLOW, **given)
    table.check(stage.wait(left, FLOW, SECONDS).succeeded())
    again = table.again()
    expect(table.times.total() < ROWS + now, "the rerun asked every row once more")
    return f"{now} of {ROWS} rows were asked before it; the rerun asked {again} again"


def a_worker_that_dies_loses_nothing(stage: Stage) -> dict:
    if not KILL:
        raise SkippedError("LIVE_KILL names no command that kills a worker")
    table = Asked(stage, ROWS)
    began = time.monotonic()
    job = stage.start_flow(FLOW, **table.arguments())
    stage.until("a third is asked", lambda: table.count() >= ROWS // 3, SECONDS)
    subprocess.run(KILL, shell=True, check=True)
    ended = stage.wait(job, FLOW, SECONDS)
    runs = 1
    if not ended.success and BETWEEN_STEPS in str(ended.error.get("message")):
        # Windmill ends a flow that the worker was about to move on to its next step.
        ended = stage.wait(stage.start_flow(FLOW, **table.arguments()), FLOW, SECONDS)
        runs = 2
    table.check(ended.succeeded())
    seconds = time.monotonic() - began
    again = table.again()
    expect(again <= AGAIN * ROWS, f"{again} of {ROWS} rows were asked again")
    said = f"{ROWS} rows in {seconds:.0f} s, {again} asked again, none lost"
    if runs > 1:
        said += "; Windmill ended the flow between two steps, and it was run again"
    return {
        "said": said,
        "rows": ROWS,
        "seconds": round(seconds, 1),
        "again": again,
        "runs": runs,
    }


SUBJECT = Subject(
    "across",
    (
        each_row_is_answered_once_on_several_workers,
        a_second_run_is_refused_while_one_is_at_work,
        files_are_done_a_job_each,
        a_compressed_table_needs_storage,
        a_cancelled_flow_stops_and_a_rerun_asks_the_rest,
        a_worker_that_dies_loses_nothing,
    ),
)
