"""What a table of many rows takes, each way: `./dev simulate --rows 1e9`.

Paper with a test: how many requests, jobs and bytes a way takes follows from the limits
that the code has, each read from its one place; seconds follow from the account's rate,
the workers, and from what was measured on the size of machine that
tools/bench/measured.yaml names. tests/test_simulate.py runs the steps and counts.
Refusals, retries and answers that fail are not in it.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache

import yaml

from scripts.across.cutting import MOST_PARTS, MOST_ROWS
from scripts.across.file_answers import STATE_BYTES
from scripts.checkpoint import (
    LIST_PARTS,
    PART_BYTES,
    PART_ROWS,
    SHARE_ROWS,
    SHARE_SECONDS,
)
from scripts.client.jsonio import RESULT_LIMIT
from scripts.file_steps.file_steps import INLINE_BYTES
from scripts.service_jobs.flow_steps import FIRST, LONGEST
from scripts.service_jobs.job_kinds import KINDS, growing, pause_after
from scripts.upload.service_limits import BATCH_LINES, FILLED_BYTES
from tools.operations import ROOT, find

MEASURED = ROOT / "tools" / "bench" / "measured.yaml"
FLOWS = ROOT / "flows"
ACROSS, FILES = "map_rows_across_workers", "map_files_across_workers"
HOUR, DAY = 3600.0, 86400.0
# Bytes written to Windmill's database by one run, above which a way counts as broken:
# hours of a small server's disk, and the backups of days.
MOST_WRITTEN = 10_000_000_000
LISTS = "database, of what is kept for a rerun"


@cache
def measured() -> dict:
    """The figures of tools/bench/measured.yaml."""
    return yaml.safe_load(MEASURED.read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Task:
    """What is to be done, and with what.

    rows            of a table, or how many files
    rate            requests a second that the account may send, None for no limit
    latency         seconds until an answer
    at_once         calls that a job makes at the same time
    workers         that are free for it
    job_hours       after which Windmill ends a job: by itself after a week
    endpoint_start  seconds until an endpoint of one's own answers
    job_files       files that a job does, one after the other; 0: the form's own
    answer_bytes    of a file's answer or text; 0: those of the bench's answers
    reads           the text is taken out of the files, and no model asked
    """

    rows: int
    rate: float | None = 100.0
    latency: float = 1.0
    at_once: int = 0
    workers: int = 1
    usd_per_row: float = 0.0
    batch_share: float = 0.5
    batch_hours: float = 24.0
    endpoint_rate: float = 50.0
    endpoint_usd_per_hour: float = 0.0
    endpoint_start: float = 300.0
    job_hours: float = 168.0
    storage: bool = True
    job_files: int = 0
    answer_bytes: int = 0
    reads: bool = False

    @property
    def calls(self) -> int:
        """Calls at once of a job: as said, else what the form has."""
        said = find("chat/map_rows").schema["properties"]["concurrency"]["default"]
        return self.at_once or said


@dataclass
class Estimate:
    """What one way takes. `limits` says of each limit with how many rows it is met."""

    way: str
    seconds: float
    bound: str  # what the time is spent for
    requests: int
    jobs: int
    sent_bytes: int
    storage_bytes: int
    usd: float
    limits: dict[str, float] = field(default_factory=dict)
    kept_bytes: int = 0  # written to the database for a rerun to go on by

    @property
    def database_rows(self) -> int:
        """Rows that its jobs leave in Windmill's database."""
        return self.jobs * measured()["database_rows_of_a_job"]

    @property
    def database_bytes(self) -> int:
        """Bytes that it writes there."""
        return self.jobs * measured()["database_bytes_of_a_job"] + self.kept_bytes

    def told(self, rows: int) -> dict:
        """All of it, for JSON."""
        broken = self.first(rows)
        return {
            **vars(self),
            "database_rows": self.database_rows,
            "database_bytes": self.database_bytes,
            "breaks_first": broken and {"limit": broken[0], "rows": round(broken[1])},
        }

    def first(self, rows: int) -> tuple[str, float] | None:
        """(limit, rows) that it meets first, or None where all hold for so many."""
        met = min(self.limits.items(), key=lambda one: one[1], default=None)
        return met if met and met[1] < rows else None


def _line() -> int:
    """Bytes of a row with its answer."""
    return measured()["row_bytes"] + measured()["answer_bytes"]


def _paced(task: Task, jobs: int, rate: float | None) -> tuple[float, str]:
    """(seconds, bound) of one call a row in so many jobs at once."""
    rows, calls = task.rows, task.calls
    found = {
        "answers' time": rows * task.latency / (jobs * calls),
        "worker": rows * measured()["map_row_seconds"] / jobs,
        "rate": rows / rate if rate else 0.0,
    }
    bound = max(found, key=found.__getitem__)
    return found[bound] + measured()["job_seconds"], bound


def _job_limit(task: Task, seconds: float) -> dict[str, float]:
    """How many rows a job gets through before Windmill ends it."""
    return {"job time limit": task.rows * task.job_hours * HOUR / seconds}


def map_rows(task: Task) -> Estimate:
    """One job that asks about each row."""
    seconds, bound = _paced(task, 1, task.rate)
    limits = _job_limit(task, seconds)
    kept = 0
    if task.storage:
        kept = kept_bytes(kept_parts(task.rows))
        limits[LISTS] = _most_kept(rows_kept_at_once())
    else:
        limits["result size"] = RESULT_LIMIT / _line()
    # While it runs the parts that it keeps lie beside what it writes at last.
    stored = 2 * task.rows * _line() if task.storage else 0
    usd = task.rows * task.usd_per_row
    return Estimate(
        "map_rows", seconds, bound, task.rows, 1, 0, stored, usd, limits, kept
    )


def rows_kept_at_once() -> int:
    """How many answered rows make a part that a job keeps for a rerun; fewer where
    answers take their time."""
    return min(PART_ROWS, PART_BYTES // _line())


def kept_parts(rows: int) -> int:
    """How many whole parts a job keeps of the rows that it answered."""
    return rows // rows_kept_at_once()


def kept_bytes(parts: int) -> int:
    """Bytes of the lists of so many parts: the journal is written with every part, and
    has up to LIST_PARTS of them; before the next, these go to a list of their own."""
    full, more = divmod(parts, LIST_PARTS)
    journal = full * _sum_to(LIST_PARTS) + _sum_to(more)
    lists = max(0, parts - 1) // LIST_PARTS * LIST_PARTS
    return (journal + lists) * measured()["kept_part_bytes"]


def _sum_to(count: int) -> int:
    return count * (count + 1) // 2


def _most_kept(at_once: int) -> float:
    """With how many rows the lists come to MOST_WRITTEN."""
    whole = kept_bytes(1000 * LIST_PARTS) / (1000 * LIST_PARTS)
    return MOST_WRITTEN / whole * at_once


def across(task: Task) -> Estimate:
    """Parts of the table in a parallel loop, in the flow map_rows_across_workers."""
    said = _arguments(ACROSS)
    parts, rows = parts_of(task.rows, said["part_rows"]["default"])
    jobs = min(task.workers, parts, said["parallelism"]["maximum"])
    seconds, bound = _paced(task, jobs, task.rate)
    # A table is read to be split, and its answers are written into one; every part
    # waits until a worker has started its job.
    ends = 2 * task.rows * measured()["split_row_seconds"]
    starts = math.ceil(parts / jobs) * measured()["job_seconds"]
    # What a worker that dies would lose is kept after seconds.
    answered = int(task.calls / max(task.latency, 1e-3) * SHARE_SECONDS)
    at_once = max(1, min(SHARE_ROWS, answered))
    kept = parts * kept_bytes(min(rows, task.rows) // at_once)
    limits = _job_limit(task, seconds * jobs / parts)
    stored = 0
    if task.storage:
        stored = 3 * task.rows * _line()  # the slices, what parts keep, the table
        limits[LISTS] = _most_kept(at_once)
    else:
        limits["rows of a table without storage"] = float(MOST_ROWS)
    return Estimate(
        ACROSS,
        seconds + ends + starts,
        bound,
        task.rows,
        jobs_of(parts),
        0,
        stored,
        task.rows * task.usd_per_row,
        limits,
        kept,
    )


def _arguments(flow: str) -> dict:
    """What a flow takes."""
    found = yaml.safe_load((FLOWS / f"{flow}.yaml").read_text(encoding="utf-8"))
    return found["arguments"]["properties"]


def parts_of(rows: int, each: int) -> tuple[int, int]:
    """(parts, rows of a part) of a table that is cut every `each` rows: as soon as
    there are MOST_PARTS, they are joined two and two."""
    while rows // each >= MOST_PARTS:
        each *= 2
    return max(1, math.ceil(rows / each)), each


def jobs_of(parts: int) -> int:
    """Jobs of a flow that cuts, does each part in a loop, and joins: the flow itself,
    the two steps, and for each part its round of the loop, which Windmill makes a flow
    of its own, and the step within."""
    return 3 + 2 * parts


def files(task: Task) -> Estimate:
    """As many files as there are rows, in the flow map_files_across_workers."""
    said = _arguments(FILES)
    parts, _ = parts_of(task.rows, task.job_files or said["job_files"]["default"])
    jobs = min(task.workers, parts, said["parallelism"]["maximum"])
    # A job does its files one after the other.
    one_by_one = replace(task, at_once=1)
    seconds, bound = _paced(one_by_one, jobs, None if task.reads else task.rate)
    starts = math.ceil(parts / jobs) * measured()["job_seconds"]
    limits = _job_limit(task, seconds * jobs / parts)
    row = measured()["row_bytes"]
    answer = task.answer_bytes or measured()["answer_bytes"]
    record = measured()["record_bytes"] + answer
    stored = 0
    kept = measured()["packed_bytes"] + record * measured()["packed_share"]
    if task.storage:
        stored = task.rows * (2 * row + answer)  # the slices, and the table
        if record > STATE_BYTES:
            stored, kept = stored + task.rows * record, measured()["packed_bytes"]
    else:
        limits["a list of files without storage"] = INLINE_BYTES / row
    limits[LISTS] = MOST_WRITTEN / kept
    return Estimate(
        FILES,
        seconds + starts,
        bound,
        0 if task.reads else task.rows,
        jobs_of(parts),
        0,
        stored,
        0.0 if task.reads else task.rows * task.usd_per_row,
        limits,
        round(task.rows * kept),
    )


def rows_of_a_batch() -> int:
    """How many rows one batch takes, by the service's limits."""
    line = measured()["row_bytes"] + measured()["question_bytes"]
    return min(BATCH_LINES, FILLED_BYTES // line)


def looks(seconds: float, pause: Callable[[int], float]) -> int:
    """How often a job is looked at until so many seconds are over."""
    count, waited = 1, 0.0
    while waited < seconds:
        pause_now = pause(count - 1)
        waited += pause_now
        count += 1
        if pause(count) == pause_now:  # it grows no more
            more = max(0, math.ceil((seconds - waited) / pause_now))
            return count + more
    return count


def batch(task: Task) -> Estimate:
    """One batch, in the flow run_batch."""
    found = batches(task)
    limits = {"a batch of the service": float(rows_of_a_batch())}
    return Estimate(**{**vars(found), "way": "one batch", "limits": limits})


def submit_requests(count: int) -> int:
    """Requests of submit_rows that makes so many batches: the list of files, then for
    each its announcement, its bytes, their check, the batch."""
    return 1 + 4 * count


def collect_requests(count: int) -> int:
    """Requests of collect_rows: each batch, its input file's name where there are
    several, its answers."""
    return count * (3 if count > 1 else 2)


def batches(task: Task) -> Estimate:
    """As many batches as the service's limits ask for, in the flow run_batch."""
    count = max(1, math.ceil(task.rows / rows_of_a_batch()))
    waited = task.batch_hours * HOUR
    own = looks(waited, lambda n: pause_after(KINDS["batch"], n))
    ours = task.rows * (
        measured()["split_row_seconds"] + measured()["collect_row_seconds"]
    )
    line = measured()["row_bytes"] + measured()["question_bytes"]
    limits = {
        "batches in a result": RESULT_LIMIT
        / measured()["batch_entry_bytes"]
        * rows_of_a_batch(),
        **_job_limit(task, ours),
    }
    return Estimate(
        "several batches",
        waited + ours,
        "the service's time for batches",
        submit_requests(count) + collect_requests(count) + own * count,
        jobs_of_batches(own, looks_of_guard(waited)),
        task.rows * line,
        task.rows * _line(),
        task.rows * task.usd_per_row * task.batch_share,
        limits,
    )


def waiting_jobs(count: int) -> int:
    """Jobs of a flow that waits for something and looks at it so often: itself, its
    first look and its last step; each other look is a round of a loop, a job of its
    own, and the pause behind it another, save behind the last."""
    return 3 + max(0, 3 * (count - 1) - 1)


def guarding_jobs(count: int) -> int:
    """Jobs of the flow that looks so often at another, whether it goes on."""
    return 1 + 3 * count - 1


def jobs_of_batches(own: int, guard: int) -> int:
    """Jobs of the flow run_batch that looks so often at the batches, and whose guard
    looks so often at it: itself and three steps, what waits, and what guards."""
    return 4 + waiting_jobs(own) + guarding_jobs(guard)


def jobs_of_endpoint(own: int, guard: int) -> int:
    """The same of the flow run_on_endpoint: itself and five steps, the branch with
    map_rows in it, and the step by which the guard stops the endpoint."""
    return 6 + 2 + 1 + waiting_jobs(own) + guarding_jobs(guard)


def looks_of_guard(seconds: float) -> int:
    """How often it looks at a flow of so many seconds."""
    return looks(seconds, lambda n: growing(FIRST, LONGEST, n))


def endpoint(task: Task) -> Estimate:
    """map_rows with a model on hardware of one's own, which no other's limit shares,
    in the flow run_on_endpoint."""
    work, bound = _paced(task, 1, task.endpoint_rate)
    seconds = task.endpoint_start + work
    found = map_rows(task)
    bound = "endpoint" if bound == "rate" else bound
    limits = {**found.limits, **_job_limit(task, work)}
    usd = work / HOUR * task.endpoint_usd_per_hour
    own = looks(task.endpoint_start, lambda n: pause_after(KINDS["deployment"], n))
    jobs = jobs_of_endpoint(own, looks_of_guard(seconds))
    return Estimate(
        "own endpoint",
        seconds,
        bound,
        task.rows,
        jobs,
        0,
        found.storage_bytes,
        usd,
        limits,
        found.kept_bytes,
    )


OF_ROWS: dict[str, Callable[[Task], Estimate]] = {
    "map_rows": map_rows,
    "across": across,
    "batch": batch,
    "batches": batches,
    "endpoint": endpoint,
}
WAYS = {**OF_ROWS, "files": files}


def simulate(task: Task, way: str | None = None) -> list[Estimate]:
    """What each way of a table's rows, or one way, takes. Raises ValueError where there
    is none."""
    if way not in (None, *WAYS):
        raise ValueError(f"no way {way!r}; there are: {', '.join(WAYS)}")
    return [WAYS[name](task) for name in ([way] if way else OF_ROWS)]


def shown(task: Task, found: list[Estimate]) -> Iterator[str]:
    """Lines for a reader."""
    where = f"{measured()['size']}, {measured()['date']}"
    things = "files" if [one.way for one in found] == [FILES] else "rows"
    yield f"{task.rows:,} {things}; measured on {where}"
    for one in found:
        broken = one.first(task.rows)
        yield f"{one.way}: {duration(one.seconds)}, spent for: {one.bound}"
        yield (
            f"  {one.usd:,.2f} USD, {one.requests:,} requests, {one.jobs:,} jobs; "
            f"Windmill's database: {one.database_rows:,} rows, "
            f"{size(one.database_bytes)} written"
        )
        yield (f"  storage {size(one.storage_bytes)}, sent up {size(one.sent_bytes)}")
        if broken:
            yield f"  breaks first: {broken[0]}, with {round(broken[1]):,} {things}"
        else:
            yield "  no limit is met"


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    for unit, length in (("days", DAY), ("h", HOUR), ("min", 60.0)):
        if seconds >= length * 1.5:
            return f"{seconds / length:,.1f} {unit}"
    return f"{seconds:,.1f} s"


def size(count: float) -> str:
    """Bytes as people say them."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:,.0f} {unit}"
        count /= 1000
    return f"{count:,.1f} TB"


SIZES = (10, 1_000, 50_000, 1_000_000, 25_000_000, 1_000_000_000)


def chosen(rows: int) -> Iterator[str]:
    """The cells of a size's row in docs/scale.md."""
    task = Task(rows, rate=100.0, at_once=16, workers=16)
    yield f"{rows:,}"
    for name in ("map_rows", "across", "batches", "endpoint"):
        one = WAYS[name](task)
        broken = one.first(rows)
        if broken:
            yield f"no: {broken[0]}"
        else:
            yield f"{duration(one.seconds)}, {one.jobs:,} job{'s' * (one.jobs > 1)}"


def markdown() -> str:
    """The table of docs/scale.md, which tests/test_simulate.py holds to it."""
    rows = [
        "| rows | `map_rows` | across 16 workers | batches | own endpoint |",
        "|---|---|---|---|---|",
    ]
    rows += [f"| {' | '.join(chosen(count))} |" for count in SIZES]
    return "\n".join(rows)


def rate_of(text: str) -> float | None:
    """Requests a second of 6000/min, 100/s, 360000/h or none. Raises ValueError."""
    if text == "none":
        return None
    number, _, unit = text.partition("/")
    lengths = {"": 1.0, "s": 1.0, "min": 60.0, "h": HOUR}
    if unit not in lengths:
        raise ValueError(f"{text!r} is no rate: give 6000/min, 100/s, 360000/h or none")
    found = float(number) / lengths[unit]
    if not 0 < found < math.inf:
        raise ValueError(f"{text!r} is no rate: it must be more than 0")
    return found
