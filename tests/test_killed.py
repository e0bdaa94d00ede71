"""kill -9 at many moments of what costs money: nothing is paid twice, nothing is lost,
and the run after it ends.

Windmill ends a job by SIGKILL, for its time limit, a cancel or want of memory. A moment
is a request of the job, before or after it was carried out.
"""

import copy
import json
import random
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from tests.support.killable_worker import JobError, Killer, Worker
from tests.support.probing import report, seed, whole
from tools.flows import flow_engine
from tools.flows.flow_engine import Engine
from tools.local.fake_workspace import Workspace
from tools.models import model
from tools.sandbox import Sandbox

pytestmark = pytest.mark.slow

MODEL = model("chat")
BASE = "meta-llama/Meta-Llama-3.1-8B-Instruct-Reference"
PART, LANES = 5, 2
SMALL = {"checkpoint.PART_ROWS": PART, "checkpoint.LIST_PARTS": 2}
MOMENTS = 20  # of a probe; all of them where there are fewer
IN_CI = 4
ROWS = [{"text": f"text {n}"} for n in range(24)]
QUESTIONS = [{"question": f"What is {n}?", "answer": f"{n}."} for n in range(20)]
TEXT = [{"text": f"an example, the {n}th"} for n in range(20)]


class Trial:
    """A job, or a flow, that is killed at a moment and run again."""

    def __init__(self, sandbox: Sandbox, workspace: Workspace, worker: Worker) -> None:
        self.servers = [sandbox, workspace]
        self.sandbox, self.workspace, self.worker = [*self.servers, worker]
        self.kinds = ("batch", "fine-tune")
        self.kills = 0
        self.stored: dict = {}  # files that are there at the beginning
        # The workspace's resources and objects as the killed job left them.
        self.left: dict = {}
        self.objects: set = set()

    def begin(self) -> None:
        self.sandbox.requests.clear()
        self.sandbox.files.clear()
        self.sandbox.files.update(self.stored)
        self.sandbox.uploads.forget()
        for kind in self.kinds:
            self.sandbox.lifecycles[kind].lives.clear()
        self.workspace.configure()

    def moments(self, run: Callable[[], object]) -> Iterator[tuple[int, bool]]:
        """Run once without a kill; yield some of the moments that there are."""
        self.begin()
        with self.killing(-1, True) as killer:
            assert run() is not None
        found = [(at, before) for at in range(killer.count) for before in (True, False)]
        wanted = MOMENTS if whole() else IN_CI
        if len(found) > wanted:
            found = sorted(random.Random(seed()).sample(found, wanted))
        yield from found

    def killing(self, at: int, before: bool) -> "_Killing":
        return _Killing(self.servers, Killer(self.worker, at, before))

    def made(self, kind: str) -> dict:
        return self.sandbox.lifecycles[kind].lives


class _Killing:
    def __init__(self, servers: list, killer: Killer) -> None:
        self.servers, self.killer = servers, killer

    def __enter__(self) -> Killer:
        for server in self.servers:
            server.answer = self.killer.wrap(server.answer)
        return self.killer

    def __exit__(self, *_: object) -> None:
        for server in self.servers:
            del server.answer  # the class's own shows again


@pytest.fixture
def trial(sandbox, lifecycles, workspace, worker):
    def reply(arguments: dict) -> dict:
        body = arguments["body"]
        message = {
            "role": "assistant",
            "content": body["messages"][-1]["content"].upper(),
        }
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
        return {"id": "c", "object": "chat.completion", "model": body["model"],
                "choices": [choice], "usage": usage}  # fmt: skip

    sandbox.answers["create_chat_completion"] = reply
    return Trial(sandbox, workspace, worker)


def job(trial: Trial, script: str, arguments: dict, number: int = 0) -> object:
    environment = {**trial.workspace.environment}
    if number:  # the job that dies is another than the one that runs after it
        environment["WM_JOB_ID"] = f"00000000-0000-4000-8000-{number:012}"
    return trial.worker.run(script, arguments, environment, SMALL)


def killed(trial: Trial, script: str, arguments: dict) -> Iterator[tuple[str, object]]:
    """Kill the job at each moment and run it again: (moment, the second result)."""
    count = 0
    moments = trial.moments(lambda: job(trial, script, arguments))
    for number, (at, before) in enumerate(moments, 1):
        trial.begin()
        with trial.killing(at, before):
            died = job(trial, script, arguments, number) is None
        trial.left = copy.deepcopy(trial.workspace.resources)
        trial.objects = {key for _, key in trial.workspace.objects}
        count += died
        if died:
            yield (
                f"{'before' if before else 'after'} {at}",
                job(trial, script, arguments),
            )
    assert count >= IN_CI // 2
    report(f"killed-{script}", [f"{script}: killed at {count} moments, and run again"])


def prompts(trial: Trial) -> Counter:
    bodies = [
        json.loads(r.body) for r in trial.sandbox.requests if "completions" in r.path
    ]
    return Counter(body["messages"][-1]["content"] for body in bodies)


def test_map_rows(trial, auth):
    arguments = {"auth": auth, "model": MODEL, "template": "{{text}}", "rows": ROWS}
    arguments["concurrency"] = LANES
    most = 0
    for moment, result in killed(trial, "chat.map_rows", arguments):
        answers = [row["answer"] for row in result["rows"]]
        assert answers == [f"TEXT {n}" for n in range(len(ROWS))], moment
        parts = {
            part["object"]["key"]: part["rows"]
            for state in trial.left.values()
            for part in state["value"]["parts"]
        }
        kept = sum(rows for key, rows in parts.items() if key in trial.objects)
        assert kept % PART == 0, moment
        most = max(most, kept)
        asked = prompts(trial)
        again = {n for n in range(len(ROWS)) if asked[f"text {n}"] > 1}
        assert not again & {*range(kept)}, moment
        assert not trial.workspace.resources, moment
    assert most  # what is kept is kept while the job goes on


def test_submit_rows(trial, auth):
    arguments = {"auth": auth, "model": MODEL, "template": "{{text}}", "rows": ROWS}
    for moment, result in killed(trial, "batches.submit_rows", arguments):
        assert list(trial.made("batch")) == [result["batch_id"]], moment
        assert result["input_file_id"] in trial.sandbox.files, moment


def test_upload_file(trial, auth):
    body = {"purpose": "fine-tune", "file_name": "a.jsonl", "file": TEXT}
    for moment, result in killed(
        trial, "files.upload_file", {"auth": auth, "body": body}
    ):
        # What was announced and never sent holds nothing and costs nothing.
        stored = {name for name, (_, data) in trial.sandbox.files.items() if data}
        assert stored == {result["id"]}, moment
        assert trial.sandbox.files[result["id"]][1].count(b"\n") == len(TEXT), moment


def test_submit_fine_tune(trial, auth):
    trial.stored["file-t"] = {"id": "file-t", "filename": "t.jsonl"}, b'{"text":"a"}\n'
    arguments = {"auth": auth, "model": BASE, "training_file": "file-t"}
    for moment, result in killed(trial, "fine_tuning.submit_fine_tune", arguments):
        assert list(trial.made("fine-tune")) == [result["fine_tune_id"]], moment


# --- flows -------------------------------------------------------------------------


def _resumed(links: dict) -> None:
    """The approver agrees at once."""
    urllib.request.urlopen(urllib.request.Request(links["resume"], b"{}"))


@pytest.fixture
def flow(trial, lifecycles, auth, monkeypatch):
    """Runs a flow whose steps are jobs that can be killed."""

    def step(name: str, given: dict, environment: dict) -> tuple[bool, object]:
        try:
            result = trial.worker.run(name.replace("/", "."), given, environment)
        except JobError as error:
            kind, _, words = str(error).partition(": ")
            return False, {"error": {"name": kind, "message": words}}
        if result is None:
            trial.kills += 1
            return False, {"error": {"name": "ExecutionErr", "message": "killed"}}
        return True, result

    monkeypatch.setattr(flow_engine, "call_script", step)

    def run(name: str, arguments: dict) -> flow_engine.Run:
        engine = Engine(trial.workspace, auth, lifecycles.advance)
        engine.decide = _resumed
        return engine.run(name, **arguments)

    return run


def killed_flow(
    trial: Trial, run: Callable, name: str, arguments: dict
) -> Iterator[tuple[str, object]]:
    def first() -> object:
        found = run(name, arguments)
        assert found.outcome == "success", found.result
        return found

    failed = 0
    for at, before in trial.moments(first):
        trial.begin()
        with trial.killing(at, before):
            ended = run(name, arguments)
        if ended.outcome == "failure":  # else the flow itself tried the step again
            failed += 1
            ended = run(name, arguments)
        assert ended.outcome == "success", (at, before, ended.result)
        yield f"{'before' if before else 'after'} {at}", ended.result
    assert trial.kills >= IN_CI // 2
    words = (
        f"{name}: a step was killed {trial.kills} times; {failed} flows were run again"
    )
    report(f"killed-{name}", [words])


def test_the_flow_run_batch(trial, flow):
    arguments = {"model": MODEL, "template": "{{text}}", "rows": ROWS[:3]}
    for moment, result in killed_flow(trial, flow, "run_batch", arguments):
        assert len(trial.made("batch")) == 1, moment
        assert [row["answer"] for row in result["rows"]] == [
            f"TEXT {n}" for n in range(3)
        ], moment


def test_the_flow_fine_tune_model(trial, flow):
    arguments = {"model": BASE, "dataset": QUESTIONS}
    for moment, _ in killed_flow(trial, flow, "fine_tune_model", arguments):
        assert len(trial.made("fine-tune")) == 1, moment


def test_the_flow_run_agent(trial, flow, monkeypatch):
    """No tool runs twice, and a question that was asked twice is told."""
    del trial.sandbox.answers["create_chat_completion"]  # the model that is told calls
    found, begin = [], trial.begin

    def find_order(number):
        found.append(number)
        return {"number": number}

    def begin_with_the_shop():
        begin()
        found.clear()
        trial.workspace.register("f/shop/find_order", find_order)

    monkeypatch.setattr(trial, "begin", begin_with_the_shop)
    calls = [{"tool": "find_order", "arguments": {"number": n}} for n in range(3)]
    prompt = json.dumps({"rounds": [calls[:2], calls[2:]], "answer": "Sent."})
    arguments = {"model": MODEL, "prompt": prompt}
    arguments["tools"] = [{"path": "f/shop/find_order"}]
    for moment, result in killed_flow(trial, flow, "run_agent", arguments):
        assert sorted(found) == [0, 1, 2], moment
        assert (result["text"], result["rounds"]) == ("Sent.", 2), moment
        again = sum(prompts(trial).values()) - 3
        assert again in (0, 1), moment
        assert not again or "asked again" in result["note"], moment


def test_a_killed_job_is_one_that_gave_no_result(trial, auth):
    """The means themselves: a kill before the first request leaves no result."""
    with trial.killing(0, True) as killer:
        result = job(trial, "chat.map_rows", {
            "auth": auth, "model": MODEL, "template": "{{text}}", "rows": ROWS[:1]
        }, 1)  # fmt: skip
    assert result is None
    assert killer.count >= 1
