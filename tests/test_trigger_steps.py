"""Triggers tell what is new: nothing twice, nothing lost, whatever run dies when."""

import datetime
import uuid

import pytest

from scripts.client import TogetherError
from scripts.trigger_steps.trigger_steps import MOST_PERIODS
from scripts.workspace.watermark import GONE, with_carried
from tests.support.expected_request import main_of
from tools.local.fake_workspace import Job, state_path
from tools.local.happenings import (
    World,
    batch,
    catalogue,
    deployed,
    fine_tune,
    measured,
    spent,
)
from tools.operations import find, steps
from tools.sandbox import Fault

TRIGGERS = [step for step in steps() if step.step == "trigger"]


@pytest.fixture
def poll(workspace, auth, monkeypatch):
    """Run a trigger as a job: poll(name, ends=..., job=..., **arguments)."""

    def run(name, ends="success", job=None, **arguments):
        step = find(f"triggers/{name}")
        least = {n: step.schema["examples"][0][n] for n in step.required}
        job = job or str(uuid.uuid4())
        workspace.jobs[job] = Job(f"f/togetherai/{step.id}", "script", {}, {})
        monkeypatch.setenv("WM_STATE_PATH", state_path(f"f/togetherai/{step.id}"))
        monkeypatch.setenv("WM_JOB_ID", job)
        try:
            return main_of(step)(auth, **{**least, **arguments})
        finally:
            if ends:
                workspace.jobs[job].success = ends == "success"
                workspace.jobs[job].done.set()

    run.workspace = workspace
    return run


KEYS = {
    "batch_finished": "batch_id",
    "fine_tune_changed": "fine_tune_id",
    "evaluation_changed": "evaluation_id",
    "model_changed": "model",
    "endpoint_idle": "job_id",
    "metric_over_limit": "metric",
    "spend_over_limit": "period",
    "list_new_objects": "s3",
    "retired_model_used": "key",
}


def told(name, found):
    if name == "spend_over_limit":
        return ["period" for _ in found]
    return [entry[KEYS[name]] for entry in found]


EACH = pytest.mark.parametrize("name", [step.name for step in TRIGGERS])


@pytest.fixture
def world(sandbox, lifecycles, auth, workspace):
    return World(sandbox, lifecycles, auth, workspace)


def test_every_trigger_is_tested_here():
    assert KEYS.keys() == {step.name for step in TRIGGERS}


@EACH
def test_the_first_run_only_notes_how_things_are(name, poll, world):
    world.before(name)

    assert poll(name) == []
    assert poll(name) == []


@EACH
def test_a_change_is_told_once(name, poll, world):
    world.before(name)
    poll(name)
    news = world.change(name)

    assert told(name, poll(name)) == news
    assert poll(name) == []
    assert poll(name) == []


@EACH
def test_what_a_run_that_died_had_found_is_told_again(name, poll, world):
    world.before(name)
    poll(name)
    news = world.change(name)

    assert told(name, poll(name, ends="failure")) == news
    assert told(name, poll(name, ends="failure")) == news
    assert told(name, poll(name)) == news
    assert poll(name) == []


@EACH
def test_a_job_that_is_started_anew_tells_what_its_lost_worker_had_found(
    name, poll, world
):
    world.before(name)
    poll(name)
    news, job = world.change(name), str(uuid.uuid4())

    assert told(name, poll(name, ends=None, job=job)) == news  # nobody gets this
    assert told(name, poll(name, job=job)) == news
    assert poll(name) == []


# A period is told once, however much is spent in it.
@pytest.mark.parametrize("name", sorted(KEYS.keys() - {"spend_over_limit"}))
def test_what_comes_after_a_run_that_died_is_told_too(name, poll, world):
    world.before(name)
    poll(name)
    first = world.change(name)
    poll(name, ends="failure")
    second = world.change(name)

    assert sorted(told(name, poll(name))) == sorted(first + second)
    assert poll(name) == []


@EACH
def test_a_run_that_cannot_save_its_state_tells_nothing_and_loses_nothing(
    name, poll, world
):
    world.before(name)
    poll(name)
    news = world.change(name)
    poll.workspace.faults.append(Fault("resources/update_value", 500))
    with pytest.raises(TogetherError, match="state"):
        poll(name, ends="failure")

    assert told(name, poll(name)) == news


@EACH
def test_runs_that_overlap_tell_nothing_twice(name, poll, world):
    world.before(name)
    poll(name)
    news = world.change(name)

    assert told(name, poll(name, ends=None)) == news
    assert poll(name) == []
    for job in poll.workspace.jobs.values():
        if not job.done.is_set():
            job.success = True
            job.done.set()
    assert poll(name) == []


@EACH
def test_a_job_that_windmill_has_forgotten_counts_as_ended_well(name, poll, world):
    world.before(name)
    poll(name)
    world.change(name)
    poll(name)
    poll.workspace.jobs.clear()

    assert poll(name) == []


# The objects are in Windmill's own storage.
@pytest.mark.parametrize("name", sorted(KEYS.keys() - {"list_new_objects"}))
def test_nothing_is_noted_while_together_does_not_answer(name, poll, world):
    world.sandbox.faults.append(Fault(".", 401, times=99))
    with pytest.raises(TogetherError, match="401"):
        poll(name)
    world.sandbox.faults.clear()

    assert not poll.workspace.resources


# --- what each of them tells -------------------------------------------------------


def test_a_batch_is_told_with_its_files_and_only_in_the_states_asked_for(
    poll, sandbox, lifecycles, auth
):
    poll("batch_finished")
    good, bad = batch(auth, sandbox), batch(auth, sandbox)
    lifecycles.advance(100)
    lifecycles.fail(bad, "no credit")
    lifecycles.advance(3600)

    found = poll("batch_finished", states=["FAILED"])

    assert [(b["batch_id"], b["error"]) for b in found] == [(bad, "no credit")]
    assert good not in told("batch_finished", found)
    assert poll("batch_finished") == []  # the other one was seen, too


def test_a_state_is_told_with_the_one_before(poll, lifecycles, auth):
    fine_tune(auth)
    poll("fine_tune_changed")
    seen = []
    for _ in range(8):
        lifecycles.advance(1500)
        seen += [(f["previous"], f["state"]) for f in poll("fine_tune_changed")]

    assert seen[0][0] == "pending"
    assert seen[-1][1] == "completed"
    assert [a for _, a in seen[:-1]] == [b for b, _ in seen[1:]]


def test_only_ends_are_told_if_asked_for(poll, lifecycles, auth):
    made = fine_tune(auth)
    poll("fine_tune_changed", only_ended=True)
    lifecycles.advance(3600)
    assert poll("fine_tune_changed", only_ended=True) == []
    lifecycles.fail(made, "no")

    (found,) = poll("fine_tune_changed", only_ended=True)

    assert (found["state"], found["previous"]) == ("error", "running")


@pytest.mark.parametrize("silent", [None, "", " ", {"a": 1}, 5])
def test_a_state_that_is_not_told_for_once_is_not_told_twice(silent, poll, sandbox):
    def show(**states):
        sandbox.answers["list_fine_tunes"] = lambda _: {
            "data": [{"id": name, "status": state} for name, state in states.items()]
        }

    show(a="running")
    poll("fine_tune_changed")
    show(a="completed", b=silent)
    assert told("fine_tune_changed", poll("fine_tune_changed")) == ["a"]
    show(a=silent, b="running")
    assert told("fine_tune_changed", poll("fine_tune_changed")) == ["b"]
    show(a="completed", b="running")

    assert poll("fine_tune_changed") == []


ODD_STATES = [
    {"mark": None},
    {"mark": "text"},
    {"mark": {}, "pending": {"found": []}},
    {"mark": {}, "pending": {"job": "x", "mark": {}}},
    {"mark": {}, "pending": {"job": "x", "found": []}},
    {"mark": {}, "pending": {"job": 5, "mark": {}, "found": []}},
    {"mark": {}, "pending": {"job": "x", "mark": {}, "found": [{"old": 1}]}},
    {"mark": {}, "pending": [1]},
    {"mark": {}, "gone": {"a": "b"}},
]


@pytest.mark.parametrize("state", ODD_STATES, ids=str)
@pytest.mark.parametrize("name", ["fine_tune_changed", "spend_over_limit"])
def test_a_state_that_somebody_changed_is_named(name, state, poll, world):
    world.before(name)
    poll(name)
    (kept,) = poll.workspace.resources.values()
    kept["value"] = state

    with pytest.raises(TogetherError, match="state that this trigger keeps") as error:
        poll(name)
    assert "Delete the trigger's state" in error.value.advice
    assert kept["value"] == state


def test_what_is_found_again_is_told_once_whatever_names_it():
    """Also where the state has kept a text of it that it made harmless."""
    carried = [
        {"key": key, "n": 1} for key in ("a", ["b"], {"c": 1, "d": 2}, "$ var:e")
    ]
    found = [{"key": key, "n": 2} for key in (["b"], {"d": 2, "c": 1}, "$var:e", "f")]

    assert with_carried(carried, found, "key") == [{"key": "a", "n": 1}, *found]


def test_a_model_is_told_when_deprecated_and_when_gone(poll, sandbox):
    catalogue(sandbox, a="SUPPORTED", b="RECOMMENDED")
    poll("model_changed")
    catalogue(sandbox, a="DEPRECATED", b="RECOMMENDED")
    first = [(f["model"], f["change"]) for f in poll("model_changed")]
    catalogue(sandbox, b="RECOMMENDED")
    second = [(f["model"], f["change"]) for f in poll("model_changed")]

    assert first == [("a", "deprecated")]
    assert second == [("a", "removed")]
    assert poll("model_changed", changes=["added"]) == []


def test_an_empty_catalogue_is_no_news(poll, sandbox):
    catalogue(sandbox, a="SUPPORTED")
    poll("model_changed")
    catalogue(sandbox)
    with pytest.raises(TogetherError, match="empty"):
        poll("model_changed")
    catalogue(sandbox, a="SUPPORTED")

    assert poll("model_changed") == []


def test_a_limit_is_told_once_and_again_when_it_is_raised(poll, sandbox):
    spent(sandbox, 60, 50)
    assert poll("spend_over_limit", limit_usd=100) == []
    (found,) = poll("spend_over_limit", limit_usd=100)
    assert found["total_usd"] == 110
    assert [p["cost_usd"] for p in found["products"]] == [60, 50]
    assert poll("spend_over_limit", limit_usd=100) == []
    assert poll("spend_over_limit", limit_usd=200) == []
    spent(sandbox, 250)

    assert len(poll("spend_over_limit", limit_usd=200)) == 1
    assert poll("spend_over_limit", limit_usd=200) == []


def billed(sandbox, days):
    """Let the sandbox bill these USD by day, each in the month that is asked for."""

    def answer(arguments):
        return {
            "data": [
                {
                    "date": day.isoformat(),
                    "line_items": [{"product_name": "p", "cost": usd}],
                }
                for day, usd in days.items()
                if day.isoformat().startswith(arguments["month"])
            ]
        }

    sandbox.answers["list_billing_usage"] = answer


TODAY = datetime.datetime.now(datetime.UTC).date()
ONE = datetime.timedelta(days=1)
LAST_MONTH = TODAY.replace(day=1) - ONE  # its last day
BEFORE_IT = LAST_MONTH.replace(day=1) - ONE


@pytest.mark.parametrize(
    ("period", "ended", "earlier"),
    [("day", TODAY - ONE, TODAY - 2 * ONE), ("month", LAST_MONTH, BEFORE_IT)],
)
def test_what_was_spent_after_the_last_run_of_a_period_is_told_once(
    poll, sandbox, workspace, period, ended, earlier
):
    size = {"day": 10, "month": 7}[period]
    limit = {"limit_usd": 100, "period": period}
    billed(sandbox, {earlier: 700, ended: 50})
    poll("spend_over_limit", **limit)
    poll("spend_over_limit", **limit)
    (state,) = workspace.resources.values()
    state["value"]["mark"]["period"] = ended.isoformat()[:size]  # the run was then
    billed(sandbox, {earlier: 700, ended: 550, TODAY: 20})

    (found,) = poll("spend_over_limit", ends="failure", **limit)
    assert found["period"] == ended.isoformat()[:size]
    assert (found["total_usd"], found["limit_usd"]) == (550, 100)
    assert found["products"] == [{"product": "p", "cost_usd": 550}]
    assert poll("spend_over_limit", **limit) == [found]
    assert poll("spend_over_limit", **limit) == []


@pytest.mark.parametrize("period", ["day", "month"])
def test_periods_in_which_nothing_ran_are_told_and_the_one_told_before_is_not(
    poll, sandbox, workspace, period
):
    days = [TODAY - n * ONE for n in (0, 1, 2, 3)]
    months = [TODAY, LAST_MONTH, BEFORE_IT, BEFORE_IT.replace(day=1) - ONE]
    now, last, before, first = days if period == "day" else months
    size = {"day": 10, "month": 7}[period]
    names = [day.isoformat()[:size] for day in (now, last, before, first)]
    limit = {"limit_usd": 100, "period": period}
    poll("spend_over_limit", **limit)
    (state,) = workspace.resources.values()
    state["value"]["mark"] = {"period": names[3], "limit_usd": 100, "over": True}
    billed(sandbox, {now: 101, last: 99, before: 200, first: 300})

    found = poll("spend_over_limit", **limit)
    assert [(one["period"], one["total_usd"]) for one in found] == [
        (names[2], 200),
        (names[0], 101),
    ]
    assert poll("spend_over_limit", **limit) == []


def test_another_length_of_period_begins_with_the_present_one(poll, sandbox):
    billed(sandbox, {LAST_MONTH: 500, TODAY: 20})
    poll("spend_over_limit", limit_usd=100, period="day")

    assert poll("spend_over_limit", limit_usd=100, period="month") == []


def test_so_many_periods_are_looked_at_again_at_most(poll, sandbox, workspace):
    poll("spend_over_limit", limit_usd=100, period="day")
    (state,) = workspace.resources.values()
    state["value"]["mark"]["period"] = "2020-02-28"
    billed(sandbox, {TODAY - n * ONE: 200 for n in range(1, 60)})

    found = poll("spend_over_limit", limit_usd=100, period="day")
    assert [one["period"] for one in found] == [
        (TODAY - n * ONE).isoformat() for n in range(MOST_PERIODS, 0, -1)
    ]


def test_an_endpoint_is_idle_again_after_it_was_used(poll, sandbox):
    deployed(sandbox, a=0)
    poll("endpoint_idle")
    assert poll("endpoint_idle") == []
    deployed(sandbox, a=3)
    assert poll("endpoint_idle") == []
    deployed(sandbox, a=0)

    (found,) = poll("endpoint_idle")

    assert (found["kind"], found["job_id"]) == ("deployment", "ep_1/a")


def test_a_use_that_is_not_told_is_not_idleness(poll, sandbox):
    deployed(sandbox, a="many")
    poll("endpoint_idle")

    assert poll("endpoint_idle") == []


def counted(*counts):
    """Return analytics in so many parts, each with its number of requests."""
    parts = [{"metrics": {"requestMetrics": {"totalRequests": n}}} for n in counts]
    return {"deploymentAnalytics": [{"deploymentId": "a", **part} for part in parts]}


@pytest.mark.parametrize(
    ("analytics", "idle"),
    [
        (counted("0", 0), True),
        (counted(0, 9), False),
        (counted(0, None), False),
        (counted("0.4"), False),
        ({"deploymentAnalytics": [None, *counted(0)["deploymentAnalytics"]]}, True),
        ({"deploymentAnalytics": [{"deploymentId": "a", "metrics": [1]}]}, False),
        ({"deploymentAnalytics": None}, False),
        ({"deploymentAnalytics": {"a": 0}}, False),
        ([], False),
        (None, False),
    ],
)
def test_only_what_surely_had_no_request_is_idle(analytics, idle, sandbox, auth):
    deployed(sandbox, a=0)
    sandbox.answers["get_project_endpoint_analytics"] = lambda _: analytics

    found = main_of(find("list_idle_endpoints"))(auth)

    assert [one["job_id"] for one in found] == (["ep_1/a"] if idle else [])


def test_all_idle_endpoints_are_listed_those_of_v1_by_age_alone(
    sandbox, lifecycles, auth
):
    deployed(sandbox, a=0, b=1)
    create = find("endpoints/create_endpoint")
    main_of(create)(auth, **create.schema["examples"][0])
    lifecycles.advance(400)
    idle = main_of(find("list_idle_endpoints"))

    assert [f["job_id"] for f in idle(auth)] == ["ep_1/a"]
    both = idle(auth, v1_after_hours=0)
    assert [f["kind"] for f in both] == ["deployment", "endpoint"]
    assert [f["kind"] for f in idle(auth, v1_after_hours=1)] == ["deployment"]


YOUNG = {  # a time of now, as an API may write it
    "UTC": lambda now: now.isoformat(timespec="seconds"),
    "naive": lambda now: now.replace(tzinfo=None).isoformat(),
    "seconds": lambda now: int(now.timestamp()),
    "milliseconds": lambda now: str(int(now.timestamp() * 1000)),
}
OLD = ("2026-11-03T08:05:44Z", "2026-11-03T08:05:44", 1762157144, "1762157144000")


def listed_as_idle(created, sandbox, auth):
    deployed(sandbox, a=0)
    answer = sandbox.answers["list_project_endpoints"](None)
    answer["data"][0]["deployments"][0]["createdAt"] = created
    sandbox.answers["list_project_endpoints"] = lambda _: answer
    return [f["job_id"] for f in main_of(find("list_idle_endpoints"))(auth)]


@pytest.mark.parametrize("way", YOUNG)
def test_what_was_made_just_now_is_not_idle(way, sandbox, auth):
    created = YOUNG[way](datetime.datetime.now(datetime.UTC))

    assert listed_as_idle(created, sandbox, auth) == []


@pytest.mark.parametrize("created", OLD)
def test_what_is_old_may_be_idle(created, sandbox, auth):
    assert listed_as_idle(created, sandbox, auth) == ["ep_1/a"]


@pytest.mark.parametrize("created", [None, 3, 1e300, "yesterday", {}], ids=str)
def test_what_is_of_an_age_that_is_not_known_is_left_alone(
    created, sandbox, auth, capsys
):
    assert listed_as_idle(created, sandbox, auth) == []
    assert "how old a is cannot be read: it is left out" in capsys.readouterr().err


def test_another_folder_begins_anew_and_so_does_the_first_one_after_it(poll, workspace):
    for key in ("inbox/a.csv", "inbox/b.txt", "archive/2019.csv"):
        workspace.put(key, b"x")
    assert poll("list_new_objects", folder="inbox") == []
    workspace.put("inbox/c.csv", b"x")
    assert len(poll("list_new_objects", folder="/inbox/")) == 1  # it is the same one

    for words in (
        {"folder": "archive"},
        {"folder": "inbox"},
        {"folder": "inbox", "ending": ".csv"},
        {"folder": "inbox", "ending": ".csv", "storage": "second"},
        {"folder": "inbox"},
    ):
        assert poll("list_new_objects", **words) == []
    found = poll("list_new_objects", folder="archive", existing=True)

    assert told("list_new_objects", found) == ["archive/2019.csv"]


def test_a_state_of_an_earlier_release_goes_on(poll, workspace):
    workspace.put("inbox/a.csv", b"x")
    poll("list_new_objects")
    (state,) = workspace.resources.values()
    state["value"] = {"mark": ["inbox/a.csv"]}
    workspace.put("inbox/b.csv", b"x")

    assert told("list_new_objects", poll("list_new_objects")) == ["inbox/b.csv"]
    assert poll("list_new_objects", folder="other") == []


@pytest.mark.parametrize("folder", ["s3:///inbox", "s3://archive/inbox", "s3:in", "/"])
@pytest.mark.parametrize("step", ["list_new_objects", "list_folder"])
def test_a_folder_that_is_an_address_is_refused(step, folder, poll, auth, workspace):
    with pytest.raises(TogetherError, match="folder must be a path"):
        main_of(find(step))(auth, folder)
    assert not workspace.resources


LISTS = [
    ("batch_finished", "/batches", {"data": []}),
    ("batch_finished", "/batches", {"data": None}),
    ("fine_tune_changed", "/fine-tunes", {"data": []}),
    ("evaluation_changed", "/evaluation", {"data": []}),
]


@pytest.mark.parametrize(("name", "path", "body"), LISTS)
def test_what_a_list_lacks_for_once_is_not_told_again(name, path, body, poll, world):
    world.before(name)
    poll(name)
    world.change(name)
    poll(name)
    news = world.change(name)
    world.sandbox.faults.append(Fault(path, 200, body=body))

    assert poll(name) == []
    assert told(name, poll(name)) == news
    assert poll(name) == []


def test_as_many_of_what_is_gone_stay_known_as_a_state_can_hold(poll, sandbox):
    def listed(*numbers):
        sandbox.answers["list_batches"] = lambda _: [
            {"id": f"b{number}", "status": "COMPLETED"} for number in numbers
        ]

    listed(*range(GONE + 5))
    poll("batch_finished")
    listed("new")
    assert len(poll("batch_finished")) == 1
    assert poll("batch_finished") == []
    listed(*range(GONE + 5))

    assert len(poll("batch_finished")) == 5


def test_only_objects_of_the_folder_with_the_ending_are_told(poll, workspace):
    for key in ("inbox/a.csv", "inbox/b.txt", "inbox/deep/c.csv", "inbox2/d.csv"):
        workspace.put(key, b"x")

    found = poll("list_new_objects", ending=".csv", existing=True)

    assert [entry["s3"] for entry in found] == ["inbox/a.csv", "inbox/deep/c.csv"]
    assert poll("list_new_objects", ending=".csv", existing=True) == []


def test_a_folder_of_more_than_a_page_is_listed_whole(poll, workspace):
    for number in range(2500):
        workspace.put(f"inbox/{number:04}.csv", b"")

    assert len(poll("list_new_objects", existing=True)) == 2500


def test_a_metric_that_was_back_in_between_is_told_again(poll, sandbox):
    for depth in (5, 21):
        measured(sandbox, a=depth)
        found = poll("metric_over_limit")
    assert [(one["value"], one["limit"]) for one in found] == [(21, 20)]
    measured(sandbox, a=22)
    assert poll("metric_over_limit") == []
    measured(sandbox, a=20)
    assert poll("metric_over_limit") == []
    measured(sandbox, a=23)
    assert [one["value"] for one in poll("metric_over_limit")] == [23]


def test_a_metric_beyond_another_limit_is_told_again(poll, sandbox):
    measured(sandbox, a=5)
    poll("metric_over_limit")
    measured(sandbox, a=30)
    for limit, told in ((20, 1), (20, 0), (25, 1), (25, 0)):
        assert len(poll("metric_over_limit", limit=limit)) == told


def test_a_metric_may_fall_below_its_limit(poll, sandbox):
    measured(sandbox, a=25, b=25)
    poll("metric_over_limit", direction="below")
    measured(sandbox, a=5, b=6)

    found = poll("metric_over_limit", direction="below", labels={"deployment": "b"})

    assert [one["labels"] for one in found] == [{"deployment": "b"}]


def test_what_ended_is_told_in_one_spelling(poll, sandbox):
    batches = [None, {"id": "b0", "status": "Completed "}, {"status": "FAILED"}]
    sandbox.answers["list_batches"] = lambda _: batches
    poll("batch_finished")
    batches += [{"id": "b1", "status": "canceled"}, {"id": "b2", "status": "HALF"}]
    told = poll("batch_finished", states=["CANCELLED"])

    assert [(one["batch_id"], one["state"]) for one in told] == [("b1", "CANCELLED")]


def test_a_list_that_is_none_is_no_news(poll, sandbox, lifecycles):
    poll("fine_tune_changed")
    sandbox.answers["list_fine_tunes"] = lambda _: {"tunes": []}

    with pytest.raises(TogetherError, match="none in the answer"):
        poll("fine_tune_changed")
    sandbox.answers.clear()
    assert poll("fine_tune_changed") == []
