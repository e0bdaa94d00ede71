"""From a training file to a fine-tuned model, paid for once."""

from xml.etree import ElementTree

import pytest

from scripts.client import TogetherError
from scripts.tuning.fine_tune_steps import estimated_price
from tests.support.expected_request import main_of
from tests.support.killable_worker import killed_anywhere
from tools.models import model
from tools.operations import find
from tools.sandbox import Fault

SUBMIT = main_of(find("fine_tuning/submit_fine_tune"))
REPORT = main_of(find("fine_tuning/report_fine_tune"))
ROWS = b'{"prompt": "Hi", "completion": "Hello"}\n' * 40
MODEL = model("fine_tuning")


@pytest.fixture
def training_file(sandbox):
    name = "file-training"
    sandbox.files[name] = {"id": name, "filename": "train.jsonl"}, ROWS
    return name


@pytest.fixture
def submit(auth, lifecycles, training_file, workspace):
    def submit(**arguments):
        return SUBMIT(auth, MODEL, training_file, **arguments)

    return submit


def created(sandbox):
    path = "/v1/fine-tunes"
    return [r for r in sandbox.requests if (r.method, r.path) == ("POST", path)]


def test_a_second_run_attaches_to_the_first(submit, sandbox):
    first = submit(suffix="support", n_epochs=2)
    second = submit(suffix="support", n_epochs=2)

    assert (first["reattached"], second["reattached"]) == (False, True)
    assert second["estimated_cost_usd"] is None
    assert second["cost_note"] == "an earlier run began it"
    assert first["fine_tune_id"] == second["fine_tune_id"]
    assert first["estimated_cost_usd"] == 5.42
    (request,) = created(sandbox)
    assert request.json["suffix"] == f"support-{first['fingerprint'][:8]}"
    assert "training_type" not in request.json
    assert request.json["n_epochs"] == 2


def test_without_a_record_the_service_is_searched(submit, sandbox, monkeypatch):
    first = submit()
    for name in ("WM_TOKEN", "WM_WORKSPACE", "WM_STATE_PATH_NEW", "WM_STATE_PATH"):
        monkeypatch.delenv(name, raising=False)

    assert submit()["fine_tune_id"] == first["fine_tune_id"]
    assert len(created(sandbox)) == 1


@pytest.mark.slow
@pytest.mark.parametrize("in_job", [True, False], ids=["job", "alone"])
def test_a_run_killed_at_any_request_leaves_one_fine_tune_to_the_next(
    sandbox, auth, lifecycles, training_file, workspace, worker, in_job
):
    begun = lifecycles["fine-tune"].lives

    def begin():
        begun.clear()
        workspace.configure()

    arguments = {"auth": auth, "model": MODEL, "training_file": training_file}
    environment = workspace.environment
    if not in_job:
        environment = dict.fromkeys(environment, "")
    killed = 0
    for died, result in killed_anywhere(
        worker,
        [sandbox, workspace],
        "fine_tuning.submit_fine_tune",
        arguments,
        environment,
        begin,
    ):
        killed += died
        assert list(begun) == [result["fine_tune_id"]]
    assert killed >= 2 * (6 if in_job else 3)


def test_another_input_or_a_new_word_begins_another(submit, sandbox):
    names = {
        submit(**more)["fine_tune_id"]
        for more in ({}, {"n_epochs": 3}, {"lora": False}, {"again": "once more"})
    }

    assert len(names) == 4
    assert created(sandbox)[2].json["training_type"] == {"type": "Full"}


def test_what_failed_is_begun_anew(submit, sandbox, lifecycles):
    first = submit()
    lifecycles.fail(first["fine_tune_id"], "the file is empty")

    second = submit()

    assert not second["reattached"]
    assert second["fine_tune_id"] != first["fine_tune_id"]


@pytest.mark.parametrize("shown", [[], {}, {"status": "running"}])
def test_one_that_shows_itself_oddly_is_not_paid_for_again(
    shown, submit, sandbox, lifecycles
):
    first = submit()
    lifecycles.answers["get_fine_tune"] = lambda _: shown

    second = submit()

    assert second["reattached"]
    assert second["fine_tune_id"] == first["fine_tune_id"]
    assert len(created(sandbox)) == 1


@pytest.mark.parametrize(
    ("estimate", "budget", "words"),
    [
        ({"estimation_available": True, "estimated_total_price": 9.5}, 9, "budget_usd"),
        ({"estimation_available": False}, 9, "budget_usd"),
        ({"estimated_total_price": "9.5"}, 9, "is below 9.50"),
        ({"estimated_total_price": "a lot"}, 9, "cannot be kept"),
        ({"estimated_total_price": [9.5]}, 9, "cannot be kept"),
        (
            {
                "estimation_available": True,
                "estimated_total_price": 9.5,
                "allowed_to_proceed": False,
                "user_limit": 5,
            },
            None,
            "limit",
        ),
    ],
)
def test_nothing_is_begun_for_too_much_money(estimate, budget, words, submit, sandbox):
    sandbox.faults.append(Fault("estimate-price", 200, body=estimate))

    with pytest.raises(TogetherError, match=words) as caught:
        submit(budget_usd=budget)

    assert caught.value.ambiguous is False
    assert not created(sandbox)


@pytest.mark.parametrize(
    ("price", "usd"), [("3.5", 3.5), (0, 0), (-1, None), (None, None), ({}, None)]
)
def test_a_price_is_read_as_a_number(price, usd):
    assert estimated_price({"estimated_total_price": price}) == usd


def test_an_unknown_price_without_a_budget_is_said(submit, sandbox):
    answer = {"estimation_available": False}
    sandbox.faults.append(Fault("estimate-price", 200, body=answer))

    found = submit()

    assert found["estimated_cost_usd"] is None
    assert "cannot estimate" in found["cost_note"]


def test_a_report_draws_the_loss(submit, lifecycles, auth):
    name = submit(n_epochs=3)["fine_tune_id"]
    before = REPORT(auth, name)
    lifecycles.advance(3 * 86400)

    found = REPORT(auth, name)

    assert before["metrics"] == []
    assert "svg" not in before
    assert found["state"] == "completed"
    assert found["progress"] == 1
    steps = [row["step"] for row in found["metrics"]]
    assert steps == sorted(steps)
    assert found["cost_usd"] == pytest.approx(
        found["training_tokens"] * 0.5e-6, rel=0.1
    )
    (line,) = ElementTree.fromstring(found["svg"]).findall(".//{*}polyline")
    assert len(line.get("points").split()) == len(steps)


def test_a_report_says_why_it_failed(submit, lifecycles, auth):
    name = submit()["fine_tune_id"]
    lifecycles.fail(name, "row 7 has no prompt")

    found = REPORT(auth, name)

    assert found["state"] in ("error", "user_error")
    assert "row 7 has no prompt" in found["reason"]
