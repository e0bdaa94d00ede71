"""What ./dev simulate says of requests, jobs and bytes is what the steps do."""

import asyncio
import itertools
import json
import threading

import pytest

from scripts.client.jsonio import RESULT_LIMIT
from scripts.upload.service_limits import BATCH_LINES
from tests.support.command_line import tool
from tools import bench_batches, bench_rows, simulate
from tools.fake_workspace import Workspace
from tools.operations import ROOT

LOOSE = 0.5  # of what was measured with one table and its answers, for another


def about(expected):
    return pytest.approx(expected, rel=LOOSE)


@pytest.mark.parametrize(
    "rows", [10_000, pytest.param(100_000, marks=pytest.mark.slow)]
)
def test_batches_take_as_many_requests_and_bytes_as_is_said(rows):
    run = bench_batches.run_of(rows)
    said = simulate.batches(simulate.Task(rows, batch_hours=0))

    count = len(run.made["batch_id"].split(","))
    assert count == -(-rows // simulate.rows_of_a_batch())
    own = simulate.submit_requests(count), simulate.collect_requests(count)
    assert run.requests[0] == own[0]
    assert run.requests[1] == own[1]
    assert said.requests == sum(own) + count  # and a look at each
    assert run.sent == about(said.sent_bytes)
    assert run.stored == about(said.storage_bytes)
    if count > 1:
        entries = len(json.dumps(run.made)) / count
        assert entries == about(simulate.measured()["batch_entry_bytes"])


class Counted(bench_rows.Late):
    """Answers at once, and counts."""

    asked = 0

    def __init__(self):
        super().__init__(0.0)

    def data_received(self, data):
        Counted.asked += data.count(b"POST /v1/chat/completions")
        super().data_received(data)


@pytest.fixture
def service():
    """The address of a server that answers each chat at once."""
    loop, known = asyncio.new_event_loop(), {}
    ready = threading.Event()

    async def serve():
        server = await loop.create_server(Counted, "127.0.0.1", 0)
        known["port"] = server.sockets[0].getsockname()[1]
        ready.set()
        await server.serve_forever()

    def run():
        try:
            loop.run_until_complete(serve())
        except (RuntimeError, asyncio.CancelledError):
            pass  # stopped below

    Counted.asked = 0
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(10)
    yield f"http://127.0.0.1:{known['port']}"
    loop.call_soon_threadsafe(lambda: [one.cancel() for one in asyncio.all_tasks(loop)])
    thread.join(10)


@pytest.mark.parametrize(
    ("rows", "at_once"),
    [(2_500, 1000), (2_500, 40), pytest.param(10_000, 1000, marks=pytest.mark.slow)],
)
def test_map_rows_takes_as_many_requests_and_bytes_as_is_said(
    rows, at_once, service, worker, monkeypatch
):
    monkeypatch.setattr(simulate, "PART_ROWS", at_once)
    with Workspace() as workspace:
        workspace.put("in/rows.jsonl", bench_batches.table_of(rows))
        given = {
            "auth": {"api_key": "tgp_simulate_0123456789", "base_url": service},
            "template": "{{text}}",
            "rows": {"s3": "in/rows.jsonl"},
            "model": "m",
            "output": "storage",
        }
        small = {"table.checkpoint.PART_ROWS": at_once}
        result = worker.run("chat.map_rows", given, workspace.environment, small)
        stored = len(workspace.content(result["s3"]))
        states = [
            len(one.body)
            for one in workspace.requests
            if one.method == "POST" and "/resources/" in one.path and one.body
        ]
    said = simulate.map_rows(simulate.Task(rows))

    assert result["done"] == rows
    assert said.requests == Counted.asked == rows
    assert 2 * stored == about(said.storage_bytes)
    parts = simulate.kept_parts(rows)
    lists = (parts - 1) // simulate.LIST_PARTS
    assert len([size for size in states if size > 200]) == about(parts + lists)
    assert sum(states) == about(said.kept_bytes)


@pytest.mark.parametrize("way", ["map_rows", "across", "endpoint"])
def test_what_a_rerun_goes_on_by_grows_with_the_rows(way):
    less, more = [
        simulate.WAYS[way](simulate.Task(10**n, workers=64)).kept_bytes for n in (7, 9)
    ]
    assert 90 < more / less < 110


def test_the_table_of_the_page_is_the_simulations_own():
    page = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")

    assert simulate.markdown() in page, "./dev simulate --table prints it"


@pytest.mark.parametrize("way", simulate.WAYS)
def test_ten_times_the_rows_take_no_less_of_anything(way):
    take = simulate.WAYS[way]
    sizes = [take(simulate.Task(10**n, workers=64)) for n in range(1, 10)]

    for less, more in itertools.pairwise(sizes):
        for name in ("seconds", "requests", "jobs", "sent_bytes", "storage_bytes"):
            # Parts that would be too many are joined two and two.
            bears = 2 if (way, name) == ("across", "jobs") else 1
            assert bears * getattr(more, name) >= getattr(less, name)
        assert more.database_bytes >= less.database_bytes


def test_a_limit_that_is_met_is_told_and_another_is_not():
    over = simulate.batch(simulate.Task(BATCH_LINES + 1)).first(BATCH_LINES + 1)
    plain = simulate.Task(10_000, storage=False)
    late = simulate.Task(10**6, job_hours=1)

    assert over == ("a batch of the service", BATCH_LINES)
    assert simulate.batch(simulate.Task(BATCH_LINES)).first(BATCH_LINES) is None
    name, rows = simulate.map_rows(simulate.Task(10**6, storage=False)).first(10**6)
    assert name == "result size"
    assert rows * simulate.measured()["row_bytes"] < RESULT_LIMIT
    assert simulate.map_rows(plain).first(10_000) is None
    assert simulate.map_rows(late).first(10**6)[0] == "job time limit"


def test_the_rate_of_the_account_is_the_shortest_time_there_is():
    task = simulate.Task(10**6, rate=100.0, latency=0.01)
    found = simulate.map_rows(task)

    assert found.bound == "rate"
    assert found.seconds == pytest.approx(10**4, rel=0.01)
    assert simulate.map_rows(simulate.Task(10**6, rate=None)).bound == "answers' time"


@pytest.mark.parametrize(
    ("text", "rate"),
    [("6000/min", 100.0), ("100/s", 100.0), ("100", 100.0), ("none", None)],
)
def test_a_rate_is_read(text, rate):
    assert simulate.rate_of(text) == rate


@pytest.mark.parametrize("text", ["", "6000/day", "0/s", "-1", "nan", "inf/s", "a/min"])
def test_what_is_no_rate_is_refused(text):
    with pytest.raises(ValueError, match=r"rate|float"):
        simulate.rate_of(text)


def test_it_is_a_command():
    done = tool("simulate", "--rows", "1e9", "--workers", "64", "--json")
    found = json.loads(done.stdout)

    assert done.returncode == 0
    assert {one["way"] for one in found} > {"map_rows", "several batches"}
    ways = {one["way"]: one for one in found}
    assert ways["map_rows"]["requests"] == 10**9
    assert ways["map_rows"]["breaks_first"] is None
    assert ways["several batches"]["breaks_first"]["rows"] < 10**9
    refused = tool("simulate", "--rows", "1e9", "--way", "magic")
    assert refused.returncode == 2
    assert "no way 'magic'" in refused.stderr
