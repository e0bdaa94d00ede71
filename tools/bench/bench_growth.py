"""Time and memory of steps over tables and files at 1, 10 and 100 times the size.

Each step runs as a job in a process of its own. What all its sizes have in common, the
start of Python and the modules, falls out: the slope compares what 100 times takes more
than 10 times with what 10 times takes more than once. 1 is growth by the size itself.
"""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

from tools.bench import bench_batches
from tools.bench.bench_batches import Service, measured_job, table_of
from tools.bench.record import Row
from tools.local.fake_workspace import Workspace
from tools.operations import ROOT

TIMES = (1, 10, 100)
STEEPEST = 1.1
NOISE = 0.05  # seconds by which the start of a job may vary
CHART = ROOT / "docs" / "growth.svg"
KEY = "tgp_growth_0123456789"


@dataclass(frozen=True)
class Case:
    """A step, the rows of its smallest size, and what makes its arguments for so many.

    flat    MiB by which its memory may be larger at 100 times than at 10, None where
            it holds what it is given
    """

    rows: int
    given: Callable[[Service, Workspace, int], dict]
    flat: float | None = 8.0


def _table(workspace: Workspace, rows: int) -> dict:
    workspace.put("in/rows.jsonl", table_of(rows))
    return {"s3": "in/rows.jsonl"}


def _submitted(service: Service, workspace: Workspace, rows: int) -> dict:
    return {
        "model": "m",
        "template": bench_batches.TEMPLATE,
        "rows": _table(workspace, rows),
    }


def _collected(service: Service, workspace: Workspace, rows: int) -> dict:
    given = {"auth": auth(service), **_submitted(service, workspace, rows)}
    _, made = measured_job("batches/submit_rows", given, workspace)
    service.answer()
    table = {"s3": "in/rows.jsonl"}
    return {"batch_id": made["batch_id"], "rows": table, "output": "storage"}


def _recordings(service: Service, workspace: Workspace, rows: int) -> dict:
    lines = (b'{"url": "https://www.example.com/%d.mp3"}\n' % n for n in range(rows))
    workspace.put("in/calls.jsonl", b"".join(lines))
    return {"rows": {"s3": "in/calls.jsonl"}, "model": "m"}


def _mapped(service: Service, workspace: Workspace, rows: int) -> dict:
    table = _table(workspace, rows)
    given = {"rows": table, "model": "m", "template": "{{text}}", "keep": False}
    return {**given, "output": "storage"}


def _queried(service: Service, workspace: Workspace, rows: int) -> dict:
    _table(workspace, rows)
    measures = ["count", "sum id", "distinct text"]
    where = ["text contains parcel"]
    return {"table": "s3:///in/rows.jsonl", "measures": measures, "where": where}


def _read(service: Service, workspace: Workspace, rows: int) -> dict:
    return {"rows": _table(workspace, rows), "most": rows, "template": "{{text}}"}


def _pictures(service: Service, workspace: Workspace, rows: int) -> dict:
    drawn = {"pictures": [{"s3": "a/picture.png", "filename": "a.png"}], "seed": 7}
    given = {"rows": [{"animal": f"fox {n}"} for n in range(rows)]}
    given["drawn"] = [{**drawn, "cost_usd": 0.003}] * rows
    return {**given, "output": "storage"}


def _uploaded(service: Service, workspace: Workspace, rows: int) -> dict:
    line = b'{"text": "The parcel number %d came twice, and late."}\n'
    workspace.put("in/set.jsonl", b"".join(line % n for n in range(rows)))
    name = "set.jsonl"
    body = {"purpose": "fine-tune", "file_name": name, "file": {"s3": "in/set.jsonl"}}
    return {"body": body}


def _downloaded(service: Service, workspace: Workspace, rows: int) -> dict:
    file_id = service.announce("large.bin")
    content = random.Random(1).randbytes(1000) * rows
    service.files[file_id]["bytes"] = service.place(file_id).write_bytes(content)
    return {"file_id": file_id, "output": "storage"}


CASES = {
    "chat/map_rows": Case(40, _mapped),
    "batches/submit_rows": Case(400, _submitted),
    "batches/submit_recordings": Case(1_000, _recordings),
    # It holds of each row of a batch where its answer is kept, and 16 MiB of answers.
    "batches/collect_rows": Case(400, _collected, 32.0),
    "agent/query_table": Case(1_500, _queried, None),
    "files/read_rows": Case(1_000, _read, None),
    "images/collect_pictures": Case(800, _pictures, None),
    "files/upload_file": Case(2_000, _uploaded),
    "files/download_file": Case(2_000, _downloaded, 12.0),
}
# The other steps under "Tables", and of the group files.
ELSEWHERE = {
    "files/list_folder": "names alone, a page of them a request",
    "files/split_table": "tests/test_across.py",
    "files/read_parquet": "tests/test_parquet.py, in a process of its own",
    "files/write_parquet": "tests/test_parquet.py, in a process of its own",
    "files/split_files": "names alone, as list_folder",
    "files/map_files": "one file at a time",
    "files/join_table": "tests/test_across.py",
    "files/list_files": "one answer, bounded as every answer is",
    "files/get_file": "one small answer",
    "files/delete_file": "one small answer",
    "files/preprocess_file": "one small answer",
    "files/request_file_upload": "one small answer",
    "files/initiate_multipart_file_upload": "one small answer",
    "files/complete_multipart_file_upload": "one small answer",
    "files/abort_multipart_file_upload": "one small answer",
}


@dataclass(frozen=True)
class Growth:
    """What a step took at each of TIMES: seconds of the processor, MiB at most."""

    step: str
    seconds: list[float]
    peaks: list[float]

    @property
    def slope(self) -> float:
        """How its time grows from 10 to 100 times: by size to the power of this, at
        least. Of what takes less than a start varies by nothing more is known."""
        once, ten, hundred = self.seconds
        return math.log10(max(hundred - ten, NOISE) / max(ten - once, NOISE))

    @property
    def more(self) -> float:
        """MiB that 100 times the size takes more than 10 times."""
        return self.peaks[2] - self.peaks[1]


def auth(service: Service) -> dict:
    """The resource of a job."""
    return {"api_key": KEY, "base_url": service.url}


def growth_of(step: str, times: int = 2) -> Growth:
    """Measure a step, each size several times, of which the least counts: whatever else
    the machine does only adds. Raises OSError where the step fails."""
    case = CASES[step]
    seconds, peaks = [], []
    for factor in TIMES:
        found = []
        # Of what is small a disturbance is a larger part.
        for _ in range(times * (2 if factor < TIMES[-1] else 1)):
            with Service() as service, Workspace() as workspace:
                given = case.given(service, workspace, case.rows * factor)
                given["auth"] = auth(service)
                cost, _ = measured_job(step, given, workspace)
                found.append(cost)
        seconds.append(min(cost.cpu for cost in found))
        peaks.append(min(cost.peak for cost in found))
    return Growth(step, seconds, peaks)


def growth(times: int) -> list[Row]:
    """All steps; draws docs/growth.svg, too."""
    found = [growth_of(step, times) for step in CASES]
    CHART.write_text(chart(found), encoding="utf-8")
    return [
        Row(f"growth {one.step}", name, one.seconds[n], None, one.seconds[n])
        for one in found
        for n, name in enumerate(("1 times", "10 times", "ours"))
    ]


def chart(found: list[Growth]) -> str:
    """A bar for each step, its slope, and a line at the most that is borne; on a ground
    of its own, since a page shows the picture on whatever it has."""
    left, unit, line = 190, 330, 24
    width, height = left + round(unit * 1.5), 46 + line * len(found)
    most = left + unit * STEEPEST
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="sans-serif" font-size="12">',
        '<rect width="100%" height="100%" fill="#ffffff"/>',
        '<text x="10" y="20" font-size="14">Growth of time with size '
        "(1: by the size itself)</text>",
    ]
    for number, one in enumerate(found):
        top, long = 34 + line * number, max(0.0, unit * one.slope)
        parts += [
            f'<text x="{left - 8}" y="{top + 13}" text-anchor="end">{one.step}</text>',
            f'<rect x="{left}" y="{top}" width="{long:.1f}" height="17" '
            'fill="#2563eb"/>',
            f'<text x="{left + 6}" y="{top + 13}" fill="#ffffff">{one.slope:.2f}'
            "</text>",
        ]
    parts.append(
        f'<line x1="{most:.1f}" x2="{most:.1f}" y1="30" y2="{height - 10}" '
        'stroke="#b91c1c" stroke-dasharray="4 3"/>'
    )
    return "\n".join([*parts, "</svg>", ""])
