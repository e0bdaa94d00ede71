"""The same done with every file of a folder: which are listed, what a job does with
each, how they are joined, and what a rerun finds."""

import json

import pytest

from scripts.across import file_answers
from scripts.client import TogetherError
from scripts.files.join_table import main as join_table
from scripts.files.map_files import main as map_files
from scripts.files.split_files import main as split_files
from tests.support.meter import Meter
from tests.support.offered_models import offering
from tests.support.sound import wav
from tools.flows.flow_engine import RESOURCE, Engine
from tools.local.fake_workspace import Job
from tools.models import model
from tools.sandbox import Fault

MODEL = model("chat")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


@pytest.fixture
def engine(workspace, lifecycles, auth):
    return Engine(workspace, auth, lifecycles.advance)


@pytest.fixture(params=[True, False], ids=["storage", "bare"])
def place(request, sandbox, workspace):
    """Puts a document where the flow finds it; returns what names it there."""
    workspace.storage = request.param

    def put(name, content):
        if request.param:
            workspace.put(f"letters/{name}", content)
            return f"s3:///letters/{name}"
        sandbox.objects[f"/sandbox/objects/{name}"] = "text/plain", content
        return f"{sandbox.url}/sandbox/objects/{name}"

    return put


def letters(place, count, first=0):
    return [
        place(f"{n}.txt", f"letter {n}".encode()) for n in range(first, first + count)
    ]


def flow(engine, files, **more):
    given = {"action": "ask", "question": "Who?", "model": MODEL, **more}
    return engine.run("map_files_across_workers", files=files, **given)


def asked(sandbox):
    """The documents that were asked about, by the number in each."""
    return sorted(
        int(request.json["messages"][-1]["content"].rpartition(" ")[2])
        for request in sandbox.requests
        if request.path.endswith("/chat/completions")
    )


# --- which files -------------------------------------------------------------------


def test_a_folder_is_listed_by_its_endings_in_parts(auth, workspace):
    for name in ("b.txt", "a.TXT", "c.pdf"):
        workspace.put(f"letters/{name}", b"x")

    found = split_files(auth, folder="letters", endings=[".txt"], budget_usd=3)

    assert found["count"] == 2
    assert [one["budget_usd"] for one in found["parts"]] == [1.5, 1.5]
    lines = [workspace.content(one["rows"]["s3"]) for one in found["parts"]]
    assert [json.loads(line)["filename"] for line in lines] == ["a.TXT", "b.txt"]


LEFT = (".DS_Store", "old/Thumbs.db", "~$a.docx", "._a.txt", "old/", "__MACOSX/x.txt")


def test_what_systems_leave_in_a_folder_is_none_of_its_files(auth, workspace, capsys):
    for name in (*LEFT, "a.txt", ".profile", "a~$b.txt"):
        workspace.put(f"~$letters/{name}", b"x")

    found = split_files(auth, folder="~$letters")

    lines = [workspace.content(one["rows"]["s3"]) for one in found["parts"]]
    names = [json.loads(line)["filename"] for line in b"".join(lines).splitlines()]
    assert names == [".profile", "a.txt", "a~$b.txt"]
    assert "6 objects of ~$letters/ are no files" in capsys.readouterr().err


def test_a_file_that_is_listed_twice_is_done_once(auth, workspace):
    given = ["https://a.example/1", "https://a.example/2", "https://a.example/1"]

    assert split_files(auth, files=given)["count"] == 2


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "folder or files is required"),
        ({"folder": "a", "files": ["https://a.example/1"]}, "folder excludes files"),
        ({"folder": "none"}, "no such object"),
        ({"files": [{"url": "https://a.example/1"}]}, "names the column 'file'"),
        ({"files": ["one.txt"]}, "names the column 'file'"),
        ({"files": [{"file": "one.txt"}]}, "has no address"),
        ({"files": [{"file": "s3:///a", "answer": "b"}]}, "answer_column"),
        ({"files": ["s3:///a", "s3:///b"], "most": 1}, "most"),
    ],
)
def test_a_mistake_in_the_files_is_named_first(auth, workspace, given, words):
    with pytest.raises(TogetherError, match=words):
        split_files(auth, **given)
    assert not workspace.objects


def test_without_storage_so_many_files_are_refused_that_a_result_grows(auth, workspace):
    workspace.storage = False
    given = [f"https://a.example/{n}/{'x' * 1000}" for n in range(1100)]

    with pytest.raises(TogetherError, match="without object storage"):
        split_files(auth, files=given)


# --- what is done with them --------------------------------------------------------


def test_the_text_of_each_document_is_taken_out(engine, place, sandbox):
    files = [place("a.html", b"<html><body><p>Hello</p></body></html>")]
    files += [place("b.txt", "Grüße".encode())]

    run = engine.run("map_files_across_workers", action="read", files=files)

    assert run.outcome == "success", run.result
    assert [row["answer"] for row in run.result["rows"]] == ["Hello", "Grüße"]
    assert run.result["cost_usd"] == 0
    assert run.count("files/map_files") == 2
    assert not [r for r in sandbox.requests if "completions" in r.path]


def test_a_picture_is_looked_at(engine, sandbox, workspace):
    workspace.put("shots/1.png", PNG)
    given = {"action": "look", "folder": "shots", "question": "What is it?"}

    run = engine.run("map_files_across_workers", **given, model=model("vision"))

    assert run.outcome == "success", run.result
    (row,) = run.result["rows"]
    assert row["filename"] == "1.png"
    assert row["answer"]
    (sent,) = [r for r in sandbox.requests if r.path.endswith("/chat/completions")]
    text, picture = sent.json["messages"][-1]["content"]
    assert text["text"] == "What is it?"
    assert picture["image_url"]["url"].startswith("data:image/png;base64,")


def test_a_recording_is_written_down(engine, sandbox, workspace, priced):
    engine.resources[RESOURCE] = priced("acme/hear", perSecond=0.001)
    sandbox.answers["create_transcription"] = lambda _: {
        "text": "Hello. Hi.",
        "duration": 3.0,
        "speaker_segments": [
            {"speaker_id": 0, "text": "Hello."},
            {"speaker_id": "B", "text": "Hi."},
        ],
    }
    workspace.put("calls/1.wav", wav(bytes(16000), 8000))  # a second of silence
    given = {"action": "transcribe", "folder": "calls", "model": "acme/hear"}

    run = engine.run("map_files_across_workers", **given, speakers=True)

    assert run.outcome == "success", run.result
    assert run.result["rows"][0]["answer"] == "0: Hello.\nB: Hi."
    assert run.result["cost_usd"] == pytest.approx(0.003)
    assert run.result["usage"] == {"seconds": 3.0}


def test_columns_of_a_table_of_files_stay(engine, place):
    (address,) = letters(place, 1)
    rows = [{"letter": address, "from": "Ada"}]

    run = flow(engine, rows, column="letter", answer_column="who", action="read")

    assert run.result["rows"] == [
        {"letter": address, "from": "Ada", "who": "letter 0", "who_error": None}
    ]


def test_a_question_is_needed_to_ask(engine, place):
    run = flow(engine, letters(place, 1), question=None)

    assert "question" in run.error["message"]


# --- what a rerun finds ------------------------------------------------------------


@pytest.mark.parametrize("job_files", [1, 3])
def test_a_file_that_fails_is_a_row_and_done_again_alone(
    engine, sandbox, workspace, place, job_files
):
    files = letters(place, 5)
    files[1:2] = [f"{files[1]}.none"]
    before = {*workspace.resources}

    run = flow(engine, files, job_files=job_files)

    assert run.outcome == "success", run.result
    assert run.result["markdown"].startswith("**Partly done: run the flow again")
    assert (run.result["done"], run.result["failed"]) == (4, 1)
    assert "cannot be read" in run.result["rows"][1]["answer_error"]
    assert [bool(row["answer"]) for row in run.result["rows"]] == [
        *[True], *[False], *[True] * 3,
    ]  # fmt: skip
    assert asked(sandbox) == [0, 2, 3, 4]

    sandbox.requests.clear()
    place("1.txt.none", b"letter 1")
    run = flow(engine, files, job_files=job_files)

    assert run.result["markdown"].startswith("**All 5 files were done.**")
    assert asked(sandbox) == [1]
    assert run.result["usage"]["prompt_tokens"] > 0
    left = {*workspace.resources} - before
    assert not {path for path in left if "togetherai_files" in path}
    kept = [key for _, key in workspace.objects if not key.startswith("letters/")]
    # The parts of the run that was partly done go with its state, a week later.
    assert len(kept) == (-(-5 // job_files) if workspace.storage else 0)


def test_files_that_came_since_do_not_move_the_others(engine, sandbox, place):
    sandbox.faults.append(Fault("completions", 400, times=1))
    run = flow(engine, letters(place, 3)[1:], parallelism=1)
    assert run.result["failed"] == 1
    done = asked(sandbox)[1]

    sandbox.requests.clear()
    run = flow(engine, letters(place, 4))

    assert run.result["done"] == 4
    assert asked(sandbox) == sorted({0, 1, 2, 3} - {done})


def test_all_files_and_those_of_a_rerun_are_asked_of_one_model(
    engine, sandbox, place, workspace
):
    files = letters(place, 3)
    sandbox.faults.append(Fault("completions", 400, times=1))
    with offering(sandbox, "a/old") as engine.resources[RESOURCE]:
        run = flow(engine, files, model=None, parallelism=1)
    assert (run.result["done"], run.result["failed"]) == (2, 1)
    with offering(sandbox, "a/old", "a/new") as engine.resources[RESOURCE]:
        run = flow(engine, files, model=None)

    assert (run.result["done"], "models" in run.result) == (3, False)
    assert {r.json["model"] for r in sandbox.requests if "compl" in r.path} == {"a/old"}
    assert not [path for path in workspace.resources if "togetherai_leases" in path]


@pytest.mark.parametrize(
    ("action", "kind"), [("look", "chat"), ("transcribe", "transcribe")]
)
def test_each_action_gets_a_model_for_its_task(
    engine, sandbox, workspace, action, kind
):
    workspace.put("letters/1.png", PNG)
    workspace.put("letters/2.wav", wav(bytes(16000), 8000))
    given = {"action": action, "folder": "letters", "question": "What is it?"}
    given["endings"] = [".png"] if action == "look" else [".wav"]
    with offering(sandbox, "a/old", kind=kind) as engine.resources[RESOURCE]:
        run = engine.run("map_files_across_workers", **given)

    assert run.result["done"] == 1
    (job,) = run.of("files/map_files")
    assert json.loads(job.arguments["part"])["part"]["model"] == "a/old"


def test_files_that_another_model_was_asked_about_are_told(engine, sandbox, place):
    files = letters(place, 3)
    sandbox.faults.append(Fault("completions", 400, times=1))
    with offering(sandbox, "a/old") as engine.resources[RESOURCE]:
        flow(engine, files, model=None, parallelism=1)
    with offering(sandbox, "a/new") as engine.resources[RESOURCE]:
        run = flow(engine, files, model=None)

    assert run.result["models"] == {"a/old": 2, "a/new": 1}


def test_long_answers_are_kept_in_storage(engine, workspace, monkeypatch, sandbox):
    monkeypatch.setattr(file_answers, "STATE_BYTES", 20)
    workspace.put("letters/1.txt", b"a letter " * 9)
    workspace.put("letters/2.txt", b"%PDF-1.7")
    given = {"action": "read", "folder": "letters"}

    engine.run("map_files_across_workers", **given)
    kept = [key for _, key in workspace.objects if key.endswith("map_files.json")]
    assert len(kept) == 1

    workspace.put("letters/2.txt", b"another letter")
    run = engine.run("map_files_across_workers", **given)
    assert run.result["done"] == 2
    assert run.result["rows"][0]["answer"] == ("a letter " * 9).strip()
    assert not [key for _, key in workspace.objects if key.endswith("map_files.json")]


@pytest.mark.parametrize(
    ("path", "status"),
    [("resources/create", 502), ("upload_s3_file", 502), ("upload_s3_file", 403)],
)
def test_an_answer_that_is_paid_for_outlives_a_refusal_of_windmill(
    auth, sandbox, workspace, monkeypatch, path, status
):
    monkeypatch.setattr(file_answers, "STATE_BYTES", 1)
    monkeypatch.setattr("scripts.resilience.retry.FIRST_WAIT", 0.01)
    for n in range(3):
        workspace.put(f"letters/{n}.txt", f"letter {n}".encode())
    (part,) = split_files(auth, folder="letters", job_files=3)["parts"]
    given = {"action": "ask", "question": "Who?", "model": MODEL}
    given["part"] = json.dumps(part["rows"])
    workspace.faults.append(Fault(path, status, times=1))

    for _ in range(2):
        assert map_files(auth, **given)["done"] == 3

    assert asked(sandbox) == [0, 1, 2]
    kept = [key for _, key in workspace.objects if key.endswith("map_files.json")]
    assert len(kept) == 3 - ("upload" in path)


def test_what_cannot_be_read_for_now_is_not_done_again(workspace, monkeypatch):
    monkeypatch.setattr(file_answers, "STATE_BYTES", 1)
    monkeypatch.setattr("scripts.resilience.retry.FIRST_WAIT", 0.01)
    kept, row = file_answers.FileAnswers.of({"action": "ask"}), {"file": "a"}
    kept.keep(row, {"answer": "Ada"}, True)

    workspace.faults.append(Fault("download_s3_file", 502, times=3))
    with pytest.raises(TogetherError, match="cannot be read from storage"):
        kept.get(row)

    assert kept.get(row) == {"answer": "Ada"}
    workspace.objects.clear()
    assert kept.get(row) is None


def test_a_killed_job_goes_on_where_it_stopped(auth, sandbox, workspace, worker):
    workspace.storage = False
    files = []
    for n in range(6):
        sandbox.objects[f"/sandbox/objects/{n}.txt"] = "text/plain", f"l {n}".encode()
        files.append(f"{sandbox.url}/sandbox/objects/{n}.txt")
    (part,) = split_files(auth, files=files, job_files=6)["parts"]
    given = {"auth": auth, "action": "ask", "question": "Who?", "model": MODEL}
    given["part"] = json.dumps(part["rows"])

    def die(arguments):
        if len(asked(sandbox)) == 4:
            worker.kill()
        return answer(arguments)

    sandbox.answers["create_chat_completion"] = die
    environment = {**workspace.environment}
    assert worker.run("files.map_files", given, environment) is None
    got = worker.run("files.map_files", given, environment)

    assert got["done"] == 6
    assert asked(sandbox) == [0, 1, 2, 3, 3, 4, 5]  # the fourth was under way
    table = join_table(auth, json.dumps([part]), json.dumps([got]), kind="map_files")
    assert table["done"] == 6


def answer(arguments):
    message = {"role": "assistant", "content": "Ada"}
    return {
        "model": arguments["body"]["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12},
    }


# --- money, and what is no answer --------------------------------------------------


@pytest.mark.parametrize("action", ["ask", "look", "transcribe"])
@pytest.mark.parametrize("budget", [0, 1e-6, 1e-3, 0.02, 50])
def test_what_is_done_costs_no_more_than_its_budget(sandbox, workspace, action, budget):
    prices = {"input": 0.31, "output": 1.13, "perSecond": 1e-5}
    meter = Meter(sandbox, prices)
    entry = {"id": meter.id, "object": "model", "type": "x", "pricing": prices}
    entry["context_length"] = 20_000
    sandbox.answers["list_models"] = lambda _: [entry]
    heard = []

    def hear(_):
        heard.append(1)
        meter.usd += 4 * 3600 * 1e-5  # the longest that there is
        return {"text": "Hello", "duration": 4 * 3600.0}

    sandbox.answers["create_transcription"] = hear
    workspace.storage = False
    for n in range(9):
        name = f"/sandbox/objects/{n}"
        sandbox.objects[name] = "text/plain", f"letter {n}".encode()
    files = [f"{sandbox.url}/sandbox/objects/{n}" for n in range(9)]
    whole = {"job_files": 9, "budget_usd": budget}
    (part,) = split_files(meter.auth, files=files, **whole)["parts"]
    given = {"action": action, "question": "Who?", "model": meter.id}

    own = {"part": json.dumps(part["rows"]), "budget_usd": part["budget_usd"]}
    got = map_files(meter.auth, **given, **own)

    assert meter.usd <= budget + 1e-12
    assert got["cost_usd"] == pytest.approx(meter.usd)
    assert got["done"] + got["failed"] == 9
    assert all("budget" in why for why in got["errors"].values())
    if budget in (0, 50):
        assert got["done"] == (9 if budget else 0)


@pytest.mark.parametrize("answered", [True, False])
def test_a_rerun_counts_what_calls_of_unknown_cost_may_have_cost(
    sandbox, workspace, auth, answered
):
    """Also of a file that failed, which has no answer, and before anything is sent."""
    said = answer({"body": {"model": MODEL}})
    said |= {"usage": None} | ({} if answered else {"choices": []})
    sandbox.answers["create_chat_completion"] = lambda _: said
    workspace.storage = False
    for n in range(4):
        sandbox.objects[f"/sandbox/objects/{n}"] = "text/plain", f"letter {n}".encode()
    files = [f"{sandbox.url}/sandbox/objects/{n}" for n in range(4)]
    budget = {"job_files": 4, "budget_usd": 1e-4}  # for one call
    (part,) = split_files(auth, files=files, **budget)["parts"]
    given = {"action": "ask", "question": "Who?", "model": MODEL}
    given |= {"part": json.dumps(part["rows"]), "budget_usd": part["budget_usd"]}

    results = [map_files(auth, **given) for _ in range(4)]

    assert len(asked(sandbox)) == 1
    assert {one["done"] for one in results} == {int(answered)}
    assert all(one["cost_usd"] is None for one in results if answered)

    def all_of(arguments):
        return answer(arguments)

    sandbox.answers["create_chat_completion"] = all_of
    given["budget_usd"] = 1.0
    got = map_files(auth, **given)
    assert got["done"] == 4
    assert (got["cost_usd"], bool(got["cost_note"])) == (None, True)


@pytest.mark.parametrize("ending", ["refused", "answered", "unknown again", "is gone"])
def test_a_part_does_not_know_its_cost_where_a_file_s_call_was_lost(
    ending, sandbox, workspace, auth
):
    """In the run before, however the file ends in this one."""
    workspace.storage = False
    for n in range(2):
        sandbox.objects[f"/sandbox/objects/{n}"] = "text/plain", f"letter {n}".encode()
    files = [f"{sandbox.url}/sandbox/objects/{n}" for n in range(2)]
    (part,) = split_files(auth, files=files, job_files=4)["parts"]
    given = {"action": "ask", "question": "Who?", "model": MODEL}
    given["part"] = json.dumps(part["rows"])

    def lose_one(arguments):
        lost = {"choices": []} if "letter 1" in str(arguments["body"]) else {}
        return {**answer(arguments), **lost}

    sandbox.answers["create_chat_completion"] = lose_one
    first = map_files(auth, **given)
    if ending == "refused":
        sandbox.faults.append(Fault("completions", 400, times=9))
    if ending == "answered":
        sandbox.answers["create_chat_completion"] = answer
    if ending == "is gone":
        del sandbox.objects["/sandbox/objects/1"]
    second = map_files(auth, **given)

    assert (first["done"], first["unknown"], first["cost_usd"]) == (1, 1, None)
    assert second["unknown"] == (ending != "answered")
    assert second["cost_usd"] is None
    assert "that failed" in second["cost_note"]
    assert second["usage"]["total_tokens"] == 12 * second["done"]


def test_a_key_that_is_refused_fails_each_job_at_once(engine, sandbox, place):
    sandbox.faults.append(Fault("completions", 401, times=10**6))

    run = flow(engine, letters(place, 4), job_files=2)

    assert "None of the 4 files was done" in run.error["message"]
    assert len(asked(sandbox)) == 2


def test_a_call_that_hung_leaves_the_cost_unknown(engine, sandbox, place):
    def say(arguments):
        said = answer(arguments)
        if "letter 1" in str(arguments["body"]):
            said["choices"][0]["message"]["content"] = ""
        return said

    sandbox.answers["create_chat_completion"] = say

    run = flow(engine, letters(place, 2), job_files=2)

    assert run.result["done"] == 1
    assert run.result["cost_usd"] is None
    assert "that failed" in run.result["cost_note"]


def test_a_call_that_hung_in_a_run_before_leaves_the_cost_unknown(
    engine, sandbox, place
):
    """Though this time the file was refused, which cost nothing."""
    sandbox.answers["create_chat_completion"] = lambda given: (
        {**answer(given), "choices": []}
        if "letter 1" in str(given["body"])
        else answer(given)
    )
    files = letters(place, 3)
    assert flow(engine, files, job_files=3).result["cost_usd"] is None

    sandbox.faults.append(Fault("completions", 400, times=1))
    run = flow(engine, files, job_files=3)

    assert (run.result["done"], run.result["failed"]) == (2, 1)
    assert run.result["cost_usd"] is None
    assert "that failed" in run.result["cost_note"]


@pytest.mark.parametrize("path", ["u/admin/key", "f/x/../togetherai_files/a", "$var:x"])
def test_answers_are_read_from_the_files_records_alone(auth, workspace, path):
    parts = split_files(auth, files=["s3:///a"])["parts"]
    got = json.dumps([{"answers": path, "done": 1}])
    with pytest.raises(TogetherError, match="names no answers"):
        join_table(auth, json.dumps(parts), got, kind="map_files")


def test_rows_that_are_no_part_are_refused(auth, workspace):
    for part in ("", "x", "[]", '{"rows": [{"file": "s3:///a"}]}'):
        with pytest.raises(TogetherError, match="part"):
            map_files(auth, "read", part)


def test_a_second_run_over_the_same_files_is_refused(
    engine, sandbox, auth, place, workspace, monkeypatch
):
    other = "0193c4e5-0000-7000-8000-000000000000"
    job = workspace.jobs[other] = Job("f/other/run", "script", {}, {})
    files = letters(place, 3)
    asks = {"action": "ask", "question": "Who?", "model": MODEL, "speakers": False}
    with monkeypatch.context() as patch:
        patch.setenv("WM_FLOW_JOB_ID", other)
        split_files(auth, files=files, asked=asks)

    run = flow(engine, files)
    assert f"job {other} asks the same" in run.error["message"]
    assert not asked(sandbox)

    job.done.set()
    assert flow(engine, files).result["done"] == 3
    assert not [path for path in workspace.resources if "_leases/" in path]
