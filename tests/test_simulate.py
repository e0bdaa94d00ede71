"""What ./dev simulate says of requests, jobs and bytes is what the steps do."""

import asyncio
import itertools
import json
import random
import threading

import pytest

from scripts.across import cutting
from scripts.client.jsonio import RESULT_LIMIT
from scripts.service_jobs.job_kinds import KINDS, pause_after
from scripts.upload.service_limits import BATCH_LINES
from tests.support.canned_chat import completion
from tests.support.command_line import tool
from tools.bench import bench_batches, bench_rows, simulate
from tools.flows.flow_engine import Engine
from tools.local.fake_workspace import Workspace
from tools.models import model
from tools.operations import ROOT

LOOSE = 0.5  # of what was measured with one table and its answers, for another


def about(expected):
    return pytest.approx(expected, rel=LOOSE)


@pytest.mark.parametrize("rows", [5_000, pytest.param(100_000, marks=pytest.mark.slow)])
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
    assert ready.wait(60)
    yield f"http://127.0.0.1:{known['port']}"
    loop.call_soon_threadsafe(lambda: [one.cancel() for one in asyncio.all_tasks(loop)])
    thread.join(60)


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
        small = {"checkpoint.PART_ROWS": at_once}
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


def said_by_the_server(arguments):
    return completion(arguments["body"], "Yes.")


def kept_for_a_rerun(workspace, folder):
    """Bytes of the states that the jobs of a flow wrote under a folder."""
    written = [
        json.loads(one.body)
        for one in workspace.requests
        if one.method == "POST" and "/resources/" in one.path
        if folder in one.path or folder in json.loads(one.body).get("path", "")
    ]
    return sum(len(json.dumps(one["value"])) for one in written)


def uploaded(workspace):
    """Bytes that went to storage."""
    return sum(
        int(one.headers["content-length"])
        for one in workspace.requests
        if "job_helpers/upload_s3_file" in one.path
    )


@pytest.mark.parametrize(("rows", "part_rows"), [(30, 4), (7, 10)])
def test_parts_of_a_table_take_as_many_jobs_as_is_said(
    rows, part_rows, workspace, lifecycles, auth, sandbox, monkeypatch
):
    sandbox.answers["create_chat_completion"] = said_by_the_server
    workspace.put("in/rows.jsonl", bench_batches.table_of(rows))
    engine = Engine(workspace, auth, lifecycles.advance)
    given = {"template": "{{text}}", "model": model("chat"), "part_rows": part_rows}
    run = engine.run(simulate.ACROSS, rows={"s3": "in/rows.jsonl"}, **given)
    arguments = {"part_rows": {"default": part_rows}, "parallelism": {"maximum": 9}}
    monkeypatch.setattr(simulate, "_arguments", lambda flow: arguments)

    said = simulate.across(simulate.Task(rows, workers=4))

    assert run.result["done"] == rows
    assert engine.jobs == said.jobs
    asked = [one for one in sandbox.requests if "completions" in one.path]
    assert len(asked) == said.requests == rows


@pytest.mark.parametrize("storage", [True, False])
@pytest.mark.parametrize(("count", "job_files", "size"), [(9, 1, 70), (8, 3, 5000)])
def test_files_take_as_many_jobs_requests_and_bytes_as_is_said(
    count, job_files, size, storage, workspace, lifecycles, auth, sandbox
):
    noise = random.Random(1)
    answer = "".join(noise.choices("abcdefghijklmnopqrst ", k=size))
    sandbox.answers["create_chat_completion"] = lambda arguments: completion(
        arguments["body"], answer
    )
    workspace.storage = storage
    places = []
    for n in range(count):
        name = f"/sandbox/objects/letters-of-november/{n:020}.txt"
        sandbox.objects[name] = "text/plain", b"a letter"
        places.append(f"{sandbox.url}{name}")
    engine = Engine(workspace, auth, lifecycles.advance)
    given = {"question": "Who?", "model": model("chat"), "job_files": job_files}
    given |= {"output": "storage"} if storage else {}
    run = engine.run(simulate.FILES, action="ask", files=places, **given)
    task = simulate.Task(count, job_files=job_files, answer_bytes=size, storage=storage)

    said = simulate.files(task)

    assert run.result["done"] == count
    assert engine.jobs == said.jobs
    asked = [one for one in sandbox.requests if "completions" in one.path]
    assert len(asked) == said.requests == count
    assert uploaded(workspace) == about(said.storage_bytes)
    assert kept_for_a_rerun(workspace, "togetherai_files") == about(said.kept_bytes)


def test_text_that_is_taken_out_of_files_takes_no_call(
    workspace, lifecycles, auth, sandbox
):
    workspace.put("letters/1.txt", b"a letter")
    engine = Engine(workspace, auth, lifecycles.advance)
    run = engine.run(simulate.FILES, action="read", folder="letters")

    assert run.outcome == "success"
    assert not sandbox.requests
    said = simulate.files(simulate.Task(1, reads=True, usd_per_row=1.0))
    assert (said.requests, said.usd, said.jobs) == (0, 0.0, engine.jobs)


@pytest.mark.parametrize(
    ("name", "kind", "jobs_of"),
    [
        ("run_batch", "batch", simulate.jobs_of_batches),
        ("run_on_endpoint", "deployment", simulate.jobs_of_endpoint),
    ],
)
def test_a_flow_that_waits_takes_as_many_jobs_as_is_said(
    name, kind, jobs_of, workspace, lifecycles, auth
):
    engine = Engine(workspace, auth, lifecycles.advance)
    given = {"template": "{{text}}", "rows": [{"text": "a"}], "model": model("chat")}
    given |= {"endpoint_name": "chat"} if kind == "deployment" else {}
    run = engine.run(name, **given)
    own = [call.at for call in run.of("waits/poll_job")]
    (watched,) = [
        one.of("waits/watch_flow")
        for one in engine.runs
        if one.count("waits/watch_flow")
    ]
    waited = own[-1] - own[0]

    assert run.outcome == "success", run.result
    assert engine.jobs == jobs_of(len(own), len(watched))
    assert len(own) == simulate.looks(waited, lambda n: pause_after(KINDS[kind], n))
    most = simulate.looks_of_guard(run.ended - run.started)
    assert len(watched) in (most - 1, most)


@pytest.mark.parametrize("most", [8, 10])
def test_a_table_is_cut_into_as_many_parts_as_is_said(most, monkeypatch):
    monkeypatch.setattr(cutting, "MOST_PARTS", most)
    monkeypatch.setattr(simulate, "MOST_PARTS", most)
    for rows in range(1, 100):
        cuts = cutting.Cuts(2, 0, 1)
        for n in range(rows):
            cuts.row(n + 1, n + 2)
        parts = cuts.end(rows)
        assert simulate.parts_of(rows, 2) == (len(parts), cuts.most_rows), rows


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
            bears = 2 if way in ("across", "files") and name == "jobs" else 1
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
    assert ways["map_rows"]["breaks_first"]["limit"] == "job time limit"
    assert ways["several batches"]["breaks_first"]["rows"] < 10**9
    done = tool("simulate", "--files", "500", "--read", "--no-storage")
    assert "500 files" in done.stdout
    assert "0 requests, 1,003 jobs" in done.stdout
    refused = tool("simulate", "--rows", "1e9", "--way", "magic")
    assert refused.returncode == 2
    assert "no way 'magic'" in refused.stderr
