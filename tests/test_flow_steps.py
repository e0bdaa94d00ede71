"""A guard stops at Together what a cancelled flow left; approvals; failure reports."""

import contextlib
import urllib.request

import pytest

from scripts.client import TogetherError
from scripts.workspace import jobs
from tests.support.expected_request import main_of
from tools.flows.flow_engine import FOLDER, Engine
from tools.operations import find
from tools.sandbox import Fault
from tools.sandbox.lifecycles import RefusalError


def js(text):
    return {"type": "javascript", "expr": text}


def static(value):
    return {"type": "static", "value": value}


def step(name, path, **inputs):
    value = {"type": "script", "path": f"{FOLDER}/{path}"}
    value["input_transforms"] = {"auth": js("flow_input.auth"), **inputs}
    return {"id": name, "value": value}


def flow(kind, job_id, when="cancelled", **waiting):
    """A flow that guards a job, then waits for it."""
    resource = js("flow_input.auth.replace('$res:', '')")
    guard = step("guard", "waits/start_guard", kind=static(kind), job_id=static(job_id))
    guard["value"]["input_transforms"] |= {"resource": resource, "when": static(when)}
    waiting = {"kind": kind, "id": job_id, **waiting}
    given = {name: static(value) for name, value in waiting.items()}
    wait = step("wait", "inner/wait_for_job", **given)
    wait["value"]["type"] = "flow"
    return {"modules": [guard, wait]}


@pytest.fixture
def engine(workspace, lifecycles, auth):
    return Engine(workspace, auth, lifecycles.advance)


@pytest.fixture
def batch(lifecycles, auth):
    create = find("batches/create_batch")
    arguments = create.schema["examples"][0]
    return main_of(create)(auth, **arguments)["job"]["id"]


def test_a_cancelled_flow_s_batch_is_cancelled_at_together(engine, lifecycles, batch):
    engine.add(f"{FOLDER}/flows/mine", flow("batch", batch))
    run = engine.start("mine")
    engine.work(until=300)
    assert lifecycles.state(batch) == "IN_PROGRESS"
    engine.cancel(run)
    engine.work()

    guard = engine.runs[1]
    assert lifecycles.state(batch) == "CANCELLED"
    assert guard.outcome == "success"
    assert guard.result["cancelled"]
    assert 300 < guard.ended <= 900


def test_a_flow_that_ends_well_keeps_its_job(engine, lifecycles, batch):
    engine.add(f"{FOLDER}/flows/mine", flow("batch", batch))

    run = engine.run("mine")

    assert run.outcome == "success"
    assert lifecycles.state(batch) == "COMPLETED"
    assert engine.runs[1].outcome == "success"
    assert engine.runs[1].count("waits/cancel_job") == 0


def test_a_flow_that_fails_keeps_its_job_unless_the_guard_is_for_every_end(
    engine, lifecycles, batch
):
    words = {"deadline_hours": 0.1}
    for when, state in (("cancelled", "IN_PROGRESS"), ("ended", "CANCELLED")):
        path = f"{FOLDER}/flows/mine_{when}"
        engine.add(path, flow("batch", batch, when, **words))
        lifecycles["batch"].lives[batch].turn(
            lifecycles.clock.now(), ("IN_PROGRESS", 10**7)
        )

        run = engine.run(f"mine_{when}")

        assert run.error["extra"]["type"] == "deadline"
        assert lifecycles.state(batch) == state


def test_the_key_is_no_argument_of_the_guard(engine, workspace, batch, auth):
    engine.add(f"{FOLDER}/flows/mine", flow("batch", batch))
    engine.run("mine")

    started = [job.arguments for job in workspace.jobs.values()]
    assert len(started) == 2
    assert auth["api_key"] not in str(started)


def test_a_flow_that_was_given_a_key_itself_has_no_guard(workspace, auth, batch):
    start = main_of(find("waits/start_guard"))

    found = start(auth, "batch", batch)

    assert found["guard"] is None
    assert "a key itself" in found["note"]
    assert not workspace.jobs


def test_a_flow_is_started_and_watched_to_its_end(workspace, auth, monkeypatch):
    workspace.register("f/mine/fine", lambda **given: given, "flow")
    workspace.register("f/mine/bad", lambda: 1 / 0, "flow")
    start, watch = (main_of(find(f"waits/{n}_flow")) for n in ("start", "watch"))
    one = start(auth, "f/mine/fine", {"x": 1}, "f/a/key")["flow_job_id"]
    two = start(auth, "f/mine/bad")["flow_job_id"]
    done = [_finished(watch, auth, job) for job in (one, two)]

    assert done[0]["outcome"] == "success"
    assert workspace.jobs[one].arguments == {"auth": "$res:f/a/key", "x": 1}
    assert done[0]["result"] == {"auth": "$ res:f/a/key", "x": 1}
    assert done[1]["outcome"] == "failure"
    assert "division" in done[1]["result"]["error"]["message"]


def _finished(watch, auth, job):
    with contextlib.suppress(TogetherError):  # it fails when the job does
        jobs.wait_for(job)
    return watch(auth, job)


# --- approvals ---------------------------------------------------------------------


def approval():
    """A flow that asks, and says what it was told."""
    ask = step("ask", "waits/ask_approval", question=static("Shall we?"))
    ask["suspend"] = {"required_events": 1, "timeout": 7200}
    ask["suspend"]["continue_on_disapprove_timeout"] = True
    route = {"id": "route", "value": {"type": "branchone", "default": []}}
    told = step("told", "waits/report_failure", error=js("({message: 'yes'})"))
    route["value"]["default"] = [told]
    no = step("no", "waits/report_failure", error=js("resume.error"))
    no["value"]["input_transforms"]["error"] = js("({message: 'no'})")
    branch = {"expr": "resume?.error", "modules": [no]}
    route["value"]["branches"] = [branch]
    return {"modules": [ask, route]}


@pytest.mark.parametrize(
    ("link", "answer", "after"),
    [("resume", "yes", 0), ("cancel", "no", 0), (None, "no", 7200)],
)
def test_an_approval_is_given_refused_or_never_answered(link, answer, after, engine):
    def decide(links):
        if link:
            urllib.request.urlopen(urllib.request.Request(links[link], b"{}"))

    engine.decide = decide
    engine.add(f"{FOLDER}/flows/mine", approval())

    run = engine.run("mine")

    assert run.result["message"].startswith(answer)
    assert run.ended == after


def test_the_approval_page_says_what_there_is_to_decide_on(workspace, auth):
    ask = main_of(find("waits/ask_approval"))

    found = ask(auth, "Train?", {"estimated_cost_usd": 5.42, "model": "m"}, "ada")

    assert found["description"]["markdown"].splitlines() == [
        "**Train?**",
        "",
        "- estimated cost usd: 5.42",
        "- model: m",
    ]
    details = {
        "dataset": {"rows": 3, "by_turn": [1, 2]},
        "allowed": True,
        "limit": None,
    }
    lines = ask(auth, "Train?", details)["description"]["markdown"].splitlines()
    assert lines[2:] == [
        "- dataset rows: 3",
        "- dataset by turn: 1, 2",
        "- allowed: yes",
        "- limit: not known",
    ]
    assert "approver=ada" in found["resume"]


# --- what is left ------------------------------------------------------------------


def report(auth, *left):
    error = {"name": "TogetherError", "message": "no", "step_id": "wait"}
    return main_of(find("waits/report_failure"))(auth, error, list(left), {"a": 1})


def test_a_failure_says_what_runs_and_costs(lifecycles, auth, sandbox, batch):
    sandbox.answers["list_hardware"] = lambda _: {
        "data": [{"id": "4x_h100", "pricing": {"cents_per_minute": 11.2}}]
    }
    create = find("endpoints/create_endpoint")
    body = {**create.schema["examples"][0]["body"], "hardware": "4x_h100"}
    endpoint = main_of(create)(auth, body=body)["id"]
    lifecycles.advance(400)

    found = report(
        auth,
        {"kind": "endpoint", "job_id": endpoint},
        {"kind": "batch", "job_id": batch},
        {"kind": "video", "job_id": None},
    )

    first, second = found["left"]
    assert (first["state"], first["running"]) == ("STARTED", True)
    assert first["usd_per_hour"] == 6.72
    assert "waits/cancel_job" in first["stop"]
    assert second["state"] == "IN_PROGRESS"
    assert "every minute" in found["message"]
    assert (found["failed_step"], found["kept"]) == ("wait", {"a": 1})


def test_a_failure_that_left_nothing_says_so(lifecycles, auth, batch):
    lifecycles.fail(batch, "no")

    found = report(auth, {"kind": "batch", "job_id": batch})

    assert found["left"][0]["running"] is False
    assert ". Nothing was left running" in found["message"]


def test_what_cannot_be_read_is_reported_as_perhaps_running(sandbox, auth):
    known = find("batches/get_batch").schema["x-reply"]["id"]
    found = report(auth, {"kind": "batch", "job_id": known})
    assert found["left"][0]["state"] == "COMPLETED"  # the canned answer

    found = report(auth, {"kind": "batch", "job_id": "b"})  # it is of another batch
    assert found["left"][0]["running"] is None
    assert known in found["left"][0]["trouble"]

    sandbox.faults.append(Fault("/v1/batches", 500))
    found = report(auth, {"kind": "batch", "job_id": "b"})
    assert found["left"][0]["running"] is None
    assert "500" in found["left"][0]["trouble"]
    assert "Left: batch b" in found["message"]


@pytest.mark.parametrize("marked", [True, False])
def test_what_is_to_be_stopped_is_stopped_first(marked, lifecycles, auth, batch):
    found = report(auth, {"kind": "batch", "job_id": batch, "stop": marked})

    (left,) = found["left"]
    assert (left["state"] == "CANCELLED") == marked, left
    assert left["running"] is not marked
    assert ("Nothing was left running" in found["message"]) == marked


def test_what_cannot_be_stopped_is_named_as_running(lifecycles, auth, batch):
    def refuse(arguments):
        raise RefusalError(403, "not yours")

    lifecycles.answers["cancel_batch"] = refuse

    found = report(auth, {"kind": "batch", "job_id": batch, "stop": True})

    (left,) = found["left"]
    assert (left["state"], left["running"]) == ("VALIDATING", None)
    assert "not yours" in left["trouble"]
    assert f"Left: batch {batch}" in found["message"]


def test_what_is_to_be_stopped_is_stopped_though_its_first_look_fails(
    sandbox, lifecycles, auth, batch
):
    sandbox.faults.append(Fault(f"/v1/batches/{batch}", 503))

    (left,) = report(auth, {"kind": "batch", "job_id": batch, "stop": True})["left"]

    assert (left["state"], left["running"]) == ("CANCELLED", False)
    assert "trouble" not in left


def test_of_several_one_that_is_gone_keeps_none_from_being_stopped(
    lifecycles, auth, batch
):
    job_id = f"gone,{batch}"

    (left,) = report(auth, {"kind": "batch", "job_id": job_id, "stop": True})["left"]

    assert lifecycles.state(batch) == "CANCELLED"
    assert "gone" in left["trouble"]


@pytest.mark.parametrize(
    ("pricing", "usd"),
    [
        ("11.2", None),
        ([11.2], None),
        (None, None),
        ({"cents_per_minute": 0}, None),
        ({"cents_per_minute": True}, None),
        ({"cents_per_minute": "11.2"}, 6.72),
    ],
)
def test_an_odd_price_of_hardware_spoils_no_report(pricing, usd, sandbox, auth):
    sandbox.answers["list_hardware"] = lambda _: {
        "data": [{"id": "4x_h100", "pricing": pricing}]
    }
    sandbox.answers["get_endpoint"] = lambda _: {
        "id": "endpoint-1",
        "state": "STARTED",
        "hardware": "4x_h100",
    }

    (left,) = report(auth, {"kind": "endpoint", "job_id": "endpoint-1"})["left"]

    assert (left["running"], left["usd_per_hour"]) == (True, usd)


UNCLEAR = {"name": "TogetherError", "message": "500", "extra": {"ambiguous": True}}
TAKEN_OVER = {**UNCLEAR, "extra": {"type": "flow_failed", "error": UNCLEAR}}
CLEAR = {**UNCLEAR, "extra": {"ambiguous": False}}
DEAD = {"name": "ExecutionErr", "message": "killed"}


@pytest.mark.parametrize(
    ("error", "left", "known"),
    [
        (UNCLEAR, [], False),
        (UNCLEAR, [None], False),
        (TAKEN_OVER, [], False),
        (CLEAR, [None], True),
        (DEAD, [None], False),
        (DEAD, [], True),  # this flow begins nothing
        ({"message": "no", "extra": "odd"}, [None], True),
    ],
    ids=str,
)
def test_that_nothing_runs_is_said_where_it_is_known(error, left, known, auth):
    entries = [{"kind": "video", "job_id": one} for one in left]

    found = main_of(find("waits/report_failure"))(auth, error, entries)

    assert ("Nothing was left running" in found["message"]) == known
    assert ("is not known" in found["message"]) == (not known)


def test_a_job_id_of_a_wrong_form_is_refused_before_a_guard_starts(workspace, auth):
    with pytest.raises(TogetherError, match="endpoint_id/deployment_id"):
        main_of(find("waits/start_guard"))(auth, "deployment", "dep", "f/a/key")
    assert not workspace.jobs
