"""What a table of many rows takes, each way: `./dev simulate --rows 1e9`.

Paper with a test: how many requests, jobs and bytes a way takes follows from the limits
that the code has, each read from its one place; seconds follow from the account's rate,
the workers, and from what was measured on the size of machine that tools/measured.yaml
names. tests/test_simulate.py runs the steps and counts. Refusals, retries and answers
that fail are not in it.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache

import yaml

from scripts.across.cutting import MOST_PARTS, MOST_ROWS
from scripts.client.jsonio import RESULT_LIMIT
from scripts.service_jobs.flow_steps import FIRST, LONGEST
from scripts.service_jobs.job_kinds import KINDS, growing, pause_after
from scripts.table.checkpoint import (
    LIST_PARTS,
    PART_BYTES,
    PART_ROWS,
    SHARE_ROWS,
    SHARE_SECONDS,
)
from scripts.upload.service_limits import BATCH_LINES, FILLED_BYTES
from tools.operations import ROOT, find

MEASURED = ROOT / "tools" / "measured.yaml"
ACROSS = ROOT / "flows" / "map_rows_across_workers.yaml"
HOUR, DAY = 3600.0, 86400.0
# Bytes written to Windmill's database by one run, above which a way counts as broken:
# hours of a small server's disk, and the backups of days.
MOST_WRITTEN = 10_000_000_000
LISTS = "database, of the lists that a rerun goes on by"


@cache
def measured() -> dict:
    """The figures of tools/measured.yaml."""
    return yaml.safe_load(MEASURED.read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Task:
    """What is to be done, and with what.

    rate    requests a second that the account may send, None for no limit
    latency seconds until an answer
    at_once calls that a job makes at the same time
    workers that are free for it
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
    job_hours: float | None = None
    storage: bool = True

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
    if task.job_hours is None:
        return {}
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
    flow = yaml.safe_load(ACROSS.read_text(encoding="utf-8"))
    said = flow["arguments"]["properties"]
    rows = said["part_rows"]["default"]
    while task.rows / rows > MOST_PARTS:  # then parts are joined two and two
        rows *= 2
    parts = max(1, math.ceil(task.rows / rows))
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
        "map_rows_across_workers",
        seconds + ends + starts,
        bound,
        task.rows,
        # The flow and its steps; an iteration that is tried again is a flow of its own.
        4 + 2 * parts,
        0,
        stored,
        task.rows * task.usd_per_row,
        limits,
        kept,
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
    guard = looks(waited, lambda n: growing(FIRST, LONGEST, n))
    ours = task.rows * (
        measured()["split_row_seconds"] + measured()["collect_row_seconds"]
    )
    line = measured()["row_bytes"] + measured()["question_bytes"]
    # The flow and its four steps; the flow that waits and the one that guards, with
    # each look a run of their loops: a job for itself, its step, and what follows it.
    jobs = 5 + 2 + 3 * (own + guard)
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
        jobs,
        task.rows * line,
        task.rows * _line(),
        task.rows * task.usd_per_row * task.batch_share,
        limits,
    )


def endpoint(task: Task) -> Estimate:
    """map_rows with a model on hardware of one's own, which no other's limit shares."""
    seconds, bound = _paced(task, 1, task.endpoint_rate)
    found = map_rows(task)
    bound = "endpoint" if bound == "rate" else bound
    limits = {**found.limits, **_job_limit(task, seconds)}
    usd = seconds / HOUR * task.endpoint_usd_per_hour
    jobs = 8  # the flow run_on_endpoint, its steps, and the flow that stops it
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


WAYS: dict[str, Callable[[Task], Estimate]] = {
    "map_rows": map_rows,
    "across": across,
    "batch": batch,
    "batches": batches,
    "endpoint": endpoint,
}


def simulate(task: Task, way: str | None = None) -> list[Estimate]:
    """What each way, or one of them, takes. Raises ValueError where there is none."""
    if way not in (None, *WAYS):
        raise ValueError(f"no way {way!r}; there are: {', '.join(WAYS)}")
    return [take(task) for name, take in WAYS.items() if way in (None, name)]


def shown(task: Task, found: list[Estimate]) -> Iterator[str]:
    """Lines for a reader."""
    where = f"{measured()['size']}, {measured()['date']}"
    yield f"{task.rows:,} rows; measured on {where}"
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
            yield f"  breaks first: {broken[0]}, with {round(broken[1]):,} rows"
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


def count_of(text: str) -> int:
    """A number of rows, such as 1e9. Raises ValueError."""
    number = float(text.replace(",", "").replace("_", ""))
    if not 1 <= number < 1e15:
        raise ValueError(f"{text!r} is no number of rows")
    return int(number)
