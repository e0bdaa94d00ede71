"""Other models answer where one is gone or fails, and the result says so."""

import json
import uuid

import pytest

from scripts.catalog.fallback import dearest
from scripts.catalog.pricing import LOST_UNTOLD, cost_by, priced
from scripts.client import TogetherError
from scripts.resilience import retry
from tests.support.canned_chat import asked
from tests.support.expected_request import main_of
from tools.models import model
from tools.operations import find
from tools.sandbox import reply
from tools.sandbox.lifecycles import RefusalError

CHAT = find("chat/create_chat_completion")
GOOD, OTHER = model("chat"), model("chat_other")
BAD = "a/gone"
GONE = 400, {"error": {"message": f"Unable to access non-serverless model {BAD}"}}
CLOSED = {"message": "no", "code": "third_party_data_sharing_blocked"}
FIELDS = [{"name": "total"}]
LABELS = [{"name": "one"}, {"name": "two"}]
# What each step is given beside its models, and what its model answers.
STEPS = {
    "chat/ask_model": ({"prompt": "Well?"}, "Fine."),
    "chat/extract_structured": ({"text": "T", "fields": FIELDS}, '{"total": "3"}'),
    "chat/classify_text": ({"text": "T", "labels": LABELS}, "A"),
    "chat/map_rows": (
        {"template": "{{a}}", "rows": [{"a": "1"}, {"a": "2"}]},
        "Fine.",
    ),
}
EACH = pytest.mark.parametrize("step", STEPS)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(retry, "FIRST_WAIT", 0.001)


@pytest.fixture
def auth(sandbox):
    """A resource of its own: lists of prices are kept for a while for each key."""
    prices = {GOOD: (1, 2), OTHER: (100, 200), BAD: (3, 4)}
    listed = [
        {"id": name, "object": "model", "pricing": {"input": own, "output": answer}}
        for name, (own, answer) in prices.items()
    ]
    sandbox.answers["list_models"] = lambda _: listed
    sandbox.answers["list_supported_models"] = lambda _: {"data": []}
    return {"api_key": f"tgp_{uuid.uuid4().hex}", "base_url": sandbox.url}


def serving(sandbox, refusals, text="Fine."):
    """Let models fail with (status, body); the others answer a text."""

    def answer(arguments):
        name = arguments["body"]["model"]
        if name in refusals:
            status, body = refusals[name]
            raise RefusalError(status, "refused", body)
        whole = reply(CHAT, {"model": name})
        whole["choices"][0]["message"] = {"role": "assistant", "content": text}
        whole["usage"] = {
            "prompt_tokens": 10,
            "completion_tokens": 5,
            "total_tokens": 15,
        }
        return whole

    sandbox.answers[CHAT.name] = answer


def run(step, auth, models, **more):
    return main_of(find(step))(
        auth, model=models[0], fallback_models=models[1:], **STEPS[step][0], **more
    )


def models_asked(sandbox, auth):
    """The models that a test's own key asked, in order: what the lanes of the step
    before had under way may still come in."""
    own = f"Bearer {auth['api_key']}"
    requests = [r for r in sandbox.requests if r.headers["authorization"] == own]
    return [r.json["model"] for r in requests if r.path.endswith("/chat/completions")]


@EACH
def test_another_model_answers_and_the_result_says_so(step, sandbox, auth, capsys):
    serving(sandbox, {BAD: GONE}, STEPS[step][1])
    found = run(step, auth, [BAD, GOOD, OTHER])

    rows = 2 if step == "chat/map_rows" else 1
    assert found["fallback_from"] == BAD
    assert found["cost_usd"] == pytest.approx(rows * (10 * 1 + 5 * 2) / 1e6)
    assert found.get("model", GOOD) == GOOD
    if rows == 2:
        assert found["models"] == {GOOD: 2}
    assert models_asked(sandbox, auth).count(GOOD) == rows
    assert OTHER not in models_asked(sandbox, auth)
    told = capsys.readouterr().err
    assert f"{BAD}: " in told
    assert f"asking {GOOD} instead from now on" in told


@EACH
def test_the_first_model_answers_and_nothing_is_said(step, sandbox, auth):
    serving(sandbox, {}, STEPS[step][1])
    found = run(step, auth, [GOOD, OTHER])

    assert "fallback_from" not in found
    assert set(models_asked(sandbox, auth)) == {GOOD}
    if step == "chat/map_rows":
        assert found["models"] == {GOOD: 2}


PASSED_ON = {
    "gone, 503": (503, {"error": {"message": "x", "code": "model_not_available"}}, 1),
    "no such model": (404, {"error": {"message": "no such model"}}, 1),
    "a partner's": (403, {"error": CLOSED}, 1),
    "not ready": (400, {"error": {"message": "x", "type": "endpoint_not_ready"}}, 1),
    "overloaded": (503, {"error": {"message": "overloaded"}}, retry.MAX_TRIES),
    "failing": (500, {"error": {"message": "x"}}, retry.MAX_TRIES),
    "over its rate": (429, {"error": {"message": "slow down"}}, retry.MAX_TRIES),
}


@pytest.mark.parametrize("case", PASSED_ON)
@pytest.mark.parametrize("step", [name for name in STEPS if "map" not in name])
def test_it_is_passed_on_when_the_tries_are_used_up(step, case, sandbox, auth):
    status, body, tries = PASSED_ON[case]
    serving(sandbox, {BAD: (status, body)}, STEPS[step][1])
    found = run(step, auth, [BAD, GOOD])

    assert found["fallback_from"] == BAD
    assert models_asked(sandbox, auth) == [BAD] * tries + [GOOD]


NEVER = {
    "the key": (401, {"error": {"message": "Invalid API key"}}),
    "credit": (402, {"error": {"message": "Insufficient balance"}}),
    "credit, as 429": (429, {"error": {"message": "insufficient_quota"}}),
    "permission": (403, {"error": {"message": "you may not"}}),
    "the argument": (400, {"error": {"message": "temperature is too high"}}),
    "the size": (413, {"error": {"message": "too large"}}),
    "nothing to do": (400, {"error": {"message": "no fields to update"}}),
}


@pytest.mark.parametrize("case", NEVER)
@EACH
def test_what_another_model_cannot_mend_is_not_passed_on(step, case, sandbox, auth):
    serving(sandbox, {BAD: NEVER[case]}, STEPS[step][1])
    with pytest.raises(TogetherError) as caught:
        run(step, auth, [BAD, GOOD])

    assert str(NEVER[case][0]) in str(caught.value)
    assert set(models_asked(sandbox, auth)) == {BAD}


@EACH
def test_when_all_fail_the_last_one_says_why(step, sandbox, auth):
    refusals = {BAD: GONE, OTHER: (402, {"error": {"message": "insufficient balance"}})}
    serving(sandbox, refusals)
    with pytest.raises(TogetherError) as caught:
        run(step, auth, [BAD, OTHER, GOOD])

    assert caught.value.code == "insufficient_balance"
    assert GOOD not in models_asked(sandbox, auth)


def test_half_an_answer_that_was_shown_is_not_begun_again(sandbox, auth):
    def broken(arguments):
        whole = reply(CHAT, {"model": arguments["body"]["model"]})
        whole["choices"][0]["message"]["content"] = "Half of"
        whole["choices"][0]["finish_reason"] = "error"
        return whole

    sandbox.answers[CHAT.name] = broken
    with pytest.raises(TogetherError, match="error"):
        run("chat/ask_model", auth, [BAD, GOOD])

    assert set(models_asked(sandbox, auth)) == {BAD}


ROWS = [{"a": str(number)} for number in range(60)]


def rows(auth, models, **more):
    return main_of(find("chat/map_rows"))(
        auth,
        template="{{a}}",
        rows=ROWS,
        model=models[0],
        fallback_models=models[1:],
        concurrency=4,
        **more,
    )


def test_rows_ask_a_model_that_is_gone_no_more(sandbox, auth):
    serving(sandbox, {BAD: GONE})
    found = rows(auth, [BAD, GOOD])

    assert (found["done"], found["failed"]) == (60, 0)
    assert models_asked(sandbox, auth).count(GOOD) == 60
    assert models_asked(sandbox, auth).count(BAD) <= 4


def test_rows_that_two_models_answered_cost_what_each_takes(sandbox, auth):
    serving(sandbox, {})
    usual = sandbox.answers[CHAT.name]

    def every_third_fails(arguments):
        body = arguments["body"]
        number = int(body["messages"][-1]["content"])
        if body["model"] == GOOD and number % 3 == 0:
            raise RefusalError(500, "x", {"error": {"message": "x"}})
        return usual(arguments)

    sandbox.answers[CHAT.name] = every_third_fails
    found = rows(auth, [GOOD, OTHER])

    assert found["models"] == {GOOD: 40, OTHER: 20}
    assert found["fallback_from"] == GOOD
    each = (10 * 1 + 5 * 2) / 1e6
    assert found["cost_usd"] == pytest.approx(40 * each + 20 * 100 * each)
    assert found["usage"]["total_tokens"] == 60 * 15


def test_a_budget_is_judged_by_the_dearest_of_the_models(sandbox, auth):
    serving(sandbox, {})
    # Of the first model alone this pays for all rows, of the second for a few.
    budget = 60 * 900 / 1e6
    alone = rows(auth, [GOOD], budget_usd=budget, max_tokens=5)
    assert alone["done"] == 60
    with pytest.raises(TogetherError) as caught:
        rows(auth, [GOOD, OTHER], budget_usd=30 / 1e6, max_tokens=5)
    assert "budget_usd" in str(caught.value)

    sandbox.requests.clear()
    serving(sandbox, {GOOD: GONE})
    found = rows(auth, [GOOD, OTHER], budget_usd=budget, max_tokens=5)
    assert 0 < found["done"] < 60
    assert found["cost_usd"] <= budget
    assert "budget_usd" in found["stopped"]


def test_money_is_set_aside_for_each_model_that_may_have_been_paid(sandbox, auth):
    serving(sandbox, {BAD: (500, {"error": {"message": "x"}})})
    # A failure of the service may have been paid: all that was set aside counts.
    budget = 3 * 100 * 120 / 1e6 * 2
    found = rows(auth, [BAD, OTHER], budget_usd=budget, max_tokens=5)
    paid = len(ROWS) - found["failed"]
    set_aside = (
        sum(name == BAD for name in models_asked(sandbox, auth)) / retry.MAX_TRIES
    )

    assert paid < 60
    assert set_aside >= paid
    # What the answers used is told; what the other rows' calls cost is not.
    assert cost_by(priced(auth, OTHER), found["usage"])[0] <= budget / 2
    assert (found["cost_usd"], found["cost_note"]) == (None, LOST_UNTOLD)


def test_without_a_price_for_each_of_them_no_budget_can_be_kept(sandbox, auth):
    serving(sandbox, {})
    with pytest.raises(TogetherError) as caught:
        rows(auth, [GOOD, "b/unlisted"], budget_usd=1)

    assert caught.value.type == "budget_unknown"
    assert not asked(sandbox)


def test_the_dearest_is_so_in_every_unit():
    one = {"id": "a", "prices": {"input": 1, "output": 9}, "context_length": 5}
    other = {
        "id": "b",
        "prices": {"input": 2, "output": 3, "cached": 1},
        "context_length": None,
    }

    assert dearest([one, other]) == {
        "id": "a or b",
        "prices": {"input": 2, "output": 9, "cached": 1},
        "context_length": 5,
    }
    dear = {**other, "prices": {"input": 1, "output": 3, "cached": 7}}
    assert dearest([one, dear])["prices"]["cached"] == 7
    assert dearest([one]) == one
    assert dearest([one, "no list"]) == "no list"


def test_a_run_that_goes_on_knows_who_answered_before(sandbox, auth, workspace):
    serving(sandbox, {BAD: GONE})
    usual, count = sandbox.answers[CHAT.name], []

    def ends_midway(arguments):
        if arguments["body"]["model"] == GOOD:
            count.append(1)
        if len(count) > 30:
            raise RefusalError(402, "x", {"error": {"message": "insufficient balance"}})
        return usual(arguments)

    sandbox.answers[CHAT.name] = ends_midway
    first = rows(auth, [BAD, GOOD])
    assert "insufficient balance" in first["stopped"]
    serving(sandbox, {BAD: GONE})
    found = rows(auth, [BAD, GOOD])

    assert found["models"] == {GOOD: 60}
    assert found["cost_usd"] == pytest.approx(60 * 20 / 1e6)
    assert json.dumps(found["rows"]).count("Fine.") == 60
