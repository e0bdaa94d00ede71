"""What the bench measured, kept in tools/bench/measured.json: `./dev bench --write`.

docs/measurements.md is rendered from it, so that its figures are those of a run.
"""

import json
import os
import platform
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from tools.operations import ROOT

PLACE = ROOT / "tools" / "bench" / "measured.json"
WORSE = 1.05  # times: more than a row may lose from one record to the next


@dataclass
class Row:
    """One contender in one workload; a measure that does not apply is None."""

    workload: str
    contender: str
    seconds: float | None = None
    calls_per_second: float | None = None
    cpu_seconds: float | None = None
    peak_mib: float | None = None
    idle_mib: float | None = None
    share: float | None = None  # of questions that were answered
    modules: int | None = None  # that a job fetched


@dataclass
class Record:
    """One workload as it was measured."""

    date: str
    machine: str
    rows: list[Row]


def records(place: Path = PLACE) -> dict[str, Record]:
    """What was measured, by workload."""
    found = json.loads(place.read_text(encoding="utf-8")) if place.exists() else {}
    return {
        name: Record(one["date"], one["machine"], [Row(**row) for row in one["rows"]])
        for name, one in found.items()
    }


def write(rows: list[Row], place: Path = PLACE) -> list[str]:
    """Put the rows in the place of those of the same workloads; return a line for each
    measure of ours that has become worse beside a contender's."""
    kept = records(place)
    today = datetime.now(UTC).date().isoformat()
    lines = []
    for name in dict.fromkeys(row.workload for row in rows):
        now = Record(today, machine(), [row for row in rows if row.workload == name])
        if name in kept:
            lines += _worse(kept[name].rows, now.rows)
        kept[name] = now
    told = {
        name: {
            "date": one.date,
            "machine": one.machine,
            "rows": [_filled(row) for row in one.rows],
        }
        for name, one in kept.items()
    }
    place.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return lines


def machine() -> str:
    """The size of this machine, such as "2 cores, 23 GiB, Python 3.11"."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    cores = len(os.sched_getaffinity(0))
    version = ".".join(platform.python_version_tuple()[:2])
    return f"{cores} cores, {round(memory / (1 << 30))} GiB, Python {version}"


def _filled(row: Row) -> dict:
    """The measures that a row has, to six digits."""
    return {
        name: float(f"{value:.6g}") if isinstance(value, float) else value
        for name, value in asdict(row).items()
        if value is not None
    }


def _worse(before: list[Row], now: list[Row]) -> Iterator[str]:
    """What has become worse of ours, beside what else was measured in the same run: the
    machine is quicker in one hour than in another."""
    then = dict(shares(before))
    for (contender, measure), share in shares(now):
        old = then.get((contender, measure))
        if old and share > old * WORSE:
            where = f"{now[0].workload}, {contender}, {measure}"
            yield f"{where}: {old:.2f}, now {share:.2f}"


def shares(rows: list[Row]) -> Iterator[tuple[tuple[str, str], float]]:
    """What ours takes of what another contender does, by contender and measure: less
    than 1 is better. Where several jobs of ours stand beside one `requests.post`, their
    shares of it, by job."""
    for measure in ("seconds", "cpu_seconds", "calls_per_second", "peak_mib"):
        values = {row.contender: getattr(row, measure) for row in rows}
        for job, value, beside in _pairs(values):
            if value and beside:
                less = measure == "calls_per_second"
                yield (job, measure), beside / value if less else value / beside


def _pairs(values: dict) -> Iterator[tuple[str, float | None, float | None]]:
    if "ours" in values:
        others = [name for name in values if name != "ours"]
        yield from ((name, values["ours"], values[name]) for name in others)
    elif "requests.post" in values:
        yield from ((name, values[name], values["requests.post"]) for name in values)
