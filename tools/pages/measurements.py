"""docs/measurements.md: what `./dev bench --write` measured."""

from collections.abc import Iterator
from pathlib import Path

from tools.bench.record import Record, Row, records, shares
from tools.operations import ROOT

PAGE = "docs/measurements.md"
HEAD = """\
# What was measured

<!-- Rendered from tools/bench/measured.json, which `./dev bench --write` writes. -->

Medians of `./dev bench`, which runs each workload against a local server, its
contenders in turns. *ours is* 0.50 means that ours takes half of what stands in that
line. A machine is quicker in one hour than in another, so the ratios say more than the
seconds.
[performance.md](performance.md) says what they mean.
"""
# What a workload measures, where its contenders' names do not say it.
ABOUT = {
    "cold step": "A job in a new process, its modules fetched one by one from a server "
    "that answers at once, or after 5 ms, and compiled; beside it a chat call without "
    "any module. *of bare* is the share of `requests.post`.",
    "warm call": "Further chat calls of a process, over HTTPS.",
    "stream": "5,000 events of a streamed answer; the processor's time is of one.",
    "rows": "1,000 rows, 64 at once, a server that takes 100 ms for each.",
    "many rows": "5,000 rows, 256 at once, 100 ms each.",
    "large table": "100,000 rows through `map_rows`, kept for a rerun.",
}


def page(measured: dict[str, Record]) -> str:
    """The text of the page."""
    return "\n".join(
        [HEAD, *(line for one in measured.items() for line in _part(*one))]
    )


def _part(workload: str, record: Record) -> Iterator[str]:
    yield f"## {workload[0].upper()}{workload[1:]}\n"
    yield f"{record.date}, on {record.machine}.\n"
    if workload in ABOUT:
        yield f"{ABOUT[workload]}\n"
    yield from _table(record.rows)
    yield ""


def _table(rows: list[Row]) -> Iterator[str]:
    bare = not any(row.contender == "ours" for row in rows)
    share, parts = "of bare" if bare else "ours is", dict(shares(rows))
    columns = {
        "modules": lambda row: row.modules,
        "time": lambda row: _time(row.seconds),
        f"{share} (time)": lambda row: _share(parts.get((row.contender, "seconds"))),
        "calls a second": lambda row: _calls(row.calls_per_second),
        f"{share} (calls)": lambda row: _share(
            parts.get((row.contender, "calls_per_second"))
        ),
        "processor": lambda row: _time(row.cpu_seconds),
        f"{share} (processor)": lambda row: _share(
            parts.get((row.contender, "cpu_seconds"))
        ),
        "memory": lambda row: row.peak_mib and f"{row.peak_mib:.0f} MiB",
        "answered": lambda row: row.share is not None and f"{row.share:.0%}",
    }
    cells = {name: [tell(row) or "" for row in rows] for name, tell in columns.items()}
    shown = {name: found for name, found in cells.items() if any(found)}
    yield f"| | {' | '.join(shown)} |"
    yield f"|---|{'---|' * len(shown)}"
    for number, row in enumerate(rows):
        line = " | ".join(str(found[number]) for found in shown.values())
        contender = row.contender.replace("|", "\\|")  # a pipe of a shell
        yield f"| {contender} | {line} |"


def _time(seconds: float | None) -> str:
    if seconds is None:
        return ""
    for unit, size in (("s", 1), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size or unit == "us":
            return f"{seconds / size:.3g} {unit}"
    return ""


def _calls(count: float | None) -> str:
    return "" if count is None else f"{count:,.0f}"


def _share(share: float | None) -> str:
    return "" if share is None else f"{share:.2f}"


def files(root: Path = ROOT) -> dict[str, str]:
    """The page, where something was measured."""
    found = records(root / "tools" / "bench" / "measured.json")
    return {PAGE: page(found)} if found else {}
