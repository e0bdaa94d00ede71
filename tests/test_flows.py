"""Every flow, run by the interpreter of tools/flows/flow_engine.py against the
sandbox.

Sleeps are virtual. The wait flows have their own tests in test_wait_steps.py.
"""

import json
import urllib.request

import pytest
import requests

from scripts.service_jobs.job_kinds import KINDS
from scripts.upload import service_limits
from scripts.workspace import signed_address
from tests.support.canned_chat import completion
from tests.support.expected_request import main_of
from tests.support.form_values import sent
from tests.test_deployment_steps import (
    instances,
    profiles,
    refuse,
    shows_configurations,
)
from tools.flows import flow_engine
from tools.flows.flow_engine import FOLDER, RESOURCE, Engine
from tools.flows.pack_flows import flows, schedules
from tools.local.fake_workspace import TOKEN
from tools.models import listed, model
from tools.operations import find
from tools.sandbox import Fault

MODEL = model("chat")
ROWS = [{"text": f"text {n}"} for n in range(3)]
COMPOSED = sorted(flow.name for flow in flows() if not flow.inner)


@pytest.fixture
def engine(request, workspace, lifecycles, auth):
    way = getattr(request, "param", None)
    how = {"in_worker": way == "worker", "by_form": sent if way == "form" else None}
    return Engine(workspace, auth, lifecycles.advance, **how)


# As a schedule starts it and as its form does; its steps as functions of this process,
# and as jobs of a worker's processes.
started_in_every_way = pytest.mark.parametrize(
    "engine",
    ["schedule", "form", pytest.param("worker", marks=pytest.mark.slow)],
    indirect=True,
)


def says(sandbox, answer):
    """Let chat models answer by a function of the last message's text."""

    def reply(arguments):
        body = arguments["body"]
        return completion(body, answer(body["messages"][-1]["content"]))

    sandbox.answers["create_chat_completion"] = reply


def answers(link):
    """An approver who follows one of the links at once."""

    def decide(links):
        urllib.request.urlopen(urllib.request.Request(links[link], b"{}"))

    return decide


def lines(content):
    return [json.loads(line) for line in content.splitlines()]


# --- batches -----------------------------------------------------------------------

BATCH = {"model": MODEL, "template": "Say {{text}}", "rows": ROWS}


@started_in_every_way
def test_run_batch_joins_the_answers_to_the_rows(engine, sandbox):
    says(sandbox, str.upper)

    run = engine.run("run_batch", **BATCH)

    assert run.outcome == "success", run.result
    assert [row["answer"] for row in run.result["rows"]] == [
        f"SAY TEXT {n}" for n in range(3)
    ]
    assert run.result["done"] == 3


def test_run_batch_stores_the_table(engine, sandbox, workspace):
    says(sandbox, str.upper)

    run = engine.run("run_batch", **BATCH, output="storage", answer_column="loud")

    rows = lines(workspace.content(run.result["s3"]))
    assert [row["loud"] for row in rows] == [f"SAY TEXT {n}" for n in range(3)]


def test_a_flow_s_model_may_be_given_by_its_id(engine, sandbox):
    chosen = {"model": "other", "other_model": "me/own-model"}
    run = engine.run("run_batch", **{**BATCH, **chosen})

    assert run.outcome == "success", run.result
    kept = sandbox.files.values()
    (asked,) = (lines(text) for about, text in kept if about["purpose"] == "batch-api")
    assert {line["body"]["model"] for line in asked} == {"me/own-model"}


def test_run_batch_overwrites_no_column_and_sends_nothing(engine, sandbox, lifecycles):
    run = engine.run("run_batch", **{**BATCH, "rows": [{"text": "a", "answer": "b"}]})

    assert "Answer column (answer_column) is 'answer'" in run.error["message"]
    assert not lifecycles["batch"].lives


def test_run_batch_gives_the_bare_table(engine, sandbox):
    says(sandbox, str.upper)

    run = engine.run("run_batch", **BATCH, output="table")

    assert [row["answer"] for row in run.result] == [f"SAY TEXT {n}" for n in range(3)]


def test_run_batch_that_fails_says_why_and_that_nothing_runs(engine, lifecycles):
    lifecycles.fail_next("batch", "no credit left")

    run = engine.run("run_batch", **BATCH)

    assert "no credit left" in run.error["message"]
    assert run.result["left"][0]["running"] is False
    assert "Nothing was left running" in run.result["message"]


def test_run_batch_past_its_deadline_says_what_goes_on(engine, lifecycles):
    lifecycles["batch"].plan["IN_PROGRESS"] = 20 * 3600

    run = engine.run("run_batch", **BATCH, deadline_hours=1)

    (left,) = run.result["left"]
    assert (left["state"], left["running"]) == ("IN_PROGRESS", True)
    assert left["job_id"] in run.result["message"]
    assert run.result["kept"]["batch_id"] == left["job_id"]


def test_run_batch_cancelled_here_is_cancelled_there(engine, lifecycles):
    run = engine.start("run_batch", **BATCH)
    engine.work(until=200)
    engine.cancel(run)
    engine.work()

    (batch,) = lifecycles["batch"].lives
    assert lifecycles.state(batch) == "CANCELLED"


def test_run_batch_run_again_pays_once(engine, sandbox, lifecycles):
    says(sandbox, str.upper)
    first = engine.start("run_batch", **BATCH)
    engine.work(until=100)
    second = engine.run("run_batch", **BATCH)

    assert len(lifecycles["batch"].lives) == 1
    assert first.result["rows"] == second.result["rows"]
    assert second.count("waits/start_guard") == 0


def test_run_batch_makes_as_many_batches_as_a_table_needs(
    engine, sandbox, lifecycles, monkeypatch
):
    monkeypatch.setattr(service_limits, "BATCH_LINES", 2)
    says(sandbox, str.upper)

    run = engine.run("run_batch", **BATCH)

    assert run.outcome == "success", run.result
    assert [row["answer"] for row in run.result["rows"]] == [
        f"SAY TEXT {n}" for n in range(3)
    ]
    assert len(lifecycles["batch"].lives) == len(run.result["batches"]) == 2


def test_run_batch_cancelled_here_cancels_all_of_its_batches(
    engine, lifecycles, monkeypatch
):
    monkeypatch.setattr(service_limits, "BATCH_LINES", 1)
    run = engine.start("run_batch", **BATCH)
    engine.work(until=200)
    engine.cancel(run)
    engine.work()

    assert [lifecycles.state(batch) for batch in lifecycles["batch"].lives] == [
        "CANCELLED"
    ] * 3


def test_run_batch_over_budget_sends_nothing(engine, lifecycles, sandbox):
    run = engine.run("run_batch", **BATCH, max_tokens=100000, budget_usd=0.000001)

    assert run.outcome == "failure"
    assert not lifecycles["batch"].lives


@started_in_every_way
def test_collect_finished_batches_stores_each_once(
    engine, sandbox, lifecycles, workspace
):
    says(sandbox, str.upper)
    assert engine.run("collect_finished_batches").result == []
    for name in ("a", "b"):
        rows = [{"text": name}]
        engine.run("run_batch", model=MODEL, template="Say {{text}}", rows=rows)

    run = engine.run("collect_finished_batches")

    assert run.outcome == "success", run.result
    stored = [lines(workspace.content(b["s3"])) for b in run.result["batches"]]
    assert [rows[0]["answer"] for rows in stored] == ["SAY A", "SAY B"]
    assert engine.run("collect_finished_batches").result == []


def test_collect_finished_batches_stores_why_a_batch_has_no_answer(
    engine, sandbox, lifecycles, workspace
):
    engine.run("collect_finished_batches")
    lifecycles.fail_next("batch", "too slow", "EXPIRED", after=1)
    engine.run("run_batch", **BATCH)

    run = engine.run("collect_finished_batches")

    assert run.outcome == "success", run.result
    assert run.result["message"] == "1 batch has ended, 1 of them without an answer."
    (batch,) = run.result["batches"]
    assert (batch["done"], batch["failed"]) == (0, 3)
    assert "expired" in batch["problem"]
    rows = lines(workspace.content(batch["s3"]))
    assert all("expired" in row["answer_error"] for row in rows)
    assert engine.run("collect_finished_batches").result == []


def test_collect_finished_batches_fails_when_one_cannot_be_collected(
    engine, sandbox, lifecycles
):
    engine.run("collect_finished_batches")
    engine.run("run_batch", **BATCH)
    sandbox.faults.append(Fault("/v1/files/.*/content", 404, times=99))

    run = engine.run("collect_finished_batches")

    assert run.outcome == "failure"
    assert "404" in run.result["message"]


FOLDER_BATCH = {"folder": "inbox", "model": MODEL, "template": "Say {{text}}"}


@started_in_every_way
def test_run_folder_batches_takes_each_table_once(
    engine, sandbox, lifecycles, workspace
):
    says(sandbox, str.upper)
    workspace.put("inbox/a.csv", b"text\nhello\n")
    workspace.put("inbox/b.csv", b"text\nworld\n")
    workspace.put("outbox/c.csv", b"text\nno\n")

    run = engine.run("run_folder_batches", **FOLDER_BATCH)

    assert run.outcome == "success", run.result
    tables = {table["table"]: table for table in run.result["tables"]}
    assert tables.keys() == {"inbox/a.csv", "inbox/b.csv"}
    found = lines(workspace.content(tables["inbox/b.csv"]["answers"]))
    assert found[0]["answer"] == "SAY WORLD"
    assert engine.run("run_folder_batches", **FOLDER_BATCH).result == []
    workspace.put("inbox/d.csv", b"text\nagain\n")
    later = engine.run("run_folder_batches", **FOLDER_BATCH).result
    assert (later["message"], len(later["tables"])) == ("1 table was new.", 1)


def test_run_folder_batches_goes_on_after_a_bad_table_and_says_so(
    engine, sandbox, lifecycles, workspace
):
    says(sandbox, str.upper)
    workspace.put("inbox/a.csv", b"other\nhello\n")
    workspace.put("inbox/b.csv", b"text\nworld\n")

    run = engine.run("run_folder_batches", **FOLDER_BATCH)

    assert run.outcome == "failure"
    assert run.result["message"].startswith("2 tables were new: Nothing was sent: ")
    assert "text" in run.result["message"]
    tables = run.result["error"]["extra"]["details"]["tables"]
    assert [bool(table["answers"]) for table in tables] == [False, True]


@pytest.mark.parametrize(
    "schedule",
    [one for one in schedules() if one.source["runs"].startswith("flows/")],
    ids=lambda schedule: schedule.name,
)
def test_a_scheduled_flow_works_with_what_its_schedule_gives(
    engine, sandbox, workspace, schedule
):
    says(sandbox, str.upper)
    workspace.put("inbox/a.csv", b"text\nhello\n")
    name = schedule.source["runs"].removeprefix("flows/")

    run = engine.run(name, **schedule.source.get("args", {}))

    assert run.outcome == "success", run.result


# --- evaluations -------------------------------------------------------------------

JUDGED = {
    "classify": {
        "labels": ["good", "bad"],
        "pass_labels": ["good"],
        "column_a": "text",
    },
    "score": {
        "min_score": 0,
        "max_score": 10,
        "pass_threshold": 5,
        "model_a": MODEL,
        "template": "{{text}}",
    },
    "compare": {"model_a": MODEL, "model_b": "other/model", "template": "{{text}}"},
}


@started_in_every_way
@pytest.mark.parametrize("type", JUDGED)
def test_evaluate_models_adds_up_the_verdicts(type, engine):
    words = {"type": type, "judge_model": MODEL, "judge_prompt": "Is it?", "rows": ROWS}

    run = engine.run("evaluate_models", **words, **JUDGED[type])

    assert run.outcome == "success", run.result
    assert run.result["type"] == type
    counted = {
        "classify": run.result["label_counts"],
        "score": run.result["mean_score"],
        "compare": run.result["a_wins"],
    }
    assert counted[type] == {"classify": {"good": 2, "bad": 1}, "score": 2.5}.get(
        type, 1
    )


def test_evaluate_models_that_fails_says_why(engine, lifecycles):
    lifecycles.fail_next("evaluation", "the judge is gone", state="user_error")
    words = {"type": "classify", "judge_model": MODEL, "judge_prompt": "Is it?"}

    run = engine.run("evaluate_models", **words, rows=ROWS, **JUDGED["classify"])

    assert "the judge is gone" in run.error["message"]
    assert run.result["kept"]["evaluation_id"]


# --- serving -----------------------------------------------------------------------

SERVE = {"model": MODEL, "endpoint_name": "chat"}


def deployment(lifecycles):
    (life,) = lifecycles["deployment"].lives.values()
    return life.state(lifecycles.clock.now()).removeprefix("DEPLOYMENT_STATE_")


@started_in_every_way
def test_serve_model_serves_after_an_approval(engine, lifecycles):
    asked = []

    def decide(links):
        asked.append(links["description"]["markdown"])
        answers("resume")(links)

    engine.decide = decide

    run = engine.run("serve_model", **SERVE)

    assert run.outcome == "success", run.result
    assert run.result["approved"]
    assert run.result["model"] == "sandbox/chat"
    assert run.result["deployment"]["state"] == deployment(lifecycles) == "READY"
    assert "gpus: 1" in asked[0]


@pytest.mark.parametrize("link", ["cancel", None])
def test_serve_model_refused_or_not_answered_makes_nothing(link, engine, lifecycles):
    if link:
        engine.decide = answers(link)

    run = engine.run("serve_model", **SERVE)

    assert run.outcome == "success"
    assert run.result["approved"] is False
    assert not lifecycles["deployment"].lives
    assert run.ended == (0 if link else 172800)


COMPARED = {"judge_model": MODEL, "base_model": "base", "prompts": [{"prompt": "Hi"}]}


def test_serve_model_compares_first_and_stays_when_approved(engine, lifecycles):
    engine.decide = answers("resume")

    run = engine.run("serve_model", **SERVE, **COMPARED)

    assert run.outcome == "success", run.result
    assert run.result["comparison"]["a_wins"] == 1
    assert deployment(lifecycles) == "READY"


def test_serve_model_is_stopped_when_the_comparison_does_not_convince(
    engine, lifecycles
):
    links = iter(["resume", "cancel"])
    engine.decide = lambda found: answers(next(links))(found)

    run = engine.run("serve_model", **SERVE, **COMPARED)

    assert run.outcome == "success"
    assert run.result["approved"] is False
    assert run.result["comparison"]["a_wins"] == 1
    assert deployment(lifecycles) in ("STOPPING", "STOPPED")


def test_serve_model_that_cannot_start_says_what_was_left(engine, lifecycles):
    engine.decide = answers("resume")
    lifecycles.fail_next("deployment", "no capacity")

    run = engine.run("serve_model", **SERVE)

    assert "no capacity" in run.error["message"]
    assert run.result["left"][0]["state"] == "FAILED"


def test_serve_model_cancelled_while_it_starts_is_stopped(engine, lifecycles):
    engine.decide = answers("resume")
    run = engine.start("serve_model", **SERVE)
    engine.work(until=100)
    engine.cancel(run)
    engine.work()

    assert deployment(lifecycles) in ("STOPPING", "STOPPED")


def deployed(auth, lifecycles, seconds=400, **more):
    """Serve the model, so long before any flow does; the step's result."""
    made = main_of(find("deploy_model"))(auth, *SERVE.values(), **more)
    lifecycles.advance(seconds)
    return made


def test_serve_model_asks_for_the_price_of_what_exists(
    engine, lifecycles, sandbox, auth
):
    profiles(sandbox, ("cr_8", 8), ("cr_2", 2))
    instances(sandbox, x1=250, x2=520, x8=1900)
    shows_configurations(lifecycles)
    made = deployed(auth, lifecycles, config="cr_8")
    main_of(find("cancel_job"))(auth, "deployment", made["job_id"])
    lifecycles.advance(400)
    asked = []

    def decide(links):
        asked.append(links["description"]["markdown"])
        answers("resume")(links)

    engine.decide = decide

    run = engine.run("serve_model", **SERVE, replicas=2, inactive_minutes=30)

    assert "38 USD an hour" in asked[0]
    for line in ("gpus: 8", "replicas: 2", "after idle minutes: 30", "already: no"):
        assert line in asked[0]
    served = run.result["deployment"]
    assert (served["gpu_count"], served["replicas"]) == (8, 2)
    assert run.result["usd_per_hour"] == 38
    (life,) = lifecycles["deployment"].lives.values()
    assert life.kept["autoscaling"]["minReplicas"] == 2
    assert life.kept["inactiveTimeout"] == 30


def test_serve_model_says_what_runs_already_and_is_asked_for(engine, lifecycles, auth):
    deployed(auth, lifecycles, replicas=2)
    asked = []

    def decide(links):
        asked.append(links["description"]["markdown"])
        answers("resume")(links)

    engine.decide = decide

    run = engine.run("serve_model", **SERVE, inactive_minutes=0)

    for line in ("replicas: 2", "after idle minutes: 60", "already: yes"):
        assert line in asked[0]
    assert "idle minutes 60, not 0" in run.result["deployment"]["note"]


def test_serve_model_starts_nothing_but_what_was_approved(
    engine, lifecycles, sandbox, auth
):
    profiles(sandbox, ("cr_8", 8), ("cr_2", 2))
    shows_configurations(lifecycles)

    def decide(links):
        deployed(auth, lifecycles, config="cr_8")  # by somebody else, in these two days
        answers("resume")(links)

    engine.decide = decide

    run = engine.run("serve_model", **SERVE)

    assert "has another configuration: projects/p/configs/cr_8" in run.error["message"]
    assert run.count("endpoints/deploy_model") == 0


def test_serve_model_does_not_stop_what_ran_before(engine, lifecycles, auth):
    deployed(auth, lifecycles)
    links = iter(["resume", "cancel"])
    engine.decide = lambda found: answers(next(links))(found)

    run = engine.run("serve_model", **SERVE, **COMPARED)

    assert run.result["approved"] is False
    assert "goes on" in run.result["message"]
    assert run.result["deployment"]["started"] is False
    assert deployment(lifecycles) == "READY"


# Each try but the last takes up what the one before has made: it is this flow's still.
def test_serve_model_that_was_deployed_by_its_second_try_is_stopped(engine, lifecycles):
    mend = refuse(lifecycles, "update_project_endpoint", 403)
    links = iter(["resume", "cancel"])
    engine.decide = lambda found: answers(next(links))(found)
    run = engine.start("serve_model", **SERVE, **COMPARED)
    engine.work(until=10)
    mend()
    engine.work()

    assert run.result["deployment"]["cancelled"], run.result
    assert deployment(lifecycles) in ("STOPPING", "STOPPED")


def test_serve_model_without_requests_says_what_is_charged(engine, lifecycles):
    engine.decide = answers("resume")
    refuse(lifecycles, "update_project_endpoint", 403)

    run = engine.run("serve_model", **SERVE)

    (left,) = run.result["left"]
    assert left["running"]
    assert left["job_id"] in run.result["message"]
    assert "Nothing was left running" not in run.result["message"]


# Flows, with an operation by which each begins something that is charged.
BEGUN = {
    "make_video": "create_video",
    "run_batch": "create_batch",
    "serve_model": "create_endpoint_deployment",
    "run_on_endpoint": "create_endpoint_deployment",
    "fine_tune_model": "create_fine_tune",
    "evaluate_models": "create_evaluation",
}


def least(name):
    """Arguments with which a flow of these goes well."""
    words = {
        "run_batch": BATCH,
        "serve_model": SERVE,
        "run_on_endpoint": ON_ENDPOINT,
        "fine_tune_model": TUNE,
        "evaluate_models": {
            "type": "classify",
            "judge_model": MODEL,
            "judge_prompt": "Is it?",
            "rows": ROWS,
            **JUDGED["classify"],
        },
    }
    flow = next(flow for flow in flows() if flow.name == name)
    return words.get(name) or flow.source["arguments"]["examples"][0]


@pytest.mark.parametrize("name", BEGUN)
def test_what_may_run_is_never_said_not_to(name, engine, lifecycles):
    engine.decide = answers("resume")
    refuse(lifecycles, BEGUN[name], 500)

    run = engine.run(name, **least(name))

    assert run.outcome == "failure"
    assert run.result["error"]["extra"]["ambiguous"], run.result
    assert "Nothing was left running" not in run.result["message"]
    assert "is not known" in run.result["message"]


@pytest.mark.parametrize("name", sorted(BEGUN.keys() - {"make_video"}))
def test_what_was_begun_though_its_answer_was_lost_is_found(
    name, engine, sandbox, lifecycles
):
    engine.decide = answers("resume")
    refuse(lifecycles, BEGUN[name], 500, carried_out=True)

    run = engine.run(name, **least(name))

    assert run.outcome == "success", run.result


ON_ENDPOINT = {**SERVE, "rows": ROWS, "template": "Say {{text}}"}


@started_in_every_way
def test_run_on_endpoint_asks_and_stops(engine, sandbox, lifecycles):
    says(sandbox, str.upper)

    run = engine.run("run_on_endpoint", **ON_ENDPOINT)

    assert run.outcome == "success", run.result
    rows = run.result["result"]["rows"]
    assert [row["answer"] for row in rows] == [f"SAY TEXT {n}" for n in range(3)]
    assert deployment(lifecycles) == "STOPPED"
    asked = [r for r in sandbox.requests if r.path == "/v1/chat/completions"]
    assert {r.json["model"] for r in asked} == {"sandbox/chat"}


def test_run_on_endpoint_starts_the_same_one_again(engine, sandbox, lifecycles):
    says(sandbox, str.upper)
    engine.run("run_on_endpoint", **ON_ENDPOINT)

    again = engine.run("run_on_endpoint", **ON_ENDPOINT)

    assert again.outcome == "success"
    assert len(lifecycles["deployment"].lives) == 1
    assert deployment(lifecycles) == "STOPPED"


@pytest.mark.parametrize("fails", [False, True])
def test_run_on_endpoint_does_not_stop_what_ran_before(
    fails, engine, sandbox, lifecycles, auth
):
    says(sandbox, str.upper)
    deployed(auth, lifecycles)
    if fails:
        sandbox.faults.append(Fault("/v1/chat/completions", 401, times=99))

    run = engine.run("run_on_endpoint", **ON_ENDPOINT)

    assert run.outcome == ("failure" if fails else "success"), run.result
    assert "ran before and goes on" in run.result["message"]
    assert deployment(lifecycles) == "READY"


@pytest.mark.parametrize(
    ("name", "given"), [("serve_model", SERVE), ("run_on_endpoint", ON_ENDPOINT)]
)
def test_a_flow_that_is_cancelled_leaves_what_ran_before(
    name, given, engine, lifecycles, auth
):
    deployed(auth, lifecycles, seconds=0)
    engine.decide = answers("resume")
    run = engine.start(name, **given)
    engine.work(until=100)
    engine.cancel(run)
    engine.work()

    assert run.outcome == "cancelled"
    assert deployment(lifecycles) in ("PROVISIONING", "SCALING", "READY")


@pytest.mark.parametrize("before", [False, True])
def test_run_on_endpoint_that_gets_no_requests_is_stopped_if_it_was_started(
    before, engine, lifecycles, auth
):
    if before:
        made = deployed(auth, lifecycles)
        unshared = main_of(find("update_project_endpoint"))
        unshared(auth, made["endpoint_id"], body={"trafficSplit": []})
    refuse(lifecycles, "update_project_endpoint", 403)

    run = engine.run("run_on_endpoint", **ON_ENDPOINT)

    assert run.outcome == "failure"
    assert "403" in run.result["message"]
    assert run.result["left"][0]["running"] is before
    assert deployment(lifecycles) in (("READY",) if before else ("STOPPING", "STOPPED"))


def test_run_on_endpoint_stops_when_the_work_fails(engine, sandbox, lifecycles):
    sandbox.faults.append(Fault("/v1/chat/completions", 401, times=99))

    run = engine.run("run_on_endpoint", **ON_ENDPOINT)

    assert run.outcome == "failure"
    assert "401" in run.result["message"]
    assert deployment(lifecycles) == "STOPPED"


def test_run_on_endpoint_stops_what_does_not_start(engine, lifecycles):
    lifecycles["deployment"].plan["DEPLOYMENT_STATE_SCALING"] = 10**6

    run = engine.run("run_on_endpoint", **ON_ENDPOINT)

    assert run.outcome == "failure"
    assert "not done within" in run.result["message"]
    assert run.count("chat/map_rows") == 0
    assert deployment(lifecycles) == "STOPPED"


@pytest.mark.parametrize("at", [30, 200, 330])
def test_run_on_endpoint_is_stopped_when_cancelled(at, engine, lifecycles):
    run = engine.start("run_on_endpoint", **ON_ENDPOINT)
    engine.work(until=at)
    engine.cancel(run)
    engine.work()

    assert deployment(lifecycles) in ("STOPPING", "STOPPED")


def mine(ends):
    """A flow of the user's that sleeps for an hour and then ends so."""
    nap = {"id": "nap", "value": {"type": "identity"}}
    nap["sleep"] = {"type": "static", "value": 3600}
    told = {"type": "javascript", "expr": ends}
    step = {"type": "script", "path": f"{FOLDER}/waits/finish_flow"}
    step["input_transforms"] = {"message": {"type": "static", "value": "Done"}}
    step["input_transforms"] |= {
        "auth": {"type": "javascript", "expr": "flow_input.auth"},
        "details": {"type": "javascript", "expr": "({model: flow_input.model})"},
        "error": told,
    }
    return {"modules": [nap, {"id": "end", "value": step}]}


def test_run_on_endpoint_runs_a_flow_of_one_s_own(engine, lifecycles, workspace):
    engine.add("f/mine/work", mine("null"))

    run = engine.run("run_on_endpoint", **SERVE, flow="f/mine/work")

    assert run.outcome == "success", run.result
    assert run.result["result"]["result"] == {
        "message": "Done",
        "model": "sandbox/chat",
    }
    assert deployment(lifecycles) == "STOPPED"
    started = [job for job in workspace.jobs.values() if job.path == "f/mine/work"]
    assert started[0].arguments["auth"] == f"$res:{RESOURCE}"


def test_run_on_endpoint_stops_when_the_flow_of_one_s_own_fails(engine, lifecycles):
    engine.add("f/mine/work", mine("({message: 'broken'})"))

    run = engine.run("run_on_endpoint", **SERVE, flow="f/mine/work")

    assert run.outcome == "failure"
    assert "broken" in run.result["message"]
    assert deployment(lifecycles) == "STOPPED"


@started_in_every_way
def test_stop_idle_endpoints_stops_those_without_requests(engine, sandbox, lifecycles):
    says(sandbox, str.upper)
    engine.decide = answers("resume")
    engine.run("serve_model", **SERVE)
    (name,) = lifecycles["deployment"].lives
    sandbox.answers["get_project_endpoint_analytics"] = lambda _: {
        "deploymentAnalytics": [
            {
                "deploymentId": name,
                "metrics": {"requestMetrics": {"totalRequests": "0"}},
            }
        ]
    }
    lifecycles["deployment"].lives[name].created -= 7200

    run = engine.run("stop_idle_endpoints")

    assert run.outcome == "success", run.result
    assert run.result["endpoints"][0]["stopped"]
    assert deployment(lifecycles) in ("STOPPING", "STOPPED")
    assert engine.run("stop_idle_endpoints").result == []


def test_stop_idle_endpoints_fails_when_one_cannot_be_stopped(
    engine, sandbox, lifecycles
):
    test_stop = find("list_idle_endpoints").schema["examples"][0]
    engine.decide = answers("resume")
    engine.run("serve_model", **SERVE)
    (name,) = lifecycles["deployment"].lives
    sandbox.answers["get_project_endpoint_analytics"] = lambda _: {
        "deploymentAnalytics": [
            {
                "deploymentId": name,
                "metrics": {"requestMetrics": {"totalRequests": "0"}},
            }
        ]
    }
    lifecycles["deployment"].lives[name].created -= 7200
    sandbox.faults.append(Fault(f"/deployments/{name}", 409, times=99))

    run = engine.run("stop_idle_endpoints", **test_stop)

    assert run.outcome == "failure"
    assert "409" in run.result["message"]


# --- fine-tuning -------------------------------------------------------------------

TUNE = {
    "dataset": [{"question": f"What is {n}?", "answer": f"{n}."} for n in range(20)],
    "model": model("fine_tuning"),
}


def fine_tune(lifecycles):
    (life,) = lifecycles["fine-tune"].lives.values()
    return life.state(lifecycles.clock.now())


@started_in_every_way
def test_fine_tune_model_trains_after_the_price_was_approved(engine, lifecycles):
    asked = []

    def decide(links):
        asked.append(links["description"]["markdown"])
        answers("resume")(links)

    engine.decide = decide
    lifecycles["fine-tune"].plan["running"] = 8 * 3600

    run = engine.run("fine_tune_model", **TUNE)

    assert run.outcome == "success", run.result
    assert run.result["trained"]
    assert run.result["model_object_id"].startswith("ml_")
    assert run.result["report"]["metrics"]
    assert "5.42 USD" in asked[0]
    assert run.ended > 8 * 3600
    assert not lifecycles["deployment"].lives


@pytest.mark.parametrize("link", ["cancel", None])
def test_fine_tune_model_refused_or_not_answered_trains_nothing(
    link, engine, lifecycles
):
    if link:
        engine.decide = answers(link)

    run = engine.run("fine_tune_model", **TUNE)

    assert run.outcome == "success"
    assert run.result["trained"] is False
    assert not lifecycles["fine-tune"].lives


@pytest.mark.parametrize(
    ("budget", "price"),
    [
        (1, None),
        (0, None),
        (50, {"estimation_available": False}),
        (50, {"estimation_available": True, "estimated_total_price": None}),
    ],
)
def test_fine_tune_model_over_budget_is_not_even_asked_about(
    budget, price, engine, lifecycles, sandbox
):
    engine.decide = answers("resume")
    if price:
        sandbox.answers["estimate_fine_tune_price"] = lambda _: price

    run = engine.run("fine_tune_model", **TUNE, budget_usd=budget)

    assert "Nothing was trained: it would cost about" in run.result["message"]
    assert run.result["error"]["extra"]["details"]["trained"] is False
    assert run.result["kept"]["training_file"]
    assert run.count("waits/ask_approval") == 0
    assert not lifecycles["fine-tune"].lives


@pytest.mark.parametrize(
    ("price", "words"),
    [
        ({"estimated_total_price": 9.5}, "for about 9.5 USD?"),
        (
            {"estimation_available": True, "estimated_total_price": None},
            "cannot be told",
        ),
        ({"estimation_available": False, "estimated_total_price": 0}, "cannot be told"),
    ],
)
def test_fine_tune_model_asks_for_a_price_only_where_it_is_known(
    price, words, engine, sandbox
):
    asked = []

    def decide(links):
        asked.append(links["description"]["markdown"])
        answers("cancel")(links)

    engine.decide = decide
    sandbox.answers["estimate_fine_tune_price"] = lambda _: price

    engine.run("fine_tune_model", **TUNE)

    told = "9.5" if "9.5" in words else "not known"
    assert words in asked[0]
    assert f"estimated cost usd: {told}" in asked[0]


def test_fine_tune_model_compares_and_serves_what_was_trained(engine, lifecycles):
    engine.decide = answers("resume")
    words = {"serve": True, "endpoint_name": "mine", "judge_model": MODEL}

    run = engine.run("fine_tune_model", **TUNE, **words, base_model="base")

    assert run.outcome == "success", run.result
    served = run.result["served"]
    assert served["model"] == "sandbox/mine"
    assert served["comparison"]["type"] == "compare"
    assert deployment(lifecycles) == "READY"
    (kept,) = lifecycles["deployment"].lives.values()
    assert kept.kept["model"].endswith(run.result["model_object_id"])


def test_fine_tune_model_trained_but_not_served_is_kept(engine, lifecycles):
    links = iter(["resume", "cancel"])
    engine.decide = lambda found: answers(next(links))(found)

    run = engine.run("fine_tune_model", **TUNE, serve=True)

    assert run.outcome == "success"
    assert run.result["trained"]
    assert run.result["served"]["approved"] is False
    assert not lifecycles["deployment"].lives


def test_fine_tune_model_that_cannot_be_served_tells_what_was_trained(
    engine, lifecycles
):
    engine.decide = answers("resume")
    lifecycles.fail_next("deployment", "no capacity")

    run = engine.run("fine_tune_model", **TUNE, serve=True)

    assert run.outcome == "failure"
    assert "was trained, but it is not served" in run.result["message"]
    assert "no capacity" in run.result["message"]
    (tune,) = lifecycles["fine-tune"].lives
    kept = run.result["kept"]
    assert kept["fine_tune_id"] == tune
    assert kept["model_name"] in run.result["message"]
    assert kept["training_file"]
    states = {one["kind"]: one["state"] for one in run.result["left"]}
    assert states == {"fine_tune": "completed", "deployment": "FAILED"}
    details = run.result["error"]["extra"]["details"]
    assert (details["trained"], details["fine_tune_id"]) == (True, tune)
    assert details["served"]["error"]["extra"]["state"] == "FAILED"
    assert deployment(lifecycles) == "FAILED"


def test_fine_tune_model_that_fails_says_why(engine, lifecycles):
    engine.decide = answers("resume")
    lifecycles.fail_next("fine-tune", "loss is not finite")

    run = engine.run("fine_tune_model", **TUNE)

    assert "loss is not finite" in run.error["message"]
    assert run.result["kept"]["training_file"]
    assert "Nothing was left running" in run.result["message"]


def test_fine_tune_model_cancelled_here_is_cancelled_there(engine, lifecycles):
    engine.decide = answers("resume")
    run = engine.start("fine_tune_model", **TUNE)
    engine.work(until=1000)
    engine.cancel(run)
    engine.work()

    assert fine_tune(lifecycles) == "cancelled"


def test_fine_tune_model_past_its_deadline_says_what_goes_on(
    engine, lifecycles, monkeypatch
):
    monkeypatch.setitem(KINDS["fine_tune"], "deadline", 4 * 3600)  # not three days
    engine.decide = answers("resume")
    lifecycles["fine-tune"].plan["running"] = 30 * 86400

    run = engine.run("fine_tune_model", **TUNE)

    assert run.result["left"][0]["running"] is True
    assert "training" in run.result["message"]


# --- media -------------------------------------------------------------------------

VIDEO = {"model": model("video"), "prompt": "A paper boat"}


@started_in_every_way
def test_make_video_stores_it(engine, workspace, lifecycles):
    run = engine.run("make_video", **VIDEO)

    assert run.outcome == "success", run.result
    assert workspace.content(run.result["s3"])[4:12] == b"ftypisom"


@pytest.mark.parametrize("missing", ["storage", "helpers"])
def test_make_video_without_storage_gives_the_address_and_says_so(
    engine, workspace, lifecycles, sandbox, missing
):
    setattr(workspace, missing, False)

    run = engine.run("make_video", **VIDEO, output="storage")
    assert "Output (output)" in run.error["message"]
    assert not [r for r in sandbox.requests if r.path == "/v2/videos"]

    run = engine.run("make_video", **VIDEO)
    assert run.outcome == "success", run.result
    assert run.result["url"].endswith(".mp4")
    assert "no object storage" in run.result["note"]


def test_make_video_that_fails_says_why(engine, lifecycles):
    lifecycles.fail_next("video", "not that")

    run = engine.run("make_video", **VIDEO)

    assert "not that" in run.error["message"]
    assert run.result["kept"]["video_id"]


def test_make_video_past_its_deadline_says_that_it_is_charged(engine, lifecycles):
    lifecycles["video"].plan["in_progress"] = 10**6

    run = engine.run("make_video", **VIDEO)

    assert run.result["left"][0]["running"] is True
    assert "charged" in run.result["message"]


def test_make_video_over_budget_begins_none(engine, sandbox, priced):
    engine.resources[RESOURCE] = priced(VIDEO["model"], perVideo=0.5)

    run = engine.run("make_video", **VIDEO, budget_usd=0.4)

    assert "(budget_usd) is below 0.5" in run.error["message"]
    assert not [r for r in sandbox.requests if r.path == "/v2/videos"]
    assert engine.run("make_video", **VIDEO, budget_usd=0.5).outcome == "success"


@started_in_every_way
def test_map_rows_across_workers_joins_the_parts_in_order(engine, sandbox, workspace):
    says(sandbox, str.upper)
    workspace.put("t.jsonl", "".join(json.dumps(row) + "\n" for row in ROWS).encode())
    words = {"template": "Say {{text}}", "model": MODEL, "part_rows": 2}

    run = engine.run("map_rows_across_workers", rows={"s3": "t.jsonl"}, **words)

    assert run.outcome == "success", run.result
    said = [row["answer"] for row in run.result["rows"]]
    assert said == [f"SAY TEXT {n}" for n in range(3)]
    assert run.count("chat/map_rows") == 2
    assert list(workspace.objects) == [("", "t.jsonl")]


def test_map_rows_across_workers_names_a_mistake_before_it_asks(engine, sandbox):
    words = {"template": "Say {{txt}}", "rows": ROWS, "model": MODEL}

    run = engine.run("map_rows_across_workers", **words)

    assert "names the column 'txt'" in run.error["message"]
    assert not [r for r in sandbox.requests if "completions" in r.path]


@started_in_every_way
def test_embed_rows_across_workers_joins_the_vectors_in_order(
    engine, sandbox, workspace
):
    workspace.put("t.jsonl", "".join(json.dumps(row) + "\n" for row in ROWS).encode())
    words = {"model": model("embedding"), "part_rows": 2}

    run = engine.run("embed_rows_across_workers", rows={"s3": "t.jsonl"}, **words)

    assert run.outcome == "success", run.result
    assert [row["text"] for row in run.result["rows"]] == [r["text"] for r in ROWS]
    sizes = {len(row["embedding"]) for row in run.result["rows"]}
    assert sizes == {run.result["dimensions"]}
    assert run.count("embeddings/embed_rows") == 2
    assert list(workspace.objects) == [("", "t.jsonl")]


def test_embed_rows_across_workers_names_a_mistake_before_it_asks(engine, sandbox):
    words = {"column": "txt", "rows": ROWS, "model": model("embedding")}

    run = engine.run("embed_rows_across_workers", **words)

    assert "names the column 'txt'" in run.error["message"]
    assert not [r for r in sandbox.requests if "embeddings" in r.path]


@started_in_every_way
def test_map_files_across_workers_makes_a_row_of_each_file(engine, sandbox, workspace):
    says(sandbox, lambda text: text.rpartition("\n")[2].upper())
    for name in ("a", "b"):
        workspace.put(f"letters/{name}.txt", f"from {name}".encode())
    given = {"action": "ask", "folder": "letters", "question": "Who?", "model": MODEL}

    run = engine.run("map_files_across_workers", **given)

    assert run.outcome == "success", run.result
    rows = [(row["filename"], row["answer"]) for row in run.result["rows"]]
    assert rows == [("a.txt", "FROM A"), ("b.txt", "FROM B")]
    assert run.count("files/map_files") == 2
    assert sorted(key for _, key in workspace.objects) == [
        "letters/a.txt", "letters/b.txt",
    ]  # fmt: skip


def test_map_files_across_workers_of_an_empty_folder_says_so(engine, sandbox):
    run = engine.run("map_files_across_workers", action="read", folder="letters")

    assert "has no such object: letters/" in run.error["message"]
    assert not run.count("files/map_files")


DRAW = {"model": "m", "template": "A picture of {{animal}}"}


@started_in_every_way
def test_draw_rows_makes_a_table_of_stored_pictures(engine, sandbox, workspace):
    rows = [{"animal": "a fox"}, {"animal": "an owl"}]

    run = engine.run("draw_rows", **DRAW, rows=rows)

    assert run.outcome == "success", run.result
    shown = run.result["rows"]
    assert [row["animal"] for row in shown] == ["a fox", "an owl"]
    assert all(workspace.content(row["picture"]["s3"]) for row in shown)
    asked = [r.json["prompt"] for r in sandbox.requests if "images" in r.path]
    assert asked == ["A picture of a fox", "A picture of an owl"]


def test_draw_rows_goes_on_after_a_row_that_fails(engine, sandbox):
    sandbox.faults.append(Fault("/v1/images", 400))
    given = {
        **DRAW,
        "model": model("image"),
        "rows": [{"animal": "x"}, {"animal": "y"}],
    }

    run = engine.run("draw_rows", **given)

    assert run.outcome == "success"
    assert run.result["message"] == "1 of 2 rows were drawn, 1 failed."
    assert run.result["cost_usd"] > 0  # of the picture alone: the other was refused
    assert run.result["markdown"].startswith("**1 of 2 rows were drawn, 1 failed.**")
    assert "400" in run.result["rows"][0]["picture_error"]
    assert run.result["rows"][1]["picture"]


def test_draw_rows_draws_nothing_of_a_blank_row(engine, sandbox):
    rows = [{"animal": "x"}, {"animal": " "}, {"animal": "y"}]
    run = engine.run("draw_rows", **DRAW, rows=rows)
    assert [bool(row["picture"]) for row in run.result["rows"]] == [True, False, True]
    assert "Nothing was sent" in run.result["rows"][1]["picture_error"]
    asked = [one for one in sandbox.requests if one.path.startswith("/v1/images")]
    assert len(asked) == 2


@pytest.mark.parametrize("missing", ["storage", "helpers"])
def test_draw_rows_without_storage_gives_addresses_and_says_so(
    engine, workspace, sandbox, missing
):
    setattr(workspace, missing, False)

    run = engine.run("draw_rows", **DRAW, rows=[{"animal": "x"}], pictures="storage")
    assert "Pictures (pictures)" in run.error["message"]
    assert not [r for r in sandbox.requests if "images" in r.path]

    run = engine.run("draw_rows", **DRAW, rows=[{"animal": "x"}])
    assert run.outcome == "success", run.result
    assert run.result["rows"][0]["picture"]["url"].startswith("http")
    assert "no object storage" in run.result["note"]
    assert "no object storage" in run.result["markdown"]


def test_draw_rows_that_draws_none_is_red(engine, sandbox):
    sandbox.faults.append(Fault("/v1/images", 400, times=9))
    rows = [{"animal": "x"}, {"animal": "y"}]

    run = engine.run("draw_rows", **DRAW, rows=rows)
    assert run.error["message"].startswith("None of the 2 rows was drawn. Row 1: 400")

    sandbox.faults[:] = [Fault("/v1/images", 400)]
    run = engine.run("draw_rows", **DRAW, rows=rows, fail_when_failed_share=0.4)
    assert "1 of 2 rows failed" in run.error["message"]


def test_draw_rows_overwrites_no_column_and_gives_a_bare_table(engine, sandbox):
    rows = [{"animal": "x", "picture": "mine"}]

    run = engine.run("draw_rows", **DRAW, rows=rows)
    assert "Answer column (answer_column) is 'picture'" in run.error["message"]
    assert not [r for r in sandbox.requests if "images" in r.path]

    more = {"answer_column": "drawing", "output": "table"}
    run = engine.run("draw_rows", **DRAW, rows=rows, **more)
    assert run.outcome == "success", run.result
    assert run.result[0]["picture"] == "mine"
    assert run.result[0]["drawing"]["s3"]


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("A painting of {{animl}}", "animl"),
        ("A painting of nothing", "names no column"),
        ("{{animal.kind.age}}", "animal.kind.age"),
    ],
)
def test_draw_rows_refuses_a_template_that_does_not_fit(
    template, words, engine, sandbox
):
    given = {**DRAW, "template": template}
    run = engine.run("draw_rows", **given, rows=[{"animal": "x"}])

    assert words in str(run.error)
    assert not sandbox.requests


def test_draw_rows_fills_in_members_and_whole_objects(engine, sandbox):
    given = {**DRAW, "template": "{{ a.b }} and {{a}}"}
    engine.run("draw_rows", **given, rows=[{"a": {"b": "x"}}])

    (drawn,) = [r.json for r in sandbox.requests if r.path == "/v1/images/generations"]
    assert drawn["prompt"] == 'x and {"b": "x"}'


def test_draw_rows_refuses_too_many_before_anything_is_drawn(engine, sandbox):
    run = engine.run("draw_rows", **DRAW, rows=[{"animal": "x"}] * 3, most=2)

    assert "more than 2" in run.error["message"]
    assert not [r for r in sandbox.requests if "images" in r.path]


def test_draw_rows_leaves_out_what_its_budget_does_not_reach(engine, sandbox, priced):
    engine.resources[RESOURCE] = priced("m", perImage=0.03)
    rows = [{"animal": str(n)} for n in range(4)]

    run = engine.run("draw_rows", **DRAW, rows=rows, budget_usd=0.08)

    assert run.outcome == "success", run.result
    assert [bool(row["picture"]) for row in run.result["rows"]] == [1, 1, 0, 0]
    assert "is below 0.03" in run.result["rows"][3]["picture_error"]
    assert run.result["cost_usd"] == pytest.approx(0.06)
    assert len([r for r in sandbox.requests if "images" in r.path]) == 2


NOTES = {
    "title": "Plans",
    "summary": "We planned.",
    "decisions": ["Go."],
    "action_items": [{"task": "Write it up", "who": "Ada", "due": None}],
    "open_questions": [],
}
MEETING = {
    "recording": {"file": "SUQzBAAAAAAAAA==", "filename": "meeting.mp3"},
    "transcription_model": model("transcription"),
    "model": MODEL,
}


@started_in_every_way
def test_write_meeting_notes_gives_a_checked_object(engine, sandbox):
    heard = []

    def answer(text):
        heard.append(text)
        return json.dumps(NOTES)

    says(sandbox, answer)

    run = engine.run("write_meeting_notes", **MEETING)

    assert run.outcome == "success", run.result
    assert run.result["notes"] == NOTES
    assert run.result["transcript"]
    assert run.result["transcript"] in heard[0]
    (sent,) = (r for r in sandbox.requests if r.path.endswith("/transcriptions"))
    assert b'name="language"\r\n\r\nauto' in sent.body


def test_write_meeting_notes_keeps_the_transcript_when_the_writing_fails(
    engine, sandbox
):
    sandbox.faults.append(Fault("/v1/chat/completions", 401, times=99))

    run = engine.run("write_meeting_notes", **MEETING)

    assert run.outcome == "failure"
    assert run.result["kept"]["transcript"]


# --- recordings in a batch ---------------------------------------------------------

CALLS = [{"url": f"https://www.example.com/{n}.mp3", "call": n} for n in range(3)]
HEARD = {"rows": CALLS, "model": model("transcription")}


@started_in_every_way
def test_transcribe_recordings_joins_the_texts_to_the_rows(engine, sandbox, lifecycles):
    sandbox.answers["create_transcription"] = lambda arguments: {
        "text": f"heard {arguments['body']['file'][-5]}",
        "duration": 60.0,
    }

    run = engine.run("transcribe_recordings", **HEARD)

    assert run.outcome == "success", run.result
    texts = [(row["call"], row["transcript"]) for row in run.result["rows"]]
    assert texts == [(0, "heard 0"), (1, "heard 1"), (2, "heard 2")]
    assert run.result["usage"] == {"seconds": 180.0}
    assert run.result["cost_usd"] > 0


def folder_of_calls(workspace):
    for name in ("b.mp3", "a b.MP3", "notes.txt"):
        workspace.put(f"calls/{name}", b"sound")
    signed_address.tried.clear()


def test_transcribe_recordings_takes_a_folder_of_storage(
    engine, sandbox, lifecycles, workspace
):
    """Signed anew by each run, the same recordings make one batch."""
    folder_of_calls(workspace)
    asked = []

    def heard(arguments):
        asked.append(arguments["body"]["file"])
        return {"text": "heard", "duration": 60.0}

    sandbox.answers["create_transcription"] = heard
    given = {"folder": "calls", "endings": [".mp3"], "model": model("transcription")}

    run = engine.run("transcribe_recordings", **given)

    assert run.outcome == "success", run.result
    rows = run.result["rows"]
    assert [row["filename"] for row in rows] == ["a b.MP3", "b.mp3"]
    assert rows[0]["file"] == "s3:///calls/a b.MP3"
    assert [row["transcript"] for row in rows] == ["heard", "heard"]
    for address in asked:
        assert requests.get(address, timeout=60).content == b"sound"
    engine.run("transcribe_recordings", **given)
    assert len(lifecycles["batch"].lives) == 1
    assert run.result["usage"] == {"seconds": 120.0}


def test_transcribe_recordings_of_a_windmill_that_signs_nothing_sends_nothing(
    engine, lifecycles, workspace
):
    folder_of_calls(workspace)
    workspace.signs = False

    run = engine.run("transcribe_recordings", folder="calls")

    assert "Windmill answers 404" in run.error["message"]
    assert not lifecycles["batch"].lives


def test_transcribe_recordings_of_a_folder_without_any_says_so(engine, workspace):
    folder_of_calls(workspace)

    run = engine.run("transcribe_recordings", folder="calls", endings=[".wav"])

    assert "has no such object: calls/" in run.error["message"]


def test_transcribe_recordings_past_its_deadline_says_what_goes_on(engine, lifecycles):
    lifecycles["batch"].plan["IN_PROGRESS"] = 20 * 3600

    run = engine.run("transcribe_recordings", **HEARD, deadline_hours=1)

    (left,) = run.result["left"]
    assert (left["state"], left["running"]) == ("IN_PROGRESS", True)
    assert run.result["kept"]["batch_id"] == left["job_id"]


def test_transcribe_recordings_cancelled_here_is_cancelled_there(engine, lifecycles):
    run = engine.start("transcribe_recordings", **HEARD)
    engine.work(until=200)
    engine.cancel(run)
    engine.work()

    (batch,) = lifecycles["batch"].lives
    assert lifecycles.state(batch) == "CANCELLED"


def test_transcribe_recordings_without_addresses_sends_nothing(engine, lifecycles):
    run = engine.run("transcribe_recordings", rows=[{"url": "a.mp3"}])

    assert "(rows[0]) has no http(s) address" in run.error["message"]
    assert not lifecycles["batch"].lives


# --- documents ---------------------------------------------------------------------

DOCUMENTS = [
    {"text": "The guarantee lasts two years.", "filename": "terms.md"},
    {"text": "We deliver on Mondays.", "filename": "delivery.md"},
]
ASK = {
    "question": "How long is the guarantee?",
    "documents": DOCUMENTS,
    "model": MODEL,
}
BY_VECTORS = {**ASK, "embedding_model": model("embedding")}
KEPT_INDEX = "handbook/words.index"
CHAT = "/v1/chat/completions"


def embeds(sandbox, length=2):
    """Let texts about the guarantee point one way, all others another."""

    def reply(arguments):
        texts = arguments["body"]["input"]
        vectors = [[1.0, 0.1] if "guarantee" in t else [0.1, 1.0] for t in texts]
        vectors = [vector + [0.0] * (length - 2) for vector in vectors]
        data = [
            {"object": "embedding", "index": n, "embedding": v}
            for n, v in enumerate(vectors)
        ]
        tokens = sum(map(len, texts)) // 4
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return {"object": "list", "model": "m", "data": data, "usage": usage}

    sandbox.answers["create_embeddings"] = reply


def answered(text):
    """Answer from the first passage, which must be the right one."""
    first = text.split("[1]")[1].split("[2]")[0]
    assert "two years" in first
    return json.dumps({"answer": "Two years [1].", "cited": [1]})


@started_in_every_way
def test_ask_documents_needs_no_vectors(engine, sandbox):
    says(sandbox, answered)

    run = engine.run("ask_documents", **ASK)

    assert run.outcome == "success", run.result
    assert run.result["answer"] == "Two years [1]."
    assert [one["source"] for one in run.result["citations"]] == ["terms.md"]
    assert run.result["cost_usd"] > 0
    assert [r.path for r in sandbox.requests if r.method == "POST"] == [CHAT]


def test_ask_documents_keeps_an_index_and_asks_it_alone(engine, sandbox, workspace):
    says(sandbox, answered)

    first = engine.run("ask_documents", **ASK, index=KEPT_INDEX)
    again = engine.run("ask_documents", **{**ASK, "documents": []}, index=KEPT_INDEX)

    for run in (first, again):
        assert run.outcome == "success", run.result
        assert run.result["citations"][0]["source"] == "terms.md"
    assert first.count("embeddings/index_documents") == 1
    assert again.count("embeddings/index_documents") == 0
    assert first.count("embeddings/split_documents") == 0


def test_ask_documents_says_that_no_word_was_found(engine, sandbox):
    says(sandbox, lambda _: json.dumps({"answer": "Zwei Jahre [1].", "cited": [1]}))

    run = engine.run("ask_documents", **{**ASK, "question": "Gilt das noch?"})

    assert run.outcome == "success", run.result
    assert run.result["note"].startswith("No passage has a word of the question")
    assert run.result["markdown"].startswith("**No passage has a word")


def test_ask_documents_without_documents_or_index_is_refused(engine, sandbox):
    run = engine.run("ask_documents", question="What?")

    assert "documents is required" in run.error["message"]
    assert not sandbox.requests


@started_in_every_way
def test_ask_documents_cites_its_source(engine, sandbox):
    embeds(sandbox)
    says(sandbox, answered)

    run = engine.run("ask_documents", **BY_VECTORS)

    assert run.outcome == "success", run.result
    assert run.result["answer"] == "Two years [1]."
    (cited,) = run.result["citations"]
    assert cited["source"] == "terms.md"
    assert run.count("rerank/search_documents") == 0


def test_ask_documents_searches_with_a_model_if_there_is_one(engine, sandbox):
    embeds(sandbox)
    says(sandbox, answered)
    sandbox.answers["rerank_documents"] = lambda arguments: {
        "object": "rerank",
        "model": "m",
        "results": [
            {"index": n, "relevance_score": 1.0 - n}
            for n in range(len(arguments["body"]["documents"]))
        ],
        "usage": {"prompt_tokens": 1, "completion_tokens": 0, "total_tokens": 1},
    }

    run = engine.run("ask_documents", **BY_VECTORS, rerank_model="r", passages=1)

    assert run.outcome == "success", run.result
    assert run.result["citations"][0]["source"] == "terms.md"


@pytest.mark.parametrize(("count", "length"), [(5000, 4000), (70_000, 2)])
def test_ask_documents_that_are_too_long_for_a_result(engine, sandbox, count, length):
    """The vectors of the first, the passages of the second."""
    embeds(sandbox, length)
    says(sandbox, answered)
    much = {"text": "Mondays are for deliveries. " * count, "filename": "days.md"}

    run = engine.run("ask_documents", **{**BY_VECTORS, "documents": [*DOCUMENTS, much]})

    assert run.outcome == "success", run.result
    assert run.result["citations"][0]["source"] == "terms.md"


def test_ask_documents_over_budget_goes_on_with_more(engine, sandbox):
    priced = {"id": model("embedding"), "type": "embedding", "pricing": {"input": 0.02}}
    sandbox.answers["list_models"] = lambda _: [*listed(), priced]
    embeds(sandbox)
    says(sandbox, answered)
    text = "".join(f"Parcel {n} is delivered on Mondays. " for n in range(4000))
    much = {"text": text, "filename": "days.md"}
    given = {**BY_VECTORS, "documents": [*DOCUMENTS, much]}

    run = engine.run("ask_documents", **given, budget_usd=0.0016)

    assert "passages have no vector: budget_usd is used up" in run.error["message"]
    first = texts_embedded(sandbox)
    assert 0 < len(first)
    assert not [r for r in sandbox.requests if "completions" in r.path]
    sandbox.requests.clear()
    run = engine.run("ask_documents", **given, budget_usd=1)
    assert run.outcome == "success", run.result
    assert run.result["citations"][0]["source"] == "terms.md"
    assert run.result["cost_usd"] > 0
    again = texts_embedded(sandbox)
    assert len(set(first)) == len(first)
    assert not set(first) & set(again)


def texts_embedded(sandbox):
    asked = [r.json for r in sandbox.requests if r.path == "/v1/embeddings"]
    return [text for body in asked for text in body["input"]]


def test_ask_documents_says_first_which_passages_were_not_searched(engine, sandbox):
    embeds(sandbox)
    told = {"answer": "Two years [1].", "cited": [1]}
    says(sandbox, lambda _: json.dumps(told))
    whole = sandbox.answers["create_embeddings"]

    def partly(arguments):
        found = whole(arguments)
        if len(found["data"]) > 1:
            found["data"][1] = {**found["data"][1], "embedding": None}
        return found

    sandbox.answers["create_embeddings"] = partly

    run = engine.run("ask_documents", **BY_VECTORS)

    assert run.outcome == "success", run.result
    assert run.result["note"].startswith("1 of 2 passages have no vector")
    assert run.result["markdown"].startswith("**1 of 2 passages")


def test_ask_documents_that_do_not_say_it_is_not_answered(engine, sandbox):
    embeds(sandbox)
    says(sandbox, lambda _: json.dumps({"answer": "They do not say.", "cited": [7]}))

    run = engine.run("ask_documents", **BY_VECTORS)

    assert run.result["answered"] is False
    assert run.result["unknown"] == [7]


def test_ask_documents_names_the_one_that_cannot_be_read(engine, sandbox):
    pdf = {"text": "%PDF-1.7", "filename": "a.pdf"}

    run = engine.run(
        "ask_documents", **{**BY_VECTORS, "documents": [DOCUMENTS[0], pdf]}
    )

    assert "documents[1] is a PDF" in run.error["message"]


# --- what comes from outside is never resolved -------------------------------------

SECRET = "the value of a secret"
NAMED = "$var:u/admin/secret"
PLANTED = [
    {"text": f"{NAMED}", "a": "$va", "b": "r:u/admin/secret", "token": "$WM_TOKEN"},
    {"text": "$res:u/admin/database", "a": "$", "b": "res:u/admin/database"},
    {"text": f" {NAMED}", "a": "$WM_", "b": "TOKEN", "$res:u/admin/database": "x"},
    {"text": "$var:u/admin/none", "a": "$var", "b": ":u/admin/none"},
]


@pytest.fixture
def planted(engine, workspace):
    """The engine of a workspace that has secrets."""
    workspace.variables["u/admin/secret"] = SECRET
    database = {"value": {"password": SECRET}, "resource_type": "postgresql"}
    workspace.resources["u/admin/database"] = database
    rows = "\n".join(map(json.dumps, PLANTED)).replace("$", "\\u0024")
    workspace.put("inbox/rows.jsonl", rows.encode())
    workspace.put("inbox/$var:u/admin/secret.jsonl", rows.encode())
    return engine


def stays_secret(run, sandbox, workspace):
    """The flow did its work, and no secret is anywhere."""
    seen = [json.dumps(run.result, default=str)]
    seen += [json.dumps([c.result, c.path], default=str) for c in run.calls]
    seen += [request.body.decode("latin-1") for request in sandbox.requests]
    seen += [str(kept) for kept in sandbox.files.values()]
    seen += [one.file.read_bytes().decode("latin-1") for one in _kept(workspace)]
    seen += [json.dumps(workspace.resources[n]) for n in workspace.resources][1:]
    for text in seen:
        assert SECRET not in text
        assert TOKEN not in text
    seen = [json.dumps(call.given, default=str) for call in run.calls]
    assert not any(SECRET in text or TOKEN in text for text in seen)
    assert run.outcome == "success", run.result


def _kept(workspace):
    return workspace.objects.values()


given_in_every_way = pytest.mark.parametrize(
    "rows", [PLANTED, {"s3": "inbox/rows.jsonl"}], ids=["rows", "file"]
)


def test_the_engine_resolves_what_windmill_does(planted):
    planted.add("f/mine/echo", echo("flow_input.said"))
    said = [NAMED, {"x": [" $res:", "$WM_TOKEN"]}, "$WM_TOKEN", "$var:u/admin/none"]
    runs = [planted.start_at("f/mine/echo", said=one) for one in said]
    planted.work()

    assert [run.outcome for run in runs] == ["success"] * 3 + ["failure"]
    arguments = [run.calls[0].given["details"] for run in runs[:3]]
    assert arguments == [
        {"said": SECRET},
        {"said": {"x": [" $res:", TOKEN]}},
        {"said": "$WM_TOKEN"},
    ]
    assert "u/admin/none not found" in runs[3].error["message"]


def echo(text):
    inputs = {
        "message": {"type": "static", "value": "It said"},
        "details": {"type": "javascript", "expr": f"({{said: {text}}})"},
    }
    step = {"type": "script", "path": f"{FOLDER}/waits/finish_flow"}
    return {"modules": [{"id": "end", "value": {**step, "input_transforms": inputs}}]}


@given_in_every_way
def test_run_batch_resolves_no_row_and_no_answer(rows, planted, sandbox, workspace):
    says(sandbox, lambda text: f"{NAMED} {text}")

    run = planted.run(
        "run_batch", model=MODEL, template="{{a}}{{b}}{{text}}", rows=rows
    )

    stays_secret(run, sandbox, workspace)
    assert len(run.result["rows"]) == len(PLANTED)
    (asked,) = (
        lines(t) for about, t in sandbox.files.values() if "batch-api" in str(about)
    )
    said = [line["body"]["messages"][-1]["content"] for line in asked]
    assert said == [row["a"] + row["b"] + row["text"] for row in PLANTED]


def test_run_folder_batches_resolves_no_row(planted, sandbox, workspace):
    says(sandbox, lambda text: f"{NAMED} {text}")
    workspace.objects.pop(("", "inbox/$var:u/admin/secret.jsonl"))

    run = planted.run("run_folder_batches", **FOLDER_BATCH)

    stays_secret(run, sandbox, workspace)
    assert run.result["tables"][0]["done"] == len(PLANTED)


@given_in_every_way
def test_draw_rows_resolves_no_row(rows, planted, sandbox, workspace):
    given = {**DRAW, "template": "{{a}}{{b}}"}

    run = planted.run("draw_rows", **given, rows=rows)

    stays_secret(run, sandbox, workspace)
    asked = [r.json["prompt"] for r in sandbox.requests if "images" in r.path]
    assert [one.replace(" ", "") for one in asked] == [
        row["a"] + row["b"] for row in PLANTED
    ]


@given_in_every_way
@pytest.mark.parametrize("type", JUDGED)
def test_evaluate_models_resolves_no_row(type, rows, planted, sandbox, workspace):
    words = {"type": type, "judge_model": MODEL, "judge_prompt": "Is it?", "rows": rows}

    run = planted.run("evaluate_models", **words, **JUDGED[type])

    stays_secret(run, sandbox, workspace)


@given_in_every_way
def test_run_on_endpoint_resolves_no_row(rows, planted, sandbox, workspace, lifecycles):
    says(sandbox, lambda text: NAMED)

    run = planted.run("run_on_endpoint", **{**ON_ENDPOINT, "rows": rows})

    stays_secret(run, sandbox, workspace)
    assert run.result["result"]["done"] == len(PLANTED)


def test_serve_model_resolves_no_prompt(planted, sandbox, workspace, lifecycles):
    planted.decide = answers("resume")
    prompts = [{"prompt": row["text"]} for row in PLANTED]

    run = planted.run("serve_model", **SERVE, **{**COMPARED, "prompts": prompts})

    stays_secret(run, sandbox, workspace)


def test_fine_tune_model_resolves_no_row(planted, sandbox, workspace, lifecycles):
    planted.decide = answers("resume")
    rows = [{"question": row["text"], "answer": row["text"]} for row in PLANTED]

    run = planted.run("fine_tune_model", **{**TUNE, "dataset": rows})

    stays_secret(run, sandbox, workspace)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"index": KEPT_INDEX},
        {"embedding_model": model("embedding")},
        {"embedding_model": model("embedding"), "rerank_model": "r"},
    ],
    ids=["words", "index", "vectors", "search"],
)
@pytest.mark.parametrize("kept", [False, True], ids=["given", "stored"])
def test_ask_documents_resolves_no_document_and_no_answer(
    more, kept, planted, sandbox, workspace
):
    embeds(sandbox)
    said = {"answer": f"{NAMED} [1]$res:u/admin/database", "cited": [1]}
    says(sandbox, lambda _: json.dumps(said))
    sandbox.answers["rerank_documents"] = lambda arguments: {
        "object": "rerank",
        "model": "m",
        "results": [
            {"index": n, "relevance_score": 1.0 - n / 9}
            for n in range(len(arguments["body"]["documents"]))
        ],
        "usage": {"prompt_tokens": 1, "completion_tokens": 0, "total_tokens": 1},
    }
    texts = [row["text"] for row in PLANTED]
    texts[2] = f"$WM_TOKEN about the guarantee {NAMED} " * 40
    documents = []
    for number, text in enumerate(texts):
        workspace.put(f"docs/{number}.md", text.encode())
        name = {"filename": f"{number}.md"}
        stored = {"s3": f"docs/{number}.md"}
        documents.append(stored if kept else {"text": text, **name})

    run = planted.run("ask_documents", **{**ASK, "documents": documents, **more})

    stays_secret(run, sandbox, workspace)
    assert run.result["answer"].startswith("$ var:u/admin/secret [1]")
    assert run.result["citations"][0]["text"]


def test_write_meeting_notes_resolves_nothing_that_was_said(
    planted, sandbox, workspace
):
    heard = {**NOTES, "title": "$var", "summary": NAMED, "decisions": ["$WM_TOKEN"]}
    says(sandbox, lambda _: json.dumps(heard))
    sandbox.answers["create_transcription"] = lambda _: {"text": NAMED, "duration": 3.0}

    run = planted.run("write_meeting_notes", **MEETING)

    stays_secret(run, sandbox, workspace)
    assert run.result["notes"]["summary"] == "$ var:u/admin/secret"


def test_an_error_s_words_are_not_resolved(planted, sandbox, workspace):
    words = {"error": {"message": NAMED, "type": "$WM_TOKEN"}}
    sandbox.faults.append(Fault("/v1/images", 400, times=99, body=words))
    sandbox.faults.append(Fault("/v1/batches", 400, times=99, body=words))

    runs = [planted.run("draw_rows", **DRAW, rows=[{"animal": NAMED}])]
    runs.append(planted.run("run_batch", **BATCH))
    for run in runs:
        assert "var:u/admin/secret" in json.dumps(run.result)
        run.outcome = "success"
        stays_secret(run, sandbox, workspace)


# --- all of them -------------------------------------------------------------------


# --- agents; more is in test_run_agent.py ---------------------------------------------

ORDER = {
    "type": "object",
    "properties": {"number": {"type": "integer"}},
    "required": ["number"],
}


@started_in_every_way
def test_run_agent_calls_a_tool_once_a_person_allowed_it(engine, workspace):
    workspace.register("f/shop/cancel", lambda number: f"gone {number}", schema=ORDER)
    engine.decide = answers("resume")
    wanted = [{"tool": "cancel", "arguments": {"number": 7}}]
    tools = [{"path": "f/shop/cancel", "approval": True}]

    prompt = json.dumps({"rounds": [wanted]})
    run = engine.run("run_agent", prompt=prompt, tools=tools, model=MODEL)

    assert run.outcome == "success", run.result
    assert run.result["text"] == "The tools say: gone 7"
    assert run.count("waits/ask_approval") == 1


def test_run_agent_that_fails_says_where_its_conversation_is(
    engine, sandbox, workspace
):
    workspace.register("f/shop/cancel", lambda number: "gone", schema=ORDER)
    sandbox.faults.append(Fault("/v1/chat/completions", 400, times=99))

    tools = [{"path": "f/shop/cancel"}]
    run = engine.run("run_agent", prompt="x", tools=tools, model=MODEL)

    assert run.outcome == "failure"
    assert run.result["kept"]["conversation"].startswith("storage-")


# --- agents on Windmill's own step; more of them in test_agent_flows.py -------------


@pytest.fixture
def agents(engine, workspace, auth):
    """The engine, with the resource as Windmill's own step needs it, and some files."""
    engine.resources[RESOURCE] = {**auth, "base_url": f"{auth['base_url']}/v1"}
    workspace.put("orders.csv", b"city,amount\nRome,10\nOslo,200\nRome,5\n")
    workspace.put("terms.md", b"The guarantee lasts two years.")
    return engine


def agent_says(tool, **arguments):
    return json.dumps({"rounds": [[{"tool": tool, "arguments": arguments}]]})


@started_in_every_way
def test_assistant_answers_with_its_tools(engine, agents):
    asked = agent_says("price_call", model=MODEL, input_tokens=1000)

    run = agents.run("assistant", user_message=asked, model=MODEL)

    assert run.outcome == "success", run.result
    assert "at most" in run.result["text"]
    assert run.result["windmill_chat_answer"] is None


def test_assistant_without_a_model_takes_one_of_the_catalogue(engine, agents):
    run = agents.run("assistant", user_message=agent_says("report_spending"))

    assert run.outcome == "success", run.result
    assert "USD from" in run.result["calls"][0]["result"]


@started_in_every_way
def test_analyse_tables_counts(engine, agents):
    asked = agent_says("query_table", table="orders.csv", measures=["sum amount"])
    tables = [{"s3": "orders.csv"}]

    run = agents.run("analyse_tables", question=asked, tables=tables, model=MODEL)

    assert run.outcome == "success", run.result
    assert "215" in run.result["calls"][0]["result"]


def test_analyse_tables_without_a_table_asks_nothing(engine, agents, sandbox):
    run = agents.run("analyse_tables", question="x", tables=[{"text": "a"}])

    assert "files[0] must be in storage" in run.result["message"]
    assert not [r for r in sandbox.requests if "completions" in r.path]


@started_in_every_way
def test_study_documents_cites(engine, agents):
    asked = json.loads(agent_says("find_passages", question="guarantee"))
    asked["answer"] = "Two years [terms.md, 0]."
    documents = [{"s3": "terms.md"}]

    run = agents.run(
        "study_documents",
        question=json.dumps(asked),
        documents=documents,
        model=MODEL,
    )

    assert run.outcome == "success", run.result
    assert [one["source"] for one in run.result["citations"]] == ["terms.md"]


def test_study_documents_says_when_nothing_is_cited(engine, agents):
    asked = json.dumps({"rounds": [], "answer": "I think so."})

    run = agents.run("study_documents", question=asked, documents=[{"s3": "terms.md"}])

    assert run.result["citations"] == []
    assert "names no passage" in run.result["note"]


@started_in_every_way
def test_keep_models_proposes_and_asks(engine, agents, lifecycles):
    engine.decide = answers("resume")
    asked = agent_says(
        "propose_change", action="serve_model", model=MODEL, name="support-chat"
    )

    run = agents.run("keep_models", question=asked, model=MODEL)

    assert run.outcome == "success", run.result
    (proposal,) = run.result["proposals"]
    assert proposal["outcome"] == "done", proposal
    assert proposal["result"]["deployment_id"] in str(
        list(lifecycles["deployment"].lives)
    )


def test_keep_models_proposes_nothing_where_it_is_served_already(
    engine, agents, lifecycles, auth
):
    deployed(auth, lifecycles)
    name, model = SERVE["endpoint_name"], SERVE["model"]
    asked = agent_says("propose_change", action="serve_model", model=model, name=name)

    run = agents.run("keep_models", question=asked, model=MODEL)

    assert run.outcome == "success", run.result
    assert run.result["proposals"] == []
    assert "already: there is nothing to do" in run.result["calls"][0]["result"]
    assert len(lifecycles["deployment"].lives) == 1


def test_keep_models_looks_without_asking(engine, agents):
    run = agents.run("keep_models", question=agent_says("list_work"), model=MODEL)

    assert run.outcome == "success", run.result
    assert "deployments:" in run.result["calls"][0]["result"]
    assert run.count("waits/ask_approval") == 0


@pytest.mark.parametrize("name", COMPOSED)
def test_a_first_step_that_dies_is_reported(name, engine, sandbox, monkeypatch):
    flow = next(flow for flow in flows() if flow.name == name)
    example = flow.source["arguments"]["examples"][0]
    sandbox.faults.append(Fault(".", 500, times=10**6))

    def died(step, given, environment):
        if step == "waits/report_failure":
            return call(step, given, environment)
        return False, {"error": {"name": "ExecutionErr", "message": "worker killed"}}

    call = flow_engine.call_script
    monkeypatch.setattr(flow_engine, "call_script", died)

    run = engine.run(name, **example)

    assert run.outcome == "failure"
    assert "worker killed" in run.result["message"]
    # Of a step that began something nobody knows.
    begins = "left:" in flow.path.read_text()
    said = "is not known" if begins else "Nothing was left running"
    assert said in run.result["message"]
