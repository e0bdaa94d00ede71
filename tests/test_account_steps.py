"""Steps about the account behind a key."""

import datetime
import re
import socket
from urllib.parse import parse_qsl
from xml.etree import ElementTree

import pytest

from scripts.account_steps import usual_since
from scripts.client import TogetherError
from tests.support.expected_request import main_of
from tools.local.job_runner import run
from tools.operations import find
from tools.sandbox import Fault
from tools.version import VERSION

CHECK = main_of(find("organization/check_connection"))


def test_a_good_key_is_told_whose_it_is_and_what_it_may(sandbox, auth):
    found = CHECK(auth)

    whoami = find("organization/get_identity").schema["x-reply"]
    assert found["ok"]
    assert whoami["project"] == found["project"]
    assert whoami["organization"] == found["organization"]
    assert {"models", "files", "batches"} <= set(found["may"])


def test_an_area_that_is_refused_is_named(sandbox, auth):
    sandbox.faults.append(Fault("/v1/batches", 403))

    found = CHECK(auth)

    assert not found["ok"]
    assert "batches" not in found["may"]
    assert "403" in found["may_not"]["batches"]


def test_a_bad_key_fails_the_job_and_says_why(sandbox, auth):
    sandbox.faults.append(Fault("/v3/whoami", 401))

    found = CHECK(auth)

    assert not found["ok"]
    assert found["why"].startswith("401 Unauthorized")
    assert found["wm_failure"] == found["why"]
    assert "API key" in found["advice"]
    assert found["pack"]["version"] == VERSION


def test_an_answer_that_says_nothing_of_the_key_is_an_error(sandbox, auth):
    sandbox.answers["get_identity"] = lambda _: []

    with pytest.raises(TogetherError, match="whose key") as error:
        CHECK(auth)
    assert "base_url" in error.value.advice


@pytest.mark.slow
def test_a_service_that_cannot_be_reached_is_told_with_its_cause():
    with socket.socket() as deaf:  # holds its port, and listens to nobody
        deaf.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        auth = {"api_key": "tgp_key_of_a_test", "base_url": url}

        job = run("organization/check_connection", {"auth": auth})

    assert job.failed
    assert not job.result["ok"]
    assert "connection refused" in job.result["error"]["message"]
    assert "within" not in job.result["why"]  # nothing waited


def test_a_resource_without_a_key_is_refused(sandbox):
    with pytest.raises(TogetherError, match="api_key is empty"):
        CHECK({"api_key": "", "base_url": sandbox.url})


MARK = "together-ai-for-windmill"
FOLDER = "f/togetherai"


@pytest.fixture
def deployed(workspace, monkeypatch):
    """A workspace that holds scripts of several versions; the job is the step's."""
    monkeypatch.setenv("WM_JOB_PATH", f"{FOLDER}/organization/check_connection")

    def put(path, content):
        workspace.register(f"{FOLDER}/{path}", lambda: 1, content=content)

    put("client", f"A = 1\n# {MARK} {VERSION} client\n")
    put("chat/old", f"A = 1\n# helper 1\n# {MARK} 0.9.0 chat/old\n")
    put("chat/older", "Old.\n\nRendered from schemas/chat/older.json; edit that.\n")
    put("chat/copied", f"# {MARK} 0.9.0 chat/old\n")
    put("mine", f"WORDS = '# {MARK} is good'\n")
    for name, version in (("flows/run_batch", VERSION), ("flows/gone", "0.8.0")):
        schema = {"type": "object", "x-pack": f"{MARK} {version} {name}"}
        workspace.register(f"{FOLDER}/{name}", lambda: 1, "flow", schema)
    workspace.register("f/togetherai_2/x", lambda: 1, content=f"# {MARK} 0.1.0 x\n")
    workspace.register("f/togetherai/flows/mine", lambda: 1, "flow", {"type": "object"})
    return workspace


def test_the_pack_s_version_is_told_and_what_of_others_is_in_the_folder(
    sandbox, auth, deployed
):
    found = CHECK(auth)["pack"]

    assert found["version"] == VERSION
    assert found["older"] == [
        {"path": f"{FOLDER}/chat/old", "version": "0.9.0"},
        {"path": f"{FOLDER}/chat/older", "version": "before 1.0.0"},
        {"path": f"{FOLDER}/flows/gone", "version": "0.8.0"},
    ]
    assert "--prune" in found["note"]


def test_a_folder_that_cannot_be_listed_fails_no_check(sandbox, auth, deployed):
    deployed.faults.append(Fault("scripts/list", 403, body="Not authorized"))

    found = CHECK(auth)

    assert found["ok"]
    assert found["pack"]["older"] is None
    assert "403" in found["pack"]["note"] or "authorized" in found["pack"]["note"]


def test_outside_windmill_the_version_is_told_all_the_same(sandbox, auth):
    found = CHECK(auth)["pack"]

    assert (found["version"], found["older"]) == (VERSION, None)


REPORT = main_of(find("organization/report_usage"))
USAGE = re.escape("/v1/billing/usage")


def month(*windows):
    data = [
        {
            "date": date,
            "line_items": [
                {"product_name": name, "cost": cost, "quantity": "1"}
                for name, cost in items
            ],
        }
        for date, items in windows
    ]
    return {"data": data, "next_cursor": None}


def test_usage_is_added_up_by_day_and_product_across_months(sandbox, auth):
    january = month(
        ("2026-01-30", [("gpt <oss>", "9.99")]),
        ("2026-01-31", [("gpt <oss>", "0.10"), ("flux", "0.2")]),
    )
    february = month(("2026-02-01", [("gpt <oss>", "0.3"), ("odd", "n/a")]))
    sandbox.faults += [Fault(USAGE, 200, body=body) for body in (january, february)]

    found = REPORT(auth, since="2026-01-31", until="2026-02-01")

    assert found["total_usd"] == 0.6
    assert found["days"] == [
        {"date": "2026-01-31", "cost_usd": 0.3},
        {"date": "2026-02-01", "cost_usd": 0.3},
    ]
    assert [(p["product"], p["cost_usd"]) for p in found["products"]] == [
        ("gpt <oss>", 0.4),
        ("flux", 0.2),
    ]
    assert found["unreadable"] == 1
    months = [dict(parse_qsl(request.query))["month"] for request in sandbox.requests]
    assert months == ["2026-01", "2026-02"]
    drawn = ElementTree.fromstring(found["svg"])
    assert len(drawn.findall(".//{*}rect")) == 2


@pytest.mark.parametrize(
    ("until", "today", "since"),
    [
        (None, "2026-11-15", "2026-11-01"),
        (None, "2026-11-02", "2026-11-01"),
        (None, "2026-11-01", "2026-10-01"),
        (None, "2026-01-01", "2025-12-01"),
        ("2026-11-01", "2026-11-15", "2026-11-01"),
        ("2026-02-28", "2026-11-01", "2026-02-01"),
    ],
)
def test_a_report_that_comes_daily_shows_every_day(until, today, since):
    last = until and datetime.date.fromisoformat(until)

    found = usual_since(last, datetime.date.fromisoformat(today))

    assert found.isoformat() == since


def test_without_days_all_since_the_first_of_yesterday_s_month_is_shown(sandbox, auth):
    found = REPORT(auth)

    today = datetime.date.fromisoformat(found["until"])
    assert found["since"] == usual_since(None, today).isoformat()
    months = {dict(parse_qsl(request.query))["month"] for request in sandbox.requests}
    assert months == {found["since"][:7], found["until"][:7]}


@pytest.mark.parametrize(
    "cost", ["NaN", "Infinity", "1e999", True, [0, [1, 5], 0], None, "1_0"]
)
def test_a_cost_that_is_no_number_is_counted_as_unread(cost, sandbox, auth):
    body = month(("2026-01-31", [("flux", cost), ("oss", "0.5"), ("flux", 0.25)]))
    sandbox.faults.append(Fault(USAGE, 200, body=body))

    found = REPORT(auth, since="2026-01-31", until="2026-01-31")

    assert (found["total_usd"], found["unreadable"]) == (0.75, 1)


def test_a_server_that_does_not_mind_the_month_is_counted_once(sandbox, auth):
    body = month(("2026-01-31", [("flux", "5")]), ("2026-01-31", [("flux", "5")]))
    sandbox.faults += [Fault(USAGE, 200, body=body) for _ in range(2)]

    found = REPORT(auth, since="2026-01-01", until="2026-02-28")

    assert found["total_usd"] == 10


@pytest.mark.parametrize(
    ("data", "unreadable"),
    [
        ([None, 5], 2),
        ([{"date": "2026-01-31", "line_items": [None, 5, "x"]}], 3),
        ([{"date": "2026-01-31", "line_items": None}], 0),
    ],
)
def test_what_is_no_entry_is_counted_as_unread(data, unreadable, sandbox, auth):
    sandbox.answers["list_billing_usage"] = lambda _: {"data": data}
    days = {"since": "2026-01-01", "until": "2026-01-31"}

    found = REPORT(auth, **days)
    told = main_of(find("agent/report_spending"))(auth, **days)

    assert (found["total_usd"], found["unreadable"]) == (0, unreadable)
    assert ("cannot be read" in told["text"]) == bool(unreadable)


@pytest.mark.parametrize("name", [["x"], {"a": 1}, 5])
def test_a_product_of_any_name_is_counted(name, sandbox, auth):
    body = month(("2026-01-31", [(name, "2")]))
    sandbox.faults.append(Fault(USAGE, 200, body=body))

    found = REPORT(auth, since="2026-01-31", until="2026-01-31")

    assert [(p["product"], p["cost_usd"]) for p in found["products"]] == [
        (str(name), 2)
    ]


@pytest.mark.parametrize(
    ("window", "day"),
    [
        ({"date": "2026-01-31T05:00:00Z"}, "2026-01-31"),
        ({"date": "20260131"}, "2026-01-31"),
        ({"date": 1769817600}, "2026-01-31"),
        ({"date": "1769817600000"}, "2026-01-31"),
        ({"date": "?", "start_time": "2026-01-31T05:00:00Z"}, "2026-01-31"),
        ({"date": "31.01.2026"}, None),
        ({"date": 1e300}, None),
        ({"date": "2026-02-30"}, None),
        ({}, None),
    ],
)
def test_a_day_is_read_in_all_its_forms_or_its_costs_are_unread(
    window, day, sandbox, auth
):
    window = {**window, "line_items": [{"product_name": "p", "cost": "2"}]}
    sandbox.faults.append(Fault(USAGE, 200, body={"data": [window, {"date": "?"}]}))

    found = REPORT(auth, since="2026-01-31", until="2026-01-31")

    assert found["days"] == ([{"date": day, "cost_usd": 2.0}] if day else [])
    assert found["unreadable"] == (1 if day else 2)


@pytest.mark.parametrize(
    ("days", "field"),
    [
        ({"since": "2026-03-01", "until": "2026-02-01"}, "since"),
        ({"since": "2020-01-01", "until": "2026-02-01"}, "since"),
        ({"until": "2026-02-31"}, "until"),
    ],
)
def test_impossible_days_are_refused(days, field, sandbox, auth):
    with pytest.raises(TogetherError) as caught:
        REPORT(auth, **days)

    assert [field] == [problem["field"] for problem in caught.value.problems]
    assert not sandbox.requests


CALL = main_of(find("organization/call_operation"))


def test_any_operation_can_be_called(sandbox, auth):
    body = find("chat/create_chat_completion").schema["examples"][0]["body"]

    models = CALL(auth, "GET", "/v1/models", query={"dedicated": True})
    answer = CALL(auth, "POST", "/v1/chat/completions", payload=body)

    assert isinstance(models, list)
    assert sandbox.requests[0].query == "dedicated=true"
    assert answer["choices"]
    assert sandbox.requests[1].json == body


def test_an_answer_can_be_a_file(sandbox, auth):
    body = find("audio/create_speech").schema["examples"][0]["body"]

    found = CALL(auth, "POST", "/v1/audio/speech", payload=body, answer="file")

    assert found["filename"].endswith(".wav")


def test_what_may_have_been_carried_out_is_not_sent_again(sandbox, auth):
    sandbox.faults.append(Fault("/v1/models", 500))

    with pytest.raises(TogetherError) as caught:
        CALL(auth, "POST", "/v1/models", payload={"model_name": "m"})

    assert caught.value.ambiguous
    assert len(sandbox.requests) == 1


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"method": "GET", "path": "https://example.com/v1/models"}, "path"),
        ({"method": "GET", "path": "/v1/models?x=1"}, "path"),
        ({"method": "GET", "path": "/v1/models", "payload": {"a": 1}}, "payload"),
        ({"method": "TRACE", "path": "/v1/models"}, "method"),
    ],
)
def test_a_request_that_cannot_be_meant_is_refused(given, field, sandbox, auth):
    with pytest.raises(TogetherError) as caught:
        CALL(auth, **given)

    assert [field] == [problem["field"] for problem in caught.value.problems]
    assert not sandbox.requests


def test_an_operation_takes_query_parameters_of_any_name(sandbox, auth):
    with pytest.raises(TogetherError, match="400"):  # the sandbox knows neither
        CALL(auth, "GET", "/v1/models", query={"auth": "1", "operation": "2"})

    sent = dict(parse_qsl(sandbox.requests[-1].query))
    assert sent == {"auth": "1", "operation": "2"}
