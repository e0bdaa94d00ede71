"""The wait flow, run by tools/flows/flow_engine.py with virtual time."""

import time
from functools import partial

import pytest

from scripts.client import TogetherError
from scripts.service_jobs.job_kinds import KINDS, doubt, planned
from scripts.service_jobs.wait_steps import LONGEST_WISH
from tests.support.expected_request import main_of
from tools.flows import flow_engine
from tools.flows.flow_engine import Engine
from tools.flows.pack_flows import flows
from tools.operations import find
from tools.sandbox import Fault
from tools.sandbox.lifecycles import KINDS as LIVING
from tools.sandbox.lifecycles import RefusalError

# What each kind of the table is among the sandbox's things.
NAMES = {
    "batch": "batch",
    "fine_tune": "fine-tune",
    "evaluation": "evaluation",
    "video": "video",
    "endpoint": "endpoint",
    "deployment": "deployment",
    "model_upload": "model upload",
    "remote_upload": "remote upload",
    "training_operation": "training operation",
    "training_session": "training session",
    "model_resources": "model resources",
    "shaping_job": "shaping job",
}
WAIT = next(flow for flow in flows() if flow.name == "wait_for_job")
EACH = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
def engine(workspace, lifecycles, auth):
    return Engine(workspace, auth, lifecycles.advance)


def made(kind, lifecycles, auth):
    """Create a thing by the pack's own step; the wait flow's arguments for it."""
    living = next(one for one in LIVING if one.name == NAMES[kind])
    name = next(n for n, m in living.operations.items() if m in ("create", "once"))
    arguments = dict(find(name).schema["examples"][0])
    main_of(find(name))(auth, **arguments)
    (life,) = lifecycles[living.name].lives.values()
    given = {**life.given, "operation_type": "-".join(name.split("_")[1:])}
    ids = [*(given[part] for part in KINDS[kind]["names"][:-1]), life.id]
    return {"kind": kind, "id": "/".join(ids)}, life


def test_the_forms_know_every_kind():
    assert KINDS.keys() == NAMES.keys()
    kinds = WAIT.arguments["kind"]
    assert list(KINDS) == kinds["enum"]
    assert list(KINDS) == list(kinds["x-form"]["labels"])
    for name in ("poll_job", "cancel_job", "start_guard"):
        kind = find(f"waits/{name}").arguments["kind"]
        assert list(KINDS) == kind["enum"], name


def test_the_form_says_which_ids_a_kind_has_in_which_order():
    for kind, row in KINDS.items():
        ids = "/".join(row["names"])
        label = WAIT.arguments["kind"]["x-form"]["labels"][kind]
        assert (f"({ids})" in label) == ("/" in ids), kind
        if "/" in ids:
            assert ids in WAIT.arguments["id"]["description"]


def test_the_form_says_how_long_a_kind_is_waited_for():
    said = WAIT.arguments["deadline_hours"]["description"]
    words = {
        "batch": "batch",
        "fine_tune": "fine-tuning job",
        "evaluation": "evaluation and FP4 preparation",
        "shaping_job": "evaluation and FP4 preparation",
        "model_upload": "uploads",
        "remote_upload": "uploads",
        "model_resources": "model resources",
        "training_operation": "training operation",
    }

    for kind, row in KINDS.items():
        hours = row["deadline"] // 3600
        assert f"{words.get(kind, 'everything else')} {hours}" in said, kind


@EACH
def test_a_wait_ends_with_the_job(kind, engine, lifecycles, auth):
    arguments, life = made(kind, lifecycles, auth)

    run = engine.run(WAIT.name, **arguments)

    assert run.outcome == "success", run.result
    assert run.result["done"]
    assert run.result["state"] in KINDS[kind]["good"]
    assert life.id in str(run.result["job"])
    assert run.result["polls"] == run.count("waits/poll_job")
    needed = life.course[-1][0] - life.created
    assert needed <= run.ended <= needed + KINDS[kind]["longest"] + needed * 0.5


@EACH
def test_a_wait_for_what_is_done_takes_one_look(kind, engine, lifecycles, auth):
    arguments, _ = made(kind, lifecycles, auth)
    lifecycles.advance(10**5)

    run = engine.run(WAIT.name, **arguments)

    assert run.outcome == "success", run.result
    assert [call.path for call in run.calls] == ["waits/poll_job"]
    assert run.result["job"]


@EACH
def test_a_job_that_fails_ends_the_wait_with_its_reason(kind, engine, lifecycles, auth):
    lifecycles.fail_next(NAMES[kind], "the cat sat on it")
    arguments, _ = made(kind, lifecycles, auth)

    run = engine.run(WAIT.name, **arguments)

    assert run.error["name"] == "TogetherError"
    assert run.error["extra"]["type"] == "job_failed"
    assert run.error["extra"]["state"] in KINDS[kind]["bad"]
    if kind != "endpoint":  # its API gives no reason
        assert "the cat sat on it" in run.error["message"]


@EACH
def test_a_deadline_ends_the_wait_and_says_what_goes_on(kind, engine, lifecycles, auth):
    living = lifecycles[NAMES[kind]]
    for state in living.plan:
        living.plan[state] = 10**6
    arguments, _ = made(kind, lifecycles, auth)

    run = engine.run(WAIT.name, **arguments, deadline_hours=0.1)

    assert run.error["extra"]["type"] == "deadline"
    assert KINDS[kind]["left"] in run.error["message"]
    assert 360 <= run.ended <= 361


def usual_hours(kind):
    return KINDS[kind]["deadline"] / 3600


@pytest.mark.parametrize(
    "kind",
    [
        # Hundreds of looks; the test below has them all.
        pytest.param(kind, marks=pytest.mark.slow) if usual_hours(kind) > 2 else kind
        for kind in KINDS
    ],
)
def test_without_a_deadline_of_its_own_a_kind_s_usual_one_holds(
    kind, engine, lifecycles, auth
):
    arguments, life = made(kind, lifecycles, auth)
    life.turn(life.created, *((life.course[0][1], 10**6), ("never", 0)))

    run = engine.run(WAIT.name, **arguments)

    assert run.error["extra"]["type"] == "deadline"
    assert KINDS[kind]["deadline"] <= run.ended <= KINDS[kind]["deadline"] + 1


@EACH
def test_the_look_at_which_the_usual_deadline_has_passed_is_the_last(
    kind, lifecycles, auth
):
    arguments, life = made(kind, lifecycles, auth)
    life.turn(life.created, *((life.course[0][1], 10**6), ("never", 0)))
    deadline = KINDS[kind]["deadline"]
    looks = next(n for n in range(999) if planned(KINDS[kind], n) >= deadline)
    look = partial(main_of(find("waits/poll_job")), auth, kind, arguments["id"])

    before = look(attempt=looks - 1, started_at=time.time())

    assert not before["done"]
    due = planned(KINDS[kind], looks - 1) + before["wait_seconds"]
    assert due == deadline
    with pytest.raises(TogetherError) as error:
        look(attempt=looks, started_at=time.time())
    assert error.value.type == "deadline"


def pace(kind):
    return KINDS[kind]["first"], KINDS[kind]["longest"]


FIRST_OF_ITS_PACE = {pace(kind): kind for kind in reversed(KINDS)}


@pytest.mark.parametrize(
    "kind",
    [
        kind
        if kind in FIRST_OF_ITS_PACE.values()
        else pytest.param(kind, marks=pytest.mark.slow)
        for kind in KINDS
    ],
)
def test_a_wait_looks_rarely(kind, engine, lifecycles, auth):
    """A worker is held only while a look lasts: the looks are what costs."""
    living = lifecycles[NAMES[kind]]
    for state in living.plan:
        living.plan[state] = 10**6
    arguments, _ = made(kind, lifecycles, auth)

    run = engine.run(WAIT.name, **arguments, deadline_hours=3)

    hours = [int(call.at // 3600) for call in run.of("waits/poll_job")]
    assert hours.count(0) <= 45
    assert hours.count(1) <= 31
    assert hours.count(2) <= 31
    pauses = [b.at - a.at for a, b in zip(run.calls, run.calls[1:], strict=False)]
    growing = pauses[:-2]  # the last is cut by the deadline, then the flow ends
    assert growing == sorted(growing)


def test_an_outage_of_an_hour_does_not_end_a_wait(engine, sandbox, lifecycles, auth):
    arguments, _ = made("batch", lifecycles, auth)
    run = engine.start(WAIT.name, **arguments)
    engine.work(until=200)
    before = run.count("waits/poll_job")
    sandbox.faults.append(Fault("/v1/batches", 503, times=10**6))
    engine.work(until=3800)
    during = run.of("waits/poll_job")[before:]
    sandbox.faults.clear()
    engine.work()

    assert len(during) > 5
    assert all("503" in call.result["trouble"] for call in during)
    assert run.outcome == "success"
    assert run.result["state"] == "COMPLETED"


def test_a_server_s_wish_to_wait_longer_is_met(engine, sandbox, lifecycles, auth):
    arguments, _ = made("batch", lifecycles, auth)
    headers = {"retry-after": "500"}
    sandbox.faults.append(Fault("/v1/batches", 429, headers=headers))

    run = engine.run(WAIT.name, **arguments)

    assert run.calls[1].at == 500


@pytest.mark.parametrize("wish", ["864000", "10d", "2000000000"])
@pytest.mark.parametrize(("hours", "at"), [(0.1, 360), (20, LONGEST_WISH)])
def test_no_wish_of_a_server_outlasts_the_deadline_nor_a_pause(
    wish, hours, at, engine, sandbox, lifecycles, auth
):
    arguments, _ = made("batch", lifecycles, auth)
    headers = {"retry-after": wish}
    sandbox.faults.append(Fault("/v1/batches", 503, headers=headers))

    run = engine.run(WAIT.name, **arguments, deadline_hours=hours)

    assert run.calls[1].at == at
    assert max(row["longest"] for row in KINDS.values()) == LONGEST_WISH


def test_of_the_time_that_a_wish_takes_what_has_gone_by_is_left_out(
    sandbox, lifecycles, auth
):
    arguments, _ = made("batch", lifecycles, auth)
    headers = {"retry-after": "500"}
    sandbox.faults.append(Fault("/v1/batches", 429, headers=headers))

    found = main_of(find("waits/poll_job"))(
        auth, "batch", arguments["id"], time.time() - 100, deadline_seconds=360
    )

    assert 255 <= found["wait_seconds"] <= 260


@pytest.mark.parametrize("deadline", [0, 0.0])
def test_a_deadline_of_none_is_one_look(deadline, engine, lifecycles, auth):
    arguments, _ = made("batch", lifecycles, auth)

    run = engine.run(WAIT.name, **arguments, deadline_hours=deadline)

    assert run.error["extra"]["type"] == "deadline"
    assert run.count("waits/poll_job") == 1
    lifecycles.advance(10**5)
    assert engine.run(WAIT.name, **arguments, deadline_hours=0).outcome == "success"


@pytest.mark.parametrize("nothing", [None, ""])
def test_a_deadline_that_is_left_empty_is_the_usual_one(
    nothing, engine, lifecycles, auth
):
    arguments, life = made("endpoint", lifecycles, auth)
    life.turn(life.created, *((life.course[0][1], 10**6), ("never", 0)))

    run = engine.run(WAIT.name, **arguments, deadline_hours=nothing)

    usual = KINDS["endpoint"]["deadline"]
    assert usual <= run.ended <= usual + 1


@EACH
def test_a_wait_may_take_any_number_of_looks(kind, lifecycles, auth):
    arguments, life = made(kind, lifecycles, auth)
    life.turn(life.created, *((life.course[0][1], 10**9), ("never", 0)))

    for attempt in (100, 1751, 5000):
        found = main_of(find("waits/poll_job"))(
            auth, kind, arguments["id"], deadline_seconds=10**8, attempt=attempt
        )
        assert found["wait_seconds"] == KINDS[kind]["longest"]


def test_a_look_that_is_refused_ends_the_wait_at_once(
    engine, sandbox, lifecycles, auth
):
    arguments, _ = made("batch", lifecycles, auth)
    sandbox.faults.append(Fault("/v1/batches", 401, times=9))

    run = engine.run(WAIT.name, **arguments)

    assert run.error["extra"]["status"] == 401
    assert run.count("waits/poll_job") == 1


def test_a_step_that_dies_in_passing_is_run_again(
    engine, lifecycles, auth, monkeypatch
):
    arguments, _ = made("video", lifecycles, auth)
    deaths = iter([True, True, False])
    call = flow_engine.call_script

    def dying(step, given, environment):
        if next(deaths, False):
            return False, {"error": {"name": "ExecutionErr", "message": "killed"}}
        return call(step, given, environment)

    monkeypatch.setattr(flow_engine, "call_script", dying)

    run = engine.run(WAIT.name, **arguments)

    assert run.outcome == "success"
    assert [call.at for call in run.calls[:3]] == [0, 60, 120]


def test_a_stopped_endpoint_is_not_waited_for(engine, lifecycles, auth):
    arguments, life = made("endpoint", lifecycles, auth)
    run = engine.start(WAIT.name, **arguments)
    engine.work(until=100)
    stop = {"kind": "endpoint", "job_id": life.id}
    assert main_of(find("waits/cancel_job"))(auth, **stop)["cancelled"]
    engine.work()

    assert run.error["extra"]["state"] in ("STOPPING", "STOPPED")


@pytest.mark.slow
def test_a_worker_runs_a_wait(workspace, lifecycles, auth):
    arguments, _ = made("video", lifecycles, auth)
    engine = Engine(workspace, auth, lifecycles.advance, in_worker=True)

    run = engine.run(WAIT.name, **arguments)

    assert run.outcome == "success", run.result
    assert run.result["job"]["outputs"]["video_url"]


# --- stopping ----------------------------------------------------------------------


@EACH
def test_what_can_be_stopped_is_stopped_once(kind, lifecycles, auth):
    _, life = made(kind, lifecycles, auth)
    lifecycles.advance(1)
    parts = [life.given[n] for n in KINDS[kind]["names"][:-1] if n in life.given]
    if kind == "training_operation":
        parts.append("forward-backward")
    given = {"kind": kind, "job_id": "/".join([*parts, life.id])}
    cancel = main_of(find("waits/cancel_job"))

    first = cancel(auth, **given)
    lifecycles.advance(600)
    second = cancel(auth, **given)

    assert first["cancelled"] == ("stop" in KINDS[kind])
    assert not second["cancelled"]
    if "stop" in KINDS[kind]:
        assert "already" in second["note"]
    else:
        assert KINDS[kind]["left"] in first["note"]


@pytest.mark.parametrize("status", [400, 409])
def test_what_ends_before_it_is_stopped_is_no_failure(status, lifecycles, auth):
    _, life = made("batch", lifecycles, auth)
    lifecycles.advance(1)

    def too_late(arguments):
        lifecycles.advance(10**6)
        raise RefusalError(status, "it is over")

    lifecycles.answers["cancel_batch"] = too_late
    found = main_of(find("waits/cancel_job"))(auth, "batch", life.id)

    assert (found["state"], found["cancelled"]) == ("COMPLETED", False)
    assert "before it could be stopped" in found["note"]


def test_a_stop_that_is_refused_is_an_error_while_the_job_goes_on(lifecycles, auth):
    _, life = made("batch", lifecycles, auth)
    lifecycles.advance(1)

    def refuse(arguments):
        raise RefusalError(409, "not now")

    lifecycles.answers["cancel_batch"] = refuse

    with pytest.raises(TogetherError, match="not now"):
        main_of(find("waits/cancel_job"))(auth, "batch", life.id)


@pytest.mark.parametrize(
    ("job", "share"),
    [
        ({"n_epochs": 3, "epochs_completed": 5}, 1),
        ({"n_epochs": -3, "epochs_completed": 1}, None),
        ({"n_epochs": "4", "epochs_completed": "1"}, 0.25),
    ],
)
def test_a_share_is_from_0_to_1_or_not_known(job, share, sandbox, auth):
    shown = {"id": "ft-1", "status": "running", **job}
    sandbox.answers["get_fine_tune"] = lambda _: shown
    sandbox.answers["list_fine_tune_events"] = lambda _: {"data": []}

    found = main_of(find("waits/poll_job"))(auth, "fine_tune", "ft-1")
    report = main_of(find("report_fine_tune"))(auth, "ft-1")

    assert found["progress"] == report["progress"] == share


@pytest.mark.parametrize("shown", [{"status": None}, {}, []])
def test_what_does_not_say_its_state_is_stopped(shown, lifecycles, auth):
    _, life = made("deployment", lifecycles, auth)
    lifecycles.advance(1)
    lifecycles.answers["get_endpoint_deployment"] = lambda _: shown
    job_id = f"{life.given['endpoint_id']}/{life.id}"

    found = main_of(find("waits/cancel_job"))(auth, "deployment", job_id)

    assert found["cancelled"]
    assert lifecycles.state(life.id) == "DEPLOYMENT_STATE_STOPPING"


def test_what_says_no_state_and_cannot_be_stopped_is_an_error(lifecycles, auth):
    _, life = made("video", lifecycles, auth)
    lifecycles.answers["get_video"] = lambda _: {"id": life.id}

    with pytest.raises(TogetherError, match="names no state"):
        main_of(find("waits/cancel_job"))(auth, "video", life.id)


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        (
            {"total": 5, "completed": 3, "failed": 2},
            "of 5 requests 3 were answered and",
        ),
        ({"total": "5", "completed": "3"}, "of 5 requests 3 were answered"),
        ({"total": 5, "completed": 5, "failed": None}, None),
        ({"total": 5, "completed": None, "failed": None}, None),
        ({"completed": 5}, None),
        ({"total": 5, "failed": 2}, "2 requests failed"),
    ],
)
def test_a_count_that_is_not_told_is_no_count_of_0(counts, words):
    told = doubt({"request_counts": counts})

    assert told == words if words is None else words in told


def test_a_wrong_id_is_refused_before_anything_is_sent(sandbox, auth):
    for name in ("poll_job", "cancel_job"):
        for job_id in ("dep_1", "ep_1/", "a/b/c"):
            with pytest.raises(TogetherError, match="endpoint_id/deployment_id"):
                main_of(find(f"waits/{name}"))(auth, "deployment", job_id)
    assert not sandbox.requests
