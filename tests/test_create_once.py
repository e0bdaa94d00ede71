"""Whatever happens to a step, what it pays for is created once."""

import threading
import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest

from scripts.client import TogetherError
from scripts.workspace import create_once, jobs, state
from scripts.workspace.create_once import fingerprint_of, once
from tools.sandbox import Fault

FOLDER = "f/togetherai/togetherai_intents/"
MARK = fingerprint_of("batches/create_batch", {"rows": [1, 2]})


class Service:
    """What a costly thing is created at, and how an earlier one is found."""

    def __init__(self, searchable=True):
        self.things = {}
        self.fault = None
        if searchable:
            self.look = lambda: next(iter(self.things.values()), None)
        else:
            self.look = None

    def create(self):
        thing = {"id": f"thing-{len(self.things)}"}
        if not getattr(self.fault, "ambiguous", True):
            raise self.fault
        self.things[thing["id"]] = thing
        if self.fault:
            raise self.fault
        return thing

    def attach(self, made):
        if made["id"] not in self.things:
            raise TogetherError("404 Not Found", status=404)
        return self.things[made["id"]]

    def once(self, mark=MARK):
        return once("batch", mark, self.create, self.attach, self.look)


def test_a_fingerprint_depends_on_the_arguments_and_not_on_their_order():
    assert fingerprint_of("a/b", {"x": 1, "y": None}) == fingerprint_of("a/b", {"x": 1})
    assert fingerprint_of("a/b", {"x": 1, "y": 2}) == fingerprint_of(
        "a/b", {"y": 2, "x": 1}
    )
    others = [fingerprint_of("a/b", {"x": 2}), fingerprint_of("a/c", {"x": 1})]
    assert fingerprint_of("a/b", {"x": 1}) not in others
    assert len(MARK) == 32


def test_outside_a_job_the_service_tells_what_exists():
    service = Service()

    assert service.once() == ({"id": "thing-0"}, False)
    assert service.once() == ({"id": "thing-0"}, True)


def test_a_second_run_attaches_to_what_the_first_created(workspace):
    service = Service(searchable=False)

    assert service.once() == ({"id": "thing-0"}, False)
    assert service.once() == ({"id": "thing-0"}, True)
    assert service.once(fingerprint_of("other", {})) == ({"id": "thing-1"}, False)
    assert len(workspace.resources) == 2


def test_what_is_gone_is_created_anew(workspace):
    service = Service()
    service.once()
    service.things.clear()

    assert service.once() == ({"id": "thing-0"}, False)


@pytest.mark.parametrize("status", [400, 403, 410])
def test_what_the_key_may_not_read_says_how_another_one_is_made(workspace, status):
    service = Service()
    service.once()

    def refuse(made):
        words = {"status": status, "type": "forbidden", "ambiguous": False}
        raise TogetherError(f"{status} No", **words)

    service.attach = refuse
    with pytest.raises(TogetherError, match="thing-0 for the same input") as caught:
        service.once()

    assert "fill in `again`" in str(caught.value)
    assert "fill in `again`" in caught.value.advice
    assert (caught.value.status, caught.value.type) == (status, "forbidden")
    assert len(service.things) == 1


@pytest.mark.parametrize("status", [None, 401, 429, 500])
def test_a_look_that_failed_in_passing_is_an_error_of_its_own(workspace, status):
    service = Service()
    service.once()

    def fail(made):
        raise TogetherError("later", status=status)

    service.attach = fail
    with pytest.raises(TogetherError, match=r"^later$"):
        service.once()
    assert len(service.things) == 1


def test_after_a_crash_the_service_is_searched(workspace):
    service = Service()
    service.fault = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        service.once()
    service.fault = None

    assert service.once() == ({"id": "thing-0"}, True)
    assert service.once() == ({"id": "thing-0"}, True)
    assert len(service.things) == 1


def test_after_a_crash_that_nothing_can_clear_up_nothing_is_sent(workspace):
    service = Service(searchable=False)
    service.fault = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        service.once()
    service.fault = None

    for _ in range(2):
        with pytest.raises(TogetherError, match="fill in `again`") as caught:
            service.once()
        assert caught.value.ambiguous is True
    assert len(service.things) == 1
    assert service.once(fingerprint_of("again", {"again": "x"})) == (
        {"id": "thing-1"},
        False,
    )


def test_a_refusal_leaves_no_trace(workspace):
    service = Service(searchable=False)
    service.fault = TogetherError("402 Payment Required", ambiguous=False)
    with pytest.raises(TogetherError, match="402"):
        service.once()
    service.fault = None

    assert workspace.resources == {}
    assert service.once() == ({"id": "thing-0"}, False)


def test_an_answer_that_is_lost_is_looked_for_at_once(workspace):
    service = Service()
    service.fault = TogetherError("500", ambiguous=True)

    assert service.once() == ({"id": "thing-0"}, False)
    service.look = None
    assert service.once() == ({"id": "thing-0"}, True)


def test_an_answer_that_is_lost_for_good_stays_an_open_intent(workspace):
    service = Service(searchable=False)
    service.fault = TogetherError("500", ambiguous=True)
    with pytest.raises(TogetherError, match=r"^500$"):
        service.once()

    with pytest.raises(TogetherError, match="is not known"):
        service.once()


def record(**members):
    value = {"started_at": "2026-01-01T00:00:00+00:00", "token": "t", **members}
    state.set_state(value, f"{FOLDER}batch_{MARK}")


def test_another_job_that_creates_the_same_is_waited_for(workspace, monkeypatch):
    monkeypatch.setattr(create_once, "PAUSE", 0.01)
    service = Service(searchable=False)
    done = threading.Event()
    workspace.register("f/other", lambda: done.wait(60))
    other = jobs.start("f/other")
    record(job=other)
    results = []
    run = threading.Thread(target=lambda: results.append(service.once()))
    run.start()
    while not any(other in request.path for request in list(workspace.requests)):
        threading.Event().wait(0.005)
    record(job=other, made=service.create())
    run.join()
    done.set()

    assert results == [({"id": "thing-0"}, True)]


def test_another_job_that_takes_too_long_is_named(workspace, monkeypatch):
    monkeypatch.setattr(create_once, "PATIENCE", 0)
    done = threading.Event()
    workspace.register("f/other", lambda: done.wait(60))
    other = jobs.start("f/other")
    record(job=other)

    with pytest.raises(TogetherError, match=other):
        Service().once()
    done.set()


@pytest.mark.parametrize("kept", [None, {}, "a text"])
def test_a_record_that_cannot_be_read_is_not_asked_for_without_end(
    workspace, monkeypatch, kept
):
    service = Service()
    service.once()
    (path,) = workspace.resources
    workspace.resources[path]["value"] = kept
    monkeypatch.setattr(create_once, "PAUSE", 0)
    monkeypatch.setattr(create_once, "PATIENCE", 0)
    with pytest.raises(TogetherError, match=path):
        service.once()
    assert len(service.things) == 1


@pytest.mark.parametrize("job", [None, "own", str(uuid.UUID(int=7))])
def test_a_job_that_died_leaves_its_intent_to_the_next(workspace, job):
    record(job=workspace.job_id if job == "own" else job)
    service = Service()

    assert service.once() == ({"id": "thing-0"}, False)
    assert service.once() == ({"id": "thing-0"}, True)


@pytest.mark.parametrize("made", [None, {}, "thing-0", {"id": 5}, ["thing-0"]])
def test_a_record_that_does_not_say_what_was_made_is_named(made, workspace):
    service = Service()
    service.once()
    (kept,) = workspace.resources.values()
    kept["value"]["made"] = made

    with pytest.raises(TogetherError, match="does not say what was made") as error:
        service.once()
    assert error.value.type == "invalid_answer"
    assert len(service.things) == 1


def test_a_record_without_a_time_and_of_an_odd_job_is_an_open_intent(workspace):
    service = Service(searchable=False)
    service.once()
    (kept,) = workspace.resources.values()
    kept["value"] = {"job": {"a": 1}}

    with pytest.raises(TogetherError, match="sent the same request") as error:
        service.once()
    assert error.value.ambiguous
    assert len(service.things) == 1


def test_a_job_that_may_keep_nothing_creates_all_the_same(workspace, capsys):
    workspace.faults.append(Fault("resources/create", 403))
    service = Service()

    assert service.once() == ({"id": "thing-0"}, False)
    assert "rely on the service" in capsys.readouterr().err


def test_a_workspace_that_cannot_record_the_intent_is_not_spent_on(workspace):
    workspace.faults.append(Fault("resources/create", 500))
    service = Service()

    with pytest.raises(TogetherError):
        service.once()
    assert service.things == {}


def test_a_thing_that_could_not_be_recorded_is_still_handed_over(workspace, capsys):
    workspace.faults.append(Fault("resources/update_value", 500))
    service = Service()

    assert service.once() == ({"id": "thing-0"}, False)
    assert "was not recorded" in capsys.readouterr().err
    assert service.once() == ({"id": "thing-0"}, True)


def test_records_that_cannot_be_swept_are_no_reason_to_call_it_unrecorded(
    workspace, capsys
):
    workspace.faults.append(Fault("resources/list", 500))

    assert Service().once() == ({"id": "thing-0"}, False)
    told = capsys.readouterr().err
    assert "records of a week ago stay" in told
    assert "was not recorded" not in told


def test_records_that_are_old_or_too_many_are_forgotten(workspace, monkeypatch):
    monkeypatch.setattr(create_once, "MOST", 3)
    for number in range(3):
        state.set_state({}, f"{FOLDER}batch_{number}")
    state.set_state({}, f"{FOLDER}batch_old")
    state.set_state({}, "u/test/mine")
    workspace.resources[f"{FOLDER}batch_old"]["edited_at"] = "2020-01-01T00:00:00Z"
    Service().once()

    kept = [f"{FOLDER}batch_1", f"{FOLDER}batch_2", f"{FOLDER}batch_{MARK}"]
    assert sorted(workspace.resources) == sorted([*kept, "u/test/mine"])


def test_how_old_a_record_is_does_not_hang_on_how_its_time_is_written(workspace):
    """As text, a time far in the east is later than it is."""
    limit = datetime.now(UTC) - timedelta(seconds=create_once.KEEP)
    east, west = (timezone(timedelta(hours=hours)) for hours in (12, -12))
    edited = {
        "old": (limit - timedelta(hours=1)).astimezone(east).isoformat(),
        "new": (limit + timedelta(hours=1)).astimezone(west).isoformat(),
        "unknown": "yesterday",
    }
    for name, at in edited.items():
        state.set_state({}, f"{FOLDER}{name}")
        workspace.resources[f"{FOLDER}{name}"]["edited_at"] = at
    create_once.sweep(FOLDER)

    assert sorted(workspace.resources) == [f"{FOLDER}new", f"{FOLDER}unknown"]
