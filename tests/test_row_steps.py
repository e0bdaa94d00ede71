"""Rows in, rows out: each row once, in order, whatever the service does."""

import base64
import gzip
import http.client
import io
import json
import re
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from scripts import checkpoint
from scripts.chat import map_rows as asking
from scripts.chat_steps import answered
from scripts.client import TogetherError
from scripts.client.transport import carrier_for
from scripts.embeddings.embed_rows import main as embed_rows
from scripts.operations import operation
from scripts.rerank.search_documents import main as search_documents
from scripts.resilience import retry
from scripts.rows import admission
from scripts.rows.admission import ClosedError, Gate
from scripts.rows.worker_pool import WINDOW, WorkerPool
from scripts.table import table as table_table
from scripts.table.gzipped import Packed
from scripts.table.table import Table
from scripts.workspace.markup import inline
from tests.support.fault_sandbox import DRIP, HANG
from tests.support.killable_worker import Worker
from tests.support.offered_models import offering
from tools.models import model
from tools.sandbox import Fault

KEY = "tgp_rows_0123456789abcdef"
MODEL = model("chat")  # has a price in the sandbox's catalogue
PER_TOKEN = 0.15 / 1e6  # of what is asked


def map_rows(auth, model, template, rows, **settings):
    return asking.main(auth, template, rows, model, **settings)


@pytest.fixture
def auth(fault_sandbox):
    return {"api_key": KEY, "base_url": fault_sandbox.url}


def numbered(count):
    return [{"id": n} for n in range(count)]


def answers(result):
    return [row["answer"] for row in result["rows"]]


def red(run, *arguments, kind="nothing_done", **more):
    """The result in the error with which a step ends that answered no row."""
    with pytest.raises(TogetherError) as caught:
        run(*arguments, **more)
    assert caught.value.type == kind
    return caught.value.partial


@pytest.mark.slow
def test_a_thousand_rows_survive_a_failing_service(auth, fault_sandbox, monkeypatch):
    # Long for a machine that is busy; and few of them, as a silent row waits for each.
    seconds = 3
    monkeypatch.setattr(retry, "MAX_TRIES", 3)

    def respond(number, text, times):
        row = int(text)
        if number % 200 < 20:  # a burst
            return 429, {"retry-after": "0.05"}
        if row == 500:
            return 500, {}
        if row == 501:
            return 400, {}
        if row == 502 or (row % 100 == 50 and times == 1):
            return HANG
        if row == 503 or (row == 504 and times == 1):
            return DRIP
        if row % 33 == 0 and times == 1:
            return 500, {}
        return None

    fault_sandbox.respond = respond
    rows = numbered(1000)
    result = map_rows(
        auth, MODEL, "{{id}}", rows, concurrency=32, timeout_seconds=seconds
    )

    assert [row["id"] for row in result["rows"]] == list(range(1000))
    lost = {500: "500", 501: "400", 502: "took too long", 503: "took too long"}
    for row in result["rows"]:
        if row["id"] in lost:
            assert row["answer"] is None
            assert lost[row["id"]] in row["answer_error"]
        else:
            assert (row["answer"], row["answer_error"]) == (f"{row['id']}!", None)
    assert (result["done"], result["failed"]) == (996, 4)
    assert result["usage"]["prompt_tokens"] == 9960
    # Those of calls that hung are closed; the others wait for the next call.
    assert carrier_for(auth["base_url"]).idle


def test_a_row_that_is_blank_is_not_asked(auth, fault_sandbox):
    """A model would be paid for an answer to nothing."""
    texts = ["a", "", "  \n", None, "b", "\u00a0"]
    rows = [{"text": text, "n": n} for n, text in enumerate(texts)]
    result = map_rows(auth, MODEL, "About {{text}}:", rows)
    assert [row["n"] for row in result["rows"]] == list(range(6))
    assert answers(result) == ["About a:!", None, None, None, "About b:!", None]
    assert result["rows"][2]["answer_error"] == "not asked: the row is blank in 'text'"
    assert (result["done"], result["failed"]) == (2, 4)
    # One of two is enough to ask about.
    result = map_rows(auth, MODEL, "{{n}}: {{text}}", rows)
    assert (result["done"], result["failed"]) == (6, 0)


@pytest.mark.parametrize("said", ["  \n", "\u00a0", "<think>so</think>\n \n"])
def test_an_answer_of_blanks_is_none(said):
    answer = {"choices": [{"message": {"content": said}, "finish_reason": "stop"}]}
    text, why, cut = answered(answer)
    assert (text, cut) == (None, False)
    assert "gave no text" in why


def test_a_text_that_is_blank_is_not_embedded(auth, fault_sandbox):
    rows = [{"text": text} for text in ("a", " ", "", "b", "\u2003")]
    result = embed_rows(auth, model("embedding"), rows)
    found = [row["embedding"] is not None for row in result["rows"]]
    assert found == [True, False, False, True, False]
    assert result["rows"][1]["embedding_error"].startswith("not asked")


def test_no_more_calls_run_at_once_than_asked_for(auth, fault_sandbox):
    fault_sandbox.pause = 0.01
    map_rows(auth, MODEL, "{{id}}", numbered(60), concurrency=5)

    assert 2 <= fault_sandbox.most <= 5


def test_what_was_refused_is_asked_again_when_its_time_has_come(auth, fault_sandbox):
    fault_sandbox.respond = lambda number, text, times: (
        (429, {"retry-after": "0.4"}) if number == 20 else None
    )
    result = map_rows(auth, MODEL, "{{id}}", numbered(60), concurrency=4)

    assert result["done"] == 60
    text = fault_sandbox.bodies[19]["messages"]
    refused, again = (b["at"] for b in fault_sandbox.bodies if b["messages"] == text)
    assert again - refused >= 0.4


def test_who_waits_for_money_is_let_go_when_the_gate_is_stopped_or_closed():
    """In turn: whoever came second is asked once the first is done."""
    gate, asked, ended = Gate(2), [], []
    gate.reserve(lambda: 1)

    def wait(name):
        try:
            ended.append((name, gate.reserve(lambda: asked.append(name))))
        except ClosedError:
            ended.append((name, "closed"))

    def begin(name):
        thread = threading.Thread(target=wait, args=[name], daemon=True)
        thread.start()
        return thread

    first = begin("first")
    while asked != ["first"]:
        time.sleep(0.001)
    second = begin("second")
    while len(gate.line) < 2:
        time.sleep(0.001)
    gate.release(lambda: None)
    while len(asked) < 2:
        time.sleep(0.001)

    assert set(asked) == {"first"}
    assert gate.reserved == 0

    gate.close()
    first.join()
    second.join()

    assert sorted(ended) == [("first", "closed"), ("second", "closed")]

    gate = Gate(2)
    third = begin("third")
    while "third" not in asked:
        time.sleep(0.001)
    gate.stop("no money is left")
    gate.stop("and another reason")
    third.join()

    assert ended[-1] == ("third", None)
    assert gate.stopped == "no money is left"


def test_a_refusal_holds_all_calls_back():
    gate = Gate(4)
    entered = [gate.enter() for _ in range(3)]
    closed = time.monotonic()
    gate.narrow(entered[1], 0.2)
    for _ in entered:
        gate.leave()

    # Fewer than the four of before, and none of them early.
    assert all(gate.enter() - closed >= 0.2 for _ in range(2))
    assert int(gate.limit) == gate.active == 2


def test_a_service_that_refuses_for_too_long_is_reported(auth, fault_sandbox):
    fault_sandbox.respond = lambda number, text, times: (429, {"retry-after": "3600"})
    result = red(
        map_rows, auth, MODEL, "{{id}}", numbered(3), concurrency=2, kind="rate_limit"
    )

    assert all("429" in row["answer_error"] for row in result["rows"])
    assert len(fault_sandbox.bodies) <= 2


@pytest.mark.parametrize(
    ("run", "words"), [(map_rows, ("{{id}}",)), (embed_rows, ())], ids=["map", "embed"]
)
def test_patience_that_ends_leaves_the_other_rows_to_a_rerun(
    run, words, auth, fault_sandbox, workspace, monkeypatch, capsys
):
    monkeypatch.setattr(admission, "TELL", 0.2)
    fault_sandbox.respond = lambda number, text, times: (
        (429, {"retry-after": "0.1"}) if number > 2 else None
    )
    rows = [{"id": n, "text": "x" * 199_000} for n in range(30)]
    given = {"concurrency": 1, "patience_seconds": 1}
    first = red(run, auth, MODEL, *words, rows, **given, kind="rate_limit")

    said = re.findall(
        r"too many requests: waiting for \d+ s, at most 1$", *told(capsys)
    )
    assert len(said) >= 2
    assert (first["done"], first["failed"]) == (2, 28)
    assert first["stopped"].startswith("429")
    fault_sandbox.reset()
    second = run(auth, MODEL, *words, rows, **given)
    assert (second["done"], second["failed"]) == (30, 0)
    assert len(fault_sandbox.bodies) == 28


def told(capsys):
    return capsys.readouterr().err, re.MULTILINE


def test_waiting_is_told_while_the_server_names_a_time_far_off(capsys, monkeypatch):
    monkeypatch.setattr(admission, "TELL", 0.1)
    gate = Gate(1)
    gate.narrow(gate.enter(), 0.5)
    gate.leave()
    gate.enter()

    assert "too many requests: waiting for 0 s" in capsys.readouterr().err


@pytest.mark.parametrize(
    "respond", [None, HANG, (429, {"retry-after": "3000"}), (500, {})]
)
def test_a_step_ends_by_itself_when_its_time_is_over(
    respond, auth, fault_sandbox, workspace
):
    fault_sandbox.respond = lambda number, text, times: respond if number > 5 else None
    given = {"concurrency": 1, "patience_seconds": 9000, "timeout_seconds": 9000}
    fault_sandbox.pause = 0.0 if respond else 0.1
    rows = numbered(40)
    first = map_rows(auth, MODEL, "{{id}}", rows, **given, stop_after_seconds=1)

    done = first["done"]
    assert done == 5 if respond else 0 < done < 40
    assert first["stopped"] == "the step's time limit of 1 s is over"
    assert first["rows"][-1]["answer_error"] == f"not sent: {first['stopped']}"
    fault_sandbox.reset()
    second = map_rows(auth, MODEL, "{{id}}", rows, **given)
    assert (second["done"], len(fault_sandbox.bodies)) == (40, 40 - done)


def test_a_step_that_answers_nothing_in_its_time_is_red(auth, fault_sandbox):
    fault_sandbox.respond = lambda number, text, times: HANG
    result = red(map_rows, auth, MODEL, "{{id}}", numbered(3), stop_after_seconds=1)

    assert (result["done"], result["failed"]) == (0, 3)


def test_a_429_about_money_is_true_of_every_row(auth, fault_sandbox):
    empty = {"error": {"code": "insufficient_quota", "message": "no credit"}}
    fault_sandbox.respond = lambda number, text, times: (429, {}, empty)
    with pytest.raises(TogetherError, match="no credit"):
        map_rows(auth, MODEL, "{{id}}", numbered(500), concurrency=4)

    assert len(fault_sandbox.bodies) <= 8


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([{"q": "a"}, {"q": "b"}], ["a!", "b!"]),
        ({"rows": [{"q": "a"}], "label": "Rows", "text": ""}, ["a!"]),
        ('{"q": "a"}\n\n{"q": "b"}\n', ["a!", "b!"]),
        ('[{"q": "a"}, {"q": "b"}]', ["a!", "b!"]),
        ("n,q\n1,a\n2,b\n", ["a!", "b!"]),
        ("\ufeffn;q\r\n1;a\r\n2;b", ["a!", "b!"]),
        ('q\tn\n"a\tb\nc"\t1\n', ["a\tb\nc!"]),
        ('{"q": "a\u2028b"}\n{"q": 5}\n{"q": {"x": ["\xe9"]}}', None),
    ],
)
def test_rows_come_as_a_list_or_any_kind_of_table(auth, rows, expected):
    expected = expected or ["a\u2028b!", "5!", '{"x": ["\xe9"]}!']

    assert answers(map_rows(auth, MODEL, "{{q}}", rows)) == expected


def test_texts_are_rows_too(auth):
    result = map_rows(auth, MODEL, "< {{ text }} >", ["a", "b"], answer_column="to")

    assert [row["to"] for row in result["rows"]] == ["< a >!", "< b >!"]
    assert result["rows"][0]["text"] == "a"


def test_a_member_of_a_member_is_a_column(auth):
    rows = [{"a": {"b": 1}, "a.c": 2}]

    assert answers(map_rows(auth, MODEL, "{{a.b}} {{a.c}}", rows)) == ["1 2!"]


def test_a_row_that_cannot_be_asked_is_reported_in_its_place(auth, fault_sandbox):
    rows = '{"q": "a"}\nnonsense\n[1]\n{"p": 1}\n{"q": null}\n{"q": "b"}'
    result = map_rows(auth, MODEL, "x{{q}}", rows)

    assert [row["answer_error"] for row in result["rows"]] == [
        None,
        "line 2 is not JSON",
        "line 3 is no object",
        "the row has no column 'q'",
        "not asked: the row is blank in 'q'",
        None,
    ]
    assert result["rows"][1] == {"answer": None, "answer_error": "line 2 is not JSON"}
    assert sorted(fault_sandbox.seen) == ["xa", "xb"]
    result = map_rows(auth, MODEL, "x{{q}}", "q,p\na,1\nb,c,d\n")
    assert "line 3 has more cells than columns" in result["rows"][1]["answer_error"]


@pytest.mark.parametrize(
    ("template", "rows", "field", "words"),
    [
        ("{{q}}", [], "rows", "is required"),
        ("{{q}}", None, "rows", "is required"),
        ("{{q}}", "\n \n", "rows", "holds no row"),
        ("{{q}}", "q\n", "rows", "holds no row"),
        ("{{q}}", '[{"q"', "rows", "not JSON"),
        ("no column", [{"q": 1}], "template", "names no column"),
        ("{{p}} {{q}}", [{"q": 1}], "template", "'p'"),
        ("{{q.r}}", [{"q": 1}], "template", "'q.r'"),
    ],
)
def test_a_mistake_is_named_before_anything_is_sent(
    auth, fault_sandbox, template, rows, field, words
):
    with pytest.raises(TogetherError, match="Nothing was sent") as caught:
        map_rows(auth, MODEL, template, rows)

    assert [problem["field"] for problem in caught.value.problems] == [field]
    assert words in str(caught.value)
    assert fault_sandbox.bodies == []


def test_an_answer_without_text_is_an_error_and_a_cut_one_is_counted(
    auth, fault_sandbox
):
    def respond(number, text, times):
        content = {"0": None, "1": "Once upon"}.get(text, {})
        choice = {"message": {"content": content}, "finish_reason": "length"}
        return {"choices": [choice] if text != "3" else [], "usage": None}

    fault_sandbox.respond = respond
    result = map_rows(auth, MODEL, "{{id}}", numbered(4), system="Be brief")

    assert fault_sandbox.bodies[0]["messages"][0] == {
        "role": "system",
        "content": "Be brief",
    }
    assert answers(result) == [None, "Once upon", None, None]
    assert "no text (finish_reason length)" in result["rows"][0]["answer_error"]
    assert (result["done"], result["failed"], result["cut"]) == (1, 3, 1)
    assert (result["usage"], result["cost_usd"]) == (None, None)
    assert "does not say" in result["cost_note"]


def test_an_answer_that_a_filter_ended_is_told(auth, fault_sandbox):
    choice = {"message": {"content": "Once"}, "finish_reason": "content_filter"}
    fault_sandbox.respond = lambda number, text, times: {"choices": [choice]}

    result = map_rows(auth, MODEL, "{{id}}", numbered(2))

    assert (result["done"], result["cut"]) == (2, 2)
    assert "- Cut before the end, by max_tokens or a filter: 2" in result["markdown"]


def test_rows_have_the_answer_without_thinking_and_whatever_its_form(
    auth, fault_sandbox
):
    contents = [
        "<think>Hm.</think>\nParis",
        [{"type": "text", "text": "Paris"}],
        {"city": "Paris"},
    ]

    def respond(number, text, times):
        if text == "3":
            message = {"content": None, "refusal": "I must not."}
        else:
            message = {"content": contents[int(text)]}
        return {"choices": [{"message": message, "finish_reason": "stop"}]}

    fault_sandbox.respond = respond

    told = answers(map_rows(auth, MODEL, "{{id}}", numbered(4)))

    assert told == ["Paris", "Paris", '{"city": "Paris"}', "I must not."]


@pytest.mark.parametrize(
    ("choice", "why"),
    [
        ({"error": {"code": 502, "message": "the node is gone"}}, "the node is gone"),
        ({"finish_reason": "error"}, "no reason is given"),
    ],
)
def test_a_model_that_breaks_off_has_not_answered(auth, fault_sandbox, choice, why):
    half = {"message": {"content": "Par"}, **choice}
    fault_sandbox.respond = lambda number, text, times: (
        {"choices": [half]} if text == "1" else None
    )

    result = map_rows(auth, MODEL, "{{id}}", numbered(3))

    assert (result["done"], result["failed"]) == (2, 1)
    row = result["rows"][1]
    assert row["answer"] is None
    assert row["answer_error"] == f"the model's answer broke off after 'Par': {why}"


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"prompt_tokens": "3", "completion_tokens": "2", "total_tokens": "5"}, 5),
        ({"prompt_tokens": 3, "completion_tokens": 2.0, "cached_tokens": "x"}, 5),
        ({"prompt_tokens": -1, "completion_tokens": 2}, None),
        ({"prompt_tokens": "many", "completion_tokens": 2}, None),
        ({"prompt_tokens": 3, "completion_tokens": [2]}, None),
        ({"prompt_tokens": 10**30}, None),
        ({"prompt_tokens": True}, None),
    ],
)
def test_use_that_is_no_number_is_unknown_and_ends_nothing(
    auth, fault_sandbox, usage, tokens
):
    choice = {"message": {"content": "Yes."}, "finish_reason": "stop"}
    fault_sandbox.respond = lambda number, text, times: {
        "choices": [choice],
        "usage": usage,
    }

    result = map_rows(auth, MODEL, "{{id}}", numbered(2))

    assert answers(result) == ["Yes.", "Yes."]
    if tokens is None:
        assert (result["usage"], result["cost_usd"]) == (None, None)
    else:
        assert result["usage"]["total_tokens"] == 2 * tokens
        assert result["usage"]["cached_tokens"] == 0
        assert result["cost_usd"] > 0


@pytest.mark.parametrize("status", [401, 402, 404])
def test_what_is_true_of_every_row_ends_the_step(auth, fault_sandbox, status):
    fault_sandbox.respond = lambda number, text, times: (status, {})

    with pytest.raises(TogetherError, match=str(status)):
        map_rows(auth, MODEL, "{{id}}", numbered(500), concurrency=4)
    assert len(fault_sandbox.bodies) <= 8


def test_a_request_that_is_refused_again_and_again_ends_the_step(auth, fault_sandbox):
    fault_sandbox.respond = lambda number, text, times: (400, {})

    with pytest.raises(TogetherError, match="400"):
        map_rows(auth, MODEL, "{{id}}", numbered(500), concurrency=4)
    assert len(fault_sandbox.bodies) < 40
    assert red(map_rows, auth, MODEL, "{{id}}", numbered(5))["failed"] == 5


def test_credit_that_runs_out_leaves_the_rest_unsent(auth, fault_sandbox):
    fault_sandbox.respond = lambda number, text, times: (
        (402, {}) if number > 50 else None
    )
    result = map_rows(auth, MODEL, "{{id}}", numbered(500), concurrency=4)

    assert (result["done"], result["failed"]) == (50, 450)
    assert len(fault_sandbox.bodies) <= 54
    assert result["rows"][499]["answer_error"].startswith("not sent: 402")


def test_a_budget_ends_the_sending_before_it_is_exceeded(auth, fault_sandbox):
    spent = map_rows(auth, MODEL, "{{id}}", numbered(1), max_tokens=5)["cost_usd"]
    fault_sandbox.reset()
    result = map_rows(
        auth, MODEL, "{{id}}", numbered(100), max_tokens=5, budget_usd=spent * 40
    )

    assert 20 <= result["done"] <= 40
    assert result["done"] == len(fault_sandbox.bodies)
    assert result["cost_usd"] <= spent * 40
    assert result["rows"][99]["answer_error"] == f"not sent: {result['stopped']}"
    assert "budget_usd is used up" in result["stopped"]
    assert len(result["rows"]) == 100


def test_prices_that_cannot_be_read_again_end_no_run(auth, fault_sandbox, monkeypatch):
    def respond(number, text, times):
        if number == 5:
            monkeypatch.setattr("scripts.catalog.catalog.MAX_AGE", -1)
            fault_sandbox.faults.append(Fault("models", 404, times=1000))

    fault_sandbox.respond = respond
    auth["api_key"] += "_alone"  # with lists of its own
    result = map_rows(
        auth, MODEL, "{{id}}", numbered(40), max_tokens=5, budget_usd=1, concurrency=4
    )

    assert answers(result) == [f"{n}!" for n in range(40)]
    assert result["usage"]["prompt_tokens"] == 400
    assert (result["cost_usd"], "404" in result["cost_note"]) == (None, True)


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": 0, "total_tokens": 0}])
@pytest.mark.parametrize("limited", [True, False])
def test_answers_that_do_not_say_what_they_used_keep_to_a_budget(
    auth, fault_sandbox, usage, limited
):
    choice = {"message": {"content": "x" * 1000}, "finish_reason": "stop"}
    fault_sandbox.respond = lambda number, text, times: {
        "choices": [choice],
        "usage": usage,
    }
    settings = {"max_tokens": 1000} if limited else {}
    result = map_rows(
        auth, MODEL, "{{id}}", numbered(30), **settings, budget_usd=0.6 * 1e-6 * 10_500
    )

    assert result["done"] == len(fault_sandbox.bodies)
    assert 8 <= result["done"] <= 10
    assert "budget_usd is used up" in result["stopped"]
    assert (result["usage"], result["cost_usd"]) == (None, None)
    assert "does not say" in result["cost_note"]


def test_what_is_answered_but_cannot_be_used_counts_as_spent(auth, fault_sandbox):
    spent = map_rows(auth, MODEL, "{{id}}", numbered(1), max_tokens=90)["cost_usd"]
    fault_sandbox.reset()
    fault_sandbox.respond = lambda number, text, times: {"error": {"message": "cut"}}
    asked = MODEL, "{{id}}", numbered(40)
    result = red(map_rows, auth, *asked, max_tokens=90, budget_usd=spent * 90)

    assert 2 <= len(fault_sandbox.bodies) <= 8
    assert result["failed"] == 40
    assert "budget_usd is used up" in result["stopped"]


USED = {"prompt_tokens": 4000, "completion_tokens": 2000}


@pytest.mark.parametrize(
    ("answer", "used"),
    [
        ({"choices": [], "usage": USED}, 1),
        ({"choices": []}, None),
        ((504, {}), None),
        (HANG, None),
        ((400, {}), 0),
        ((429, {}, {"error": {"code": "insufficient_quota"}}), 0),
    ],
)
def test_a_row_that_failed_is_on_the_bill_where_it_may_have_been_paid(
    answer, used, auth, fault_sandbox, monkeypatch
):
    monkeypatch.setattr(retry, "MAX_TRIES", 1)
    fault_sandbox.respond = lambda number, text, times: answer if text == "1" else None
    # Only the model that hangs is waited for so long.
    settings = {"concurrency": 1, "timeout_seconds": 1 if answer == HANG else 60}
    result = map_rows(auth, MODEL, "{{id}}", numbered(2), **settings)

    assert (result["done"], result["failed"]) == (1, 1)
    if used is None:
        assert result["usage"]["total_tokens"] == 15
        assert (result["cost_usd"], "failed" in result["cost_note"]) == (None, True)
    else:
        assert result["usage"]["total_tokens"] == 15 + 6000 * used
        usd = ((10 + 4000 * used) * 0.15 + (5 + 2000 * used) * 0.6) / 1e6
        assert result["cost_usd"] == pytest.approx(usd)


def test_a_request_of_texts_that_failed_is_on_the_bill(auth, fault_sandbox):
    bare = {"data": None, "usage": {"prompt_tokens": 700, "total_tokens": 700}}
    fault_sandbox.respond = lambda number, text, times: bare if number == 1 else None
    settings = {"column": "id", "concurrency": 1}
    result = embed_rows(auth, MODEL, numbered(70), **settings)

    assert (result["done"], result["failed"]) == (6, 64)
    assert result["usage"]["prompt_tokens"] == 706
    assert result["cost_usd"] == pytest.approx(706 * PER_TOKEN)


class _Passing(BaseHTTPRequestHandler):
    """Passes requests on to a server, and takes no further connection after a POST."""

    place: str

    def do_GET(self):
        self.pass_on()

    def do_POST(self):
        self.pass_on(self.server.server_close)

    def pass_on(self, before_the_answer=lambda: None):
        data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        connection = http.client.HTTPConnection(self.place, timeout=60)
        connection.request(self.command, self.path, data or None, dict(self.headers))
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        before_the_answer()
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Tests print nothing."""


@pytest.fixture
def closing_service(fault_sandbox):
    """The address of the service behind a port that is closed after one answer of the
    model."""
    place = fault_sandbox.url.removeprefix("http://")
    server = HTTPServer(("127.0.0.1", 0), type("P", (_Passing,), {"place": place}))

    def serve():
        while server.fileno() >= 0:
            server.handle_request()

    server.timeout = 60
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    thread.join(60)


def test_a_call_that_never_reached_the_service_costs_nothing(
    auth, closing_service, monkeypatch
):
    monkeypatch.setattr(retry, "FIRST_WAIT", 0.01)
    auth = {**auth, "base_url": closing_service}
    settings = {"concurrency": 1, "max_tokens": 5, "budget_usd": 0.00022}
    result = map_rows(auth, MODEL, "{{id}}", numbered(40), **settings)

    assert (result["done"], result["failed"]) == (1, 39)
    assert "stopped" not in result
    assert result["cost_usd"] == pytest.approx((10 * 0.15 + 5 * 0.6) / 1e6)
    assert all("refused" in row["answer_error"] for row in result["rows"][1:])


@pytest.mark.parametrize("hangs", [True, False])
def test_a_row_that_the_time_limit_left_costs_nothing_unless_it_was_under_way(
    auth, fault_sandbox, hangs
):
    fault_sandbox.respond = lambda number, text, times: (
        HANG if hangs and text == "1" else None
    )
    if not hangs:
        fault_sandbox.pause = 0.5
    settings = {"concurrency": 1, "stop_after_seconds": 2}
    result = map_rows(auth, MODEL, "{{id}}", numbered(90), **settings)

    assert 1 <= result["done"] < 90
    assert "time limit" in result["stopped"]
    if hangs:
        assert (result["cost_usd"], "failed" in result["cost_note"]) == (None, True)


def test_a_try_that_may_have_been_paid_counts_however_the_last_one_ended(
    auth, fault_sandbox, monkeypatch
):
    monkeypatch.setattr(retry, "FIRST_WAIT", 0.01)
    fault_sandbox.respond = lambda number, text, times: (
        None if text == "0" else (504, {}) if times == 1 else (400, {})
    )
    result = map_rows(auth, MODEL, "{{id}}", numbered(2), concurrency=1)

    assert (result["done"], result["cost_usd"]) == (1, None)
    assert "failed" in result["cost_note"]


def test_a_budget_for_nothing_says_that_nothing_was_answered(auth, fault_sandbox):
    result = red(map_rows, auth, MODEL, "{{id}}", numbered(3), budget_usd=0)

    assert fault_sandbox.bodies == []
    assert (result["failed"], result["cost_usd"]) == (3, None)
    assert result["cost_note"] == "no row was answered"


@pytest.mark.parametrize(
    "run",
    [
        lambda auth, **more: map_rows(auth, template="{{id}}", **more),
        lambda auth, **more: embed_rows(auth, column="id", **more),
        lambda auth, rows, **more: search_documents(
            auth, query="q", documents=rows, **more
        ),
    ],
)
def test_a_budget_for_a_model_without_a_price_sends_nothing(run, auth, fault_sandbox):
    with pytest.raises(TogetherError, match=r"\(budget_usd\) cannot be kept") as caught:
        run(auth, model="nobody/knows", rows=numbered(2), budget_usd=1)

    assert caught.value.type == "budget_unknown"
    assert caught.value.problems[0]["field"] == "budget_usd"
    assert fault_sandbox.bodies == []


def test_a_model_without_a_price_costs_an_unknown_sum(auth):
    result = map_rows(auth, "nobody/knows", "{{id}}", numbered(2))

    assert result["cost_usd"] is None
    assert "nobody/knows" in result["cost_note"]


def test_results_can_go_to_storage(auth, workspace):
    result = map_rows(auth, MODEL, "{{id}}", numbered(30), output="storage")

    lines = workspace.content(result["s3"]).decode().splitlines()
    rows = [json.loads(line) for line in lines]
    assert "rows" not in result
    assert [row["answer"] for row in rows] == [f"{n}!" for n in range(30)]


def test_results_can_go_to_storage_compressed_and_be_read_from_there(auth, workspace):
    result = map_rows(auth, MODEL, "{{id}}", numbered(30), output="gzip")

    assert result["s3"].endswith("_map_rows.jsonl.gz")
    lines = gzip.decompress(workspace.content(result["s3"])).splitlines()
    assert [json.loads(line)["answer"] for line in lines] == [
        f"{n}!" for n in range(30)
    ]
    assert [row["id"] for row in Table(auth, {"s3": result["s3"]})] == [*range(30)]


@pytest.mark.parametrize("output", ["storage", "gzip"])
def test_answers_that_cannot_be_stored_are_kept_for_a_rerun(
    auth, workspace, fault_sandbox, output
):
    workspace.faults.append(Fault("upload_s3_file", 502, times=1))
    with pytest.raises(TogetherError, match="asks for none of them"):
        map_rows(auth, MODEL, "{{id}}", numbered(30), output=output)

    result = map_rows(auth, MODEL, "{{id}}", numbered(30), output=output)

    assert result["done"] == len(fault_sandbox.bodies) == 30
    assert not workspace.resources


@pytest.mark.parametrize(("keep", "times"), [(False, 1), (True, 9)])
def test_answers_that_can_be_kept_nowhere_are_in_the_error(
    auth, workspace, keep, times
):
    workspace.faults.append(Fault("upload_s3_file", 403, times=times))
    with pytest.raises(TogetherError) as caught:
        map_rows(auth, MODEL, "{{id}}", numbered(30), output="storage", keep=keep)

    assert caught.value.type == "not_allowed"
    assert "kept" not in str(caught.value)
    assert answers(caught.value.partial) == [f"{n}!" for n in range(30)]


def test_the_key_is_in_no_answer_to_a_row(auth, fault_sandbox):
    """A gateway that debugs may tell it."""
    message = {"role": "assistant", "content": f"you said {KEY}"}
    told = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    fault_sandbox.respond = lambda *_: told
    assert answers(map_rows(auth, MODEL, "{{id}}", numbered(2))) == ["you said ***"] * 2

    fault_sandbox.respond = lambda *_: {"results": [{"index": 0, "score": KEY}]}
    with pytest.raises(TogetherError) as caught:
        search_documents(auth, MODEL, "q", ["a"])
    assert caught.value.partial == {"results": [{"index": 0, "score": "***"}]}


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_a_table_is_packed_as_it_is_read(size):
    lines = b"".join(b'{"n": %d}\n' % n for n in range(30_000))
    pieces = []
    packed = Packed(io.BytesIO(lines))
    while piece := packed.read(size):
        pieces.append(piece)

    content = b"".join(pieces)
    assert max(map(len, pieces)) <= size
    assert gzip.decompress(content) == lines
    assert gzip.decompress(content + content) == lines + lines  # members side by side


def test_rows_that_are_too_many_for_a_result_go_to_storage(auth, workspace, capsys):
    rows = [{"id": n, "text": "x" * 80_000} for n in range(30)]
    result = map_rows(auth, MODEL, "{{id}}", rows)
    lines = workspace.content(result["s3"]).decode().splitlines()

    assert [json.loads(line)["answer"] for line in lines] == [
        f"{n}!" for n in range(30)
    ]
    assert "too many for a result" in result["note"]
    assert result["note"] in capsys.readouterr().err
    workspace.storage = False
    result = map_rows(auth, MODEL, "{{id}}", rows)
    assert answers(result) == [f"{n}!" for n in range(30)]


@pytest.mark.parametrize("output", ["storage", "gzip"])
def test_storage_that_is_missing_is_noticed_before_anything_is_sent(
    auth, fault_sandbox, workspace, output
):
    workspace.storage = False
    with pytest.raises(TogetherError, match=f'cannot be "{output}"'):
        map_rows(auth, MODEL, "{{id}}", numbered(3), output=output)

    assert fault_sandbox.bodies == []


# --- columns of the user's own -----------------------------------------------------


@pytest.mark.parametrize("column", ["id", "said", "note"])
def test_no_column_of_the_rows_is_overwritten(auth, fault_sandbox, column):
    rows = [{"id": n, "said": "mine", "note_error": "mine"} for n in range(3)]
    with pytest.raises(TogetherError) as caught:
        map_rows(auth, MODEL, "{{id}}", rows, answer_column=column)

    assert "Nothing was sent: Answer column (answer_column)" in str(caught.value)
    assert caught.value.problems[0]["field"] == "answer_column"
    with pytest.raises(TogetherError, match="answer_column"):
        embed_rows(auth, MODEL, rows, column="said", answer_column=column)
    assert fault_sandbox.bodies == []


def test_columns_called_as_answers_usually_are_stay(auth):
    rows = [{"id": 1, "error": "404", "answer": "mine", "embedding": 5}]
    asked = map_rows(auth, MODEL, "{{id}}", rows, answer_column="said")
    embedded = embed_rows(auth, MODEL, rows, column="error", answer_column="vector")

    assert asked["rows"] == [{**rows[0], "said": "1!", "said_error": None}]
    assert {**embedded["rows"][0], **rows[0]} == embedded["rows"][0]
    assert embedded["rows"][0]["vector"][0] == 3


def test_a_later_row_with_a_column_of_that_name_keeps_it_and_is_not_sent(
    auth, fault_sandbox
):
    rows = numbered(150)
    rows[140]["answer"] = "mine"
    result = map_rows(auth, MODEL, "{{id}}", rows)

    assert result["rows"][140]["answer"] == "mine"
    assert "'answer' of its own" in result["rows"][140]["answer_error"]
    assert (result["done"], result["failed"], len(fault_sandbox.bodies)) == (
        149,
        1,
        149,
    )


# --- what a result says, and when it is red ----------------------------------------


def refusing(*texts):
    return lambda number, text, times: (400, {}) if text in texts else None


def test_a_table_alone_is_a_bare_list_and_its_cost_in_the_log(auth, capsys):
    rows = map_rows(auth, MODEL, "{{id}}", numbered(2), output="table")

    assert rows == [
        {"id": n, "answer": f"{n}!", "answer_error": None} for n in range(2)
    ]
    told = capsys.readouterr().err
    assert re.search(r"All 2 rows were answered\. Cost: 0\.0{4}\d+ USD\.", told), told


def test_the_summary_tells_first_what_failed_and_nothing_of_it_is_a_link(
    auth, fault_sandbox
):
    text = "see ``[x](javascript:x)`` ![y](http://example.com/y.png)"
    body = {"error": {"message": text}}
    fault_sandbox.respond = lambda number, text, times: body if text == "1" else None
    result = map_rows(auth, MODEL, "{{id}}", numbered(3))

    lines = result["markdown"].splitlines()
    assert result["wm_renderer"] == "markdown"
    assert lines[0] == "**2 of 3 rows were answered, 1 failed.**"
    (told,) = (line for line in lines if line.startswith("- Row 2: "))
    assert inline(text) in told
    assert text not in told
    assert lines[-1] == "- The rows: `rows` of this result"


def test_a_step_that_answers_no_row_is_red_with_the_first_reason(auth, fault_sandbox):
    fault_sandbox.respond = lambda number, text, times: (400, {"x-request-id": "r"})
    with pytest.raises(TogetherError) as caught:
        map_rows(auth, MODEL, "{{id}}", numbered(3))

    assert str(caught.value).startswith("None of the 3 rows was answered. Row 1: 400")
    assert caught.value.failures[0]["row"] == 1
    assert answers(caught.value.partial) == [None] * 3


def test_more_failures_than_are_borne_turn_a_step_red(auth, fault_sandbox):
    fault_sandbox.respond = refusing("1", "2")
    asked = auth, MODEL, "{{id}}", numbered(4)
    kept = red(map_rows, *asked, kind="too_many_failed", fail_when_failed_share=0.4)

    assert answers(kept) == ["0!", None, None, "3!"]
    assert map_rows(*asked, fail_when_failed_share=0.5)["failed"] == 2
    fault_sandbox.respond = refusing("1")
    red(map_rows, *asked, kind="too_many_failed", fail_when_failed_share=0)
    red(
        embed_rows,
        auth,
        MODEL,
        [{"text": "a"}, {"text": ""}],
        kind="too_many_failed",
        fail_when_failed_share=0.1,
    )


def test_a_run_that_keeps_nothing_writes_no_row_to_storage(
    auth, workspace, monkeypatch
):
    monkeypatch.setattr(checkpoint, "PART_ROWS", 7)
    map_rows(auth, MODEL, "{{id}}", numbered(30), keep=False)

    written = [one for one in workspace.requests if "upload_s3" in one.path]
    assert written == []
    assert workspace.resources == {}


def test_progress_is_shown_and_grows(
    auth, fault_sandbox, workspace, monkeypatch, capsys
):
    monkeypatch.setattr("scripts.table.row_results.BAR_SECONDS", 0)
    monkeypatch.setattr("scripts.table.row_results.LOG_SECONDS", 0)
    map_rows(auth, MODEL, "{{id}}", numbered(50))

    shown = workspace.progress[workspace.job_id]
    assert shown == sorted(shown)
    assert shown[-1] == 99
    assert "50 rows (100%), 0 failed" in capsys.readouterr().err


class StoppedError(Exception):
    """The job ends, as when a person cancels it."""


def stop_after(count, monkeypatch):
    """Let the run end while it adds a row."""
    add = checkpoint.Checkpoint.add

    def adding(self, row, line, sums):
        add(self, row, line, sums)
        if sums["done"] == count:
            raise StoppedError

    monkeypatch.setattr(checkpoint.Checkpoint, "add", adding)


@pytest.mark.parametrize("output", ["result", "storage"])
def test_a_run_that_ended_midway_goes_on(
    auth, fault_sandbox, workspace, monkeypatch, output
):
    rows = numbered(100)
    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "PART_ROWS", 7)
        stop_after(60, patch)
        with pytest.raises(StoppedError):
            map_rows(auth, MODEL, "{{id}}", rows, concurrency=4)
    assert len(workspace.resources) == 1
    before = len(fault_sandbox.bodies)
    again = map_rows(auth, MODEL, "{{id}}", rows, concurrency=9, output=output)

    assert again["done"] == 100
    assert again["usage"]["prompt_tokens"] == 1000
    texts = [body["messages"][0]["content"] for body in fault_sandbox.bodies[before:]]
    # Calls of the first run that were under way may still arrive.
    assert set(map(int, texts)) == set(range(60, 100))
    if output == "result":
        assert answers(again) == [f"{n}!" for n in range(100)]
        assert workspace.objects == {}
    assert workspace.resources == {}


def asked_models(fault_sandbox):
    """The models that were asked, each by the texts that it was asked about."""
    models = {}
    for body in fault_sandbox.bodies:
        models.setdefault(body["model"], set()).add(int(body["messages"][0]["content"]))
    return models


def ended_midway(fault_sandbox, monkeypatch, rows, *offered, **settings):
    """Run over rows, of which ten are kept, with a catalogue of these models."""
    with monkeypatch.context() as patch, offering(fault_sandbox, *offered) as auth:
        patch.setattr(checkpoint, "PART_ROWS", 5)
        stop_after(10, patch)
        with pytest.raises(StoppedError):
            map_rows(auth, None, "{{id}}", rows, concurrency=1, **settings)


@pytest.mark.parametrize(
    ("offered", "status"),
    [(["a/old", "a/new"], None), ([], None), (["a/new"], 500)],
    ids=["newer", "empty", "unread"],
)
def test_a_rerun_asks_the_model_that_the_run_before_took(
    fault_sandbox, workspace, monkeypatch, offered, status
):
    rows = numbered(20)
    ended_midway(fault_sandbox, monkeypatch, rows, "a/old")
    if status:
        fault_sandbox.faults.append(Fault("models", status, times=99))
    with offering(fault_sandbox, *offered) as auth:
        again = map_rows(auth, None, "{{id}}", rows)

    assert asked_models(fault_sandbox) == {"a/old": set(range(20))}
    # Rows that were under way as the first run ended.
    assert sum(fault_sandbox.seen.values()) <= 20 + WINDOW + 1
    assert again["done"] == 20
    assert "models" not in again
    assert workspace.resources == {}


def test_a_rerun_asks_another_model_where_the_first_is_gone_about_what_is_left(
    fault_sandbox, workspace, monkeypatch
):
    rows = numbered(20)
    ended_midway(fault_sandbox, monkeypatch, rows, "a/old")
    with offering(fault_sandbox, "a/other", "a/new") as auth:
        again = map_rows(auth, None, "{{id}}", rows)

    assert asked_models(fault_sandbox)["a/new"] == set(range(10, 20))
    assert answers(again) == [f"{n}!" for n in range(20)]
    assert again["models"] == {"a/new": 10, "a/old": 10}
    assert "fallback_from" not in again
    # Of a model that the catalogue lists no more nobody knows the price.
    assert again["cost_usd"] is None
    assert "a/old" in again["cost_note"]


def test_rows_of_a_model_that_is_offered_no_more_keep_its_price(
    fault_sandbox, workspace, monkeypatch
):
    rows = numbered(20)
    ended_midway(fault_sandbox, monkeypatch, rows, "a/old", budget_usd=1)
    with offering(fault_sandbox, "a/old", "a/new") as auth:
        gone = {"id": "a/old", "type": "chat", "pricing": {"input": 0.1, "output": 0.2}}
        status = "SUPPORTED_MODEL_STATUS_HIDDEN"
        listed = {**gone, "name": "a/old", "products": [], "status": status}
        fault_sandbox.answers["list_supported_models"] = lambda _: {"data": [listed]}
        entries = fault_sandbox.answers["list_models"](None)
        fault_sandbox.answers["list_models"] = lambda _: entries[1:]
        again = map_rows(auth, None, "{{id}}", rows, budget_usd=1)

    assert again["models"] == {"a/new": 10, "a/old": 10}
    old, new = 10 * 0.1 + 5 * 0.2, 10 * 0.2 + 5 * 0.4  # USD per million rows
    assert again["cost_usd"] == pytest.approx(10 * (old + new) / 1e6)


def test_what_is_left_by_a_budget_is_asked_of_the_same_model(fault_sandbox, workspace):
    rows = numbered(4)
    per_row = (10 * 0.1 + 5 * 0.2) / 1e6
    settings = {"concurrency": 1, "max_tokens": 5}
    with offering(fault_sandbox, "a/old") as auth:
        first = map_rows(auth, None, "{{id}}", rows, budget_usd=1.4e-5, **settings)
    assert first["done"] == 2
    with offering(fault_sandbox, "a/old", "a/new") as auth:
        again = map_rows(auth, None, "{{id}}", rows, budget_usd=1, **settings)

    assert again["done"] == 4
    assert asked_models(fault_sandbox) == {"a/old": {0, 1, 2, 3}}
    assert again["cost_usd"] == pytest.approx(4 * per_row)


def test_a_first_row_that_is_left_is_asked_of_the_model_that_answered_the_others(
    fault_sandbox, workspace
):
    rows = numbered(4)

    def respond(number, text, times):
        return HANG if (text, times) == ("0", 1) else None

    fault_sandbox.respond = respond
    with offering(fault_sandbox, "a/old") as auth:
        settings = {"concurrency": 2, "stop_after_seconds": 1}
        first = map_rows(auth, None, "{{id}}", rows, **settings)
    assert answers(first) == [None, "1!", "2!", "3!"]
    with offering(fault_sandbox, "a/old", "a/new") as auth:
        again = map_rows(auth, None, "{{id}}", rows)

    assert answers(again) == ["0!", "1!", "2!", "3!"]
    assert asked_models(fault_sandbox) == {"a/old": {0, 1, 2, 3}}
    assert fault_sandbox.seen["1"] == 1


def test_a_run_that_was_killed_goes_on(
    auth, fault_sandbox, workspace, worker, monkeypatch
):
    answer, kept = workspace.answer, []

    async def until_the_third_part_is_kept(request, path):
        response = await answer(request, path)
        if "/resources/update_value/" in path:
            kept.append(path)
            if len(kept) == 2:  # the first part's record was created
                worker.kill()
        return response

    call = {"auth": auth, "model": MODEL, "template": "{{id}}", "rows": numbered(100)}
    job = workspace.environment, {"checkpoint.PART_ROWS": 7}
    with monkeypatch.context() as patch:
        patch.setattr(workspace, "answer", until_the_third_part_is_kept)
        assert worker.run("chat.map_rows", call, *job) is None
    before = len(fault_sandbox.bodies)
    again = worker.run("chat.map_rows", call, *job)

    assert answers(again) == [f"{n}!" for n in range(100)]
    assert again["usage"]["prompt_tokens"] == 1000
    texts = {body["messages"][0]["content"] for body in fault_sandbox.bodies[before:]}
    assert texts == {str(n) for n in range(21, 100)}


def test_a_job_that_outlives_its_worker_keeps_what_it_paid_for_and_asks_no_more(
    auth, fault_sandbox, workspace, monkeypatch
):
    own, elsewhere = Worker(), Worker()
    answer, late = workspace.answer, []

    def respond(number, text, times):
        if text == "40":
            own.die()

    async def only_from_outside(request, path):
        if own.process.poll() is not None and "localhost" in request.headers["host"]:
            late.append(path)  # the worker answered there itself
        return await answer(request, path)

    fault_sandbox.respond = respond
    monkeypatch.setattr(workspace, "answer", only_from_outside)
    call = {"auth": auth, "model": MODEL, "template": "{{id}}", "rows": numbered(300)}
    inside = workspace.environment["WM_BASE_URL"].replace("127.0.0.1", "localhost")
    environment = {**workspace.environment, "BASE_INTERNAL_URL": inside}
    try:
        orphan = own.run("chat.map_rows", call, environment)
        asked = len(fault_sandbox.bodies)
        again = elsewhere.run("chat.map_rows", call, workspace.environment)
    finally:
        own.close()
        elsewhere.close()

    assert "worker of this job has died" in orphan["stopped"]
    assert 41 <= orphan["done"] == asked < 300
    assert answers(again) == [f"{n}!" for n in range(300)]
    assert max(fault_sandbox.seen.values()) == 1, "asked twice"
    assert not late


@pytest.mark.slow
def test_memory_stays_flat_however_many_rows(auth, fault_sandbox, workspace, worker):
    def run(count):
        rows = (json.dumps({"id": n, "text": "x" * 20_000}) for n in range(count))
        workspace.put("in/rows.jsonl", "\n".join(rows).encode())
        call = {"rows": {"s3": "in/rows.jsonl"}, "output": "storage"}
        call |= {"auth": auth, "model": MODEL, "template": "{{id}} {{text}}"}
        result = worker.run("chat.map_rows", call, workspace.environment)
        assert result["done"] == count
        return len(workspace.content(result["s3"])), worker.peak * 1024

    _, before = run(50)
    size, after = run(1000)
    # Windows and buffers fill, and are reused: a part of what passes through.
    assert after - before < 30_000_000 < size


def test_rows_that_changed_since_are_asked_again(
    auth, fault_sandbox, workspace, monkeypatch
):
    monkeypatch.setattr(checkpoint, "PART_ROWS", 150)
    rows = numbered(400)
    with monkeypatch.context() as patch:
        stop_after(300, patch)
        with pytest.raises(StoppedError):
            map_rows(auth, MODEL, "{{id}}", rows)
    rows[200] = {"id": 9999}
    before = len(fault_sandbox.bodies)
    again = map_rows(auth, MODEL, "{{id}}", rows)

    assert answers(again) == [f"{row['id']}!" for row in rows]
    assert 250 <= len(fault_sandbox.bodies) - before <= 250 + 8


def test_a_part_that_was_deleted_is_asked_again(auth, workspace, monkeypatch):
    with monkeypatch.context() as patch:
        stop_after(60, patch)
        with pytest.raises(StoppedError):
            map_rows(auth, MODEL, "{{id}}", numbered(100))
    workspace.objects.clear()
    again = map_rows(auth, MODEL, "{{id}}", numbered(100))

    assert answers(again) == [f"{n}!" for n in range(100)]


def test_a_part_that_cannot_be_read_for_now_is_not_asked_again(
    auth, fault_sandbox, workspace, monkeypatch
):
    monkeypatch.setattr(checkpoint, "PART_ROWS", 10)
    monkeypatch.setattr(retry, "FIRST_WAIT", 0.01)
    rows = numbered(100)
    with monkeypatch.context() as patch:
        stop_after(60, patch)
        with pytest.raises(StoppedError):
            map_rows(auth, MODEL, "{{id}}", rows)
    fault_sandbox.reset()

    workspace.faults.append(Fault("download_s3_file", 502, times=3))
    with pytest.raises(TogetherError, match="cannot be read from storage"):
        map_rows(auth, MODEL, "{{id}}", rows)
    kept = {str(n) for n in range(60)}  # others may arrive late, of the first run
    assert not kept & {*fault_sandbox.seen}

    assert map_rows(auth, MODEL, "{{id}}", rows)["done"] == 100
    assert not kept & {*fault_sandbox.seen}


def test_a_finished_run_is_not_repeated_from_memory(auth, fault_sandbox, workspace):
    map_rows(auth, MODEL, "{{id}}", numbered(3))
    map_rows(auth, MODEL, "{{id}}", numbered(3))

    assert len(fault_sandbox.bodies) == 6
    assert workspace.resources == {}


def test_a_larger_budget_goes_on_where_the_smaller_one_ended(
    auth, fault_sandbox, workspace
):
    one = map_rows(auth, MODEL, "{{id}}", numbered(1), max_tokens=5)["cost_usd"]
    first = map_rows(
        auth, MODEL, "{{id}}", numbered(50), max_tokens=5, budget_usd=one * 30
    )
    fault_sandbox.reset()
    second = map_rows(
        auth, MODEL, "{{id}}", numbered(50), max_tokens=5, budget_usd=one * 90
    )

    assert 0 < first["done"] < 50
    assert second["done"] == 50
    assert len(fault_sandbox.bodies) < 50
    assert answers(second) == [f"{n}!" for n in range(50)]


def test_a_rerun_counts_what_the_answers_of_the_run_before_did_not_say(
    auth, fault_sandbox, workspace
):
    choice = {"message": {"content": "x" * 1000}, "finish_reason": "stop"}
    fault_sandbox.respond = lambda number, text, times: {"choices": [choice]}
    asked = MODEL, "{{id}}", numbered(30)
    budget = 0.6 * 1e-6 * 10_500
    first = map_rows(auth, *asked, max_tokens=1000, budget_usd=budget)
    assert 8 <= first["done"] <= 10

    for more, most in ((1, first["done"]), (2, 2 * first["done"] + 2)):
        result = map_rows(auth, *asked, max_tokens=1000, budget_usd=more * budget)
        assert result["done"] == len(fault_sandbox.bodies) <= most


def test_what_a_run_left_that_nobody_repeated_is_removed_after_a_week(
    auth, fault_sandbox, workspace, monkeypatch
):
    monkeypatch.setattr(checkpoint, "PART_ROWS", 7)
    with monkeypatch.context() as patch:
        stop_after(20, patch)
        with pytest.raises(StoppedError):
            map_rows(auth, MODEL, "{{id}}", numbered(30))
    [left] = workspace.resources
    parts = set(workspace.objects)
    assert parts

    map_rows(auth, MODEL, "other {{id}}", numbered(30))
    assert list(workspace.resources) == [left]  # it may still be repeated
    assert set(workspace.objects) == parts

    workspace.resources[left]["edited_at"] = "2020-01-01T00:00:00Z"
    map_rows(auth, MODEL, "another {{id}}", numbered(30))
    assert workspace.resources == {}
    assert workspace.objects == {}


def test_without_storage_a_run_just_begins_anew(auth, workspace, monkeypatch, capsys):
    workspace.storage = False
    monkeypatch.setattr(checkpoint, "PART_ROWS", 7)
    result = map_rows(auth, MODEL, "{{id}}", numbered(30))

    assert result["done"] == 30
    assert capsys.readouterr().err.count("begins anew") == 1


def test_embeddings_come_in_the_order_of_the_rows(auth, fault_sandbox):
    rows = [{"id": n, "about": "x" * (n % 9 + 1)} for n in range(300)]
    rows[100] = {"id": 100, "about": ""}
    rows[101] = {"id": 101}
    rows[102] = {"id": 102, "about": 7}
    result = embed_rows(auth, MODEL, rows, column="about", concurrency=3)

    assert [row["id"] for row in result["rows"]] == list(range(300))
    for row in result["rows"]:
        if row["id"] in (100, 101):
            assert row["embedding"] is None
            assert "no text in its column 'about'" in row["embedding_error"]
        else:
            assert row["embedding"][0] == len(str(row["about"]))
    assert (result["done"], result["failed"], result["dimensions"]) == (298, 2, 2)
    assert result["usage"]["prompt_tokens"] == 298
    assert len(fault_sandbox.bodies) == 5


def test_embeddings_keep_to_their_budget_and_go_on_with_a_larger_one(
    auth, fault_sandbox, workspace
):
    """A text of 92 letters is set down for 100 tokens and turns out to have 40."""

    def respond(number, text, times):
        count = text.count(",") + 1
        data = [{"index": n, "embedding": [n]} for n in range(count)]
        return {"data": data, "usage": {"prompt_tokens": 40 * count}}

    fault_sandbox.respond = respond
    rows = [{"id": n, "text": "x" * 92} for n in range(300)]
    budget = 12_000 * PER_TOKEN
    first = embed_rows(auth, MODEL, rows, concurrency=1, budget_usd=budget)
    sent = [len(body["input"]) for body in fault_sandbox.bodies]

    # What three requests leave, 4320 tokens, is enough for 43 texts of the fourth.
    assert sent == [64, 64, 64, 43]
    assert first["done"] == sum(sent)
    assert first["cost_usd"] == pytest.approx(sum(sent) * 40 * PER_TOKEN)
    assert "budget_usd is used up" in first["rows"][-1]["embedding_error"]
    missing = [row["id"] for row in first["rows"] if row["embedding"] is None]
    assert missing == list(range(sum(sent), 300))
    fault_sandbox.bodies.clear()
    again = embed_rows(auth, MODEL, rows, budget_usd=1)
    assert (again["done"], "stopped" in again) == (300, False)
    assert sum(len(body["input"]) for body in fault_sandbox.bodies) == len(missing)
    assert again["usage"]["prompt_tokens"] == 300 * 40


def test_a_budget_for_a_part_of_a_request_sends_that_part(auth, fault_sandbox):
    rows = ["x" * 92] * 64
    result = embed_rows(auth, MODEL, rows, budget_usd=10 * 100 * PER_TOKEN)

    assert [len(body["input"]) for body in fault_sandbox.bodies] == [10]
    assert (result["done"], result["failed"]) == (10, 54)


def test_a_text_that_cannot_be_embedded_does_not_take_others_with_it(
    auth, fault_sandbox
):
    fault_sandbox.respond = lambda number, text, times: (
        (413, {}) if "bad" in text else None
    )
    texts = [f"text {n}" for n in range(60)]
    texts[17] = "bad"
    result = embed_rows(auth, MODEL, texts)

    assert (result["done"], result["failed"]) == (59, 1)
    assert "413" in result["rows"][17]["embedding_error"]


def test_requests_that_are_too_large_for_all_lanes_are_halved(auth, fault_sandbox):
    fault_sandbox.pause = 0.01
    fault_sandbox.respond = lambda number, text, times: (
        (413, {}) if len(text) > 300 else None
    )
    result = embed_rows(auth, MODEL, ["x" * 20] * 64 * 25, concurrency=25)

    assert (result["done"], result["failed"]) == (1600, 0)


@pytest.mark.parametrize("vectors", [[{}] * 3, [None] * 3, [{"embedding": [1]}]])
def test_an_answer_without_vectors_fails_its_rows_and_is_paid(
    auth, fault_sandbox, vectors
):
    usage = {"prompt_tokens": 12}
    fault_sandbox.respond = lambda number, text, times: {
        "data": vectors,
        "usage": usage,
    }
    result = red(embed_rows, auth, MODEL, ["a", "b", "c"])

    assert result["failed"] == 3
    assert "vector" in result["rows"][2]["embedding_error"]
    assert result["cost_usd"] == pytest.approx(12 * PER_TOKEN)


FLOATS = base64.b64encode(struct.pack("<2f", 1, 2)).decode()


@pytest.mark.parametrize(
    "odd",
    [
        '["NaN", 1.0]',
        "[null, null]",
        "null",
        "[]",
        '["1", "2"]',
        "[true, false]",
        '"AAAA AAA="',
        "[[1, 2], [3, 4]]",
        "[1.0]",
        "{}",
    ],
)
def test_what_is_no_vector_fails_its_row_alone(auth, fault_sandbox, odd):
    texts = (
        '{"data": [{"index": 0, "embedding": [1.0, 2.0]}, {"index": 1, "embedding": '
        f'{odd}}}, {{"index": 2, "embedding": "{FLOATS}"}}, '
        '{"index": 3, "embedding": [[3, 4]]}]}'
    )
    fault_sandbox.respond = lambda number, text, times: json.loads(texts)

    result = embed_rows(auth, MODEL, ["a", "b", "c", "d"])

    found = [row["embedding"] for row in result["rows"]]
    assert found == [[1.0, 2.0], None, [1.0, 2.0], [3, 4]]
    assert "vector" in result["rows"][1]["embedding_error"]
    assert (result["done"], result["failed"], result["dimensions"]) == (3, 1, 2)


def test_vectors_of_all_requests_have_one_length(auth, fault_sandbox):
    def respond(number, text, times):
        count = len(fault_sandbox.bodies[number - 1]["input"])
        vector = [1.0] * (2 if count == 64 else 3)
        return {"data": [{"index": n, "embedding": vector} for n in range(count)]}

    fault_sandbox.respond = respond
    result = embed_rows(auth, MODEL, ["a"] * 65, concurrency=1)

    assert (result["done"], result["failed"], result["dimensions"]) == (64, 1, 2)
    why = result["rows"][64]["embedding_error"]
    assert why == "its vector has 3 numbers, the others 2"


@pytest.mark.parametrize(
    ("indexes", "found"),
    [
        ([2, 0, 1], [1, 2, 0]),
        (["2", "0", "1"], [1, 2, 0]),
        ([..., ..., ...], [0, 1, 2]),
        ([0, 0, 0], [0, 1, 2]),
        ([..., 1, 2], [0, 1, 2]),
        ([None, 2, 1], [0, 2, 1]),
        ([1, 1, 0], None),
        ([0, 1, 7], None),
        ([..., 1, ...], [0, 1, 2]),
        ([..., ..., 1], None),
        ([0, 1, 1.5], None),
    ],
)
def test_vectors_are_given_to_the_texts_that_they_are_of(
    auth, fault_sandbox, indexes, found
):
    data = [
        {"embedding": [float(n)]}
        if index is ...
        else {"index": index, "embedding": [n]}
        for n, index in enumerate(indexes)
    ]
    fault_sandbox.respond = lambda number, text, times: {"data": data}

    if found is None:
        result = red(embed_rows, auth, MODEL, ["a", "b", "c"])
        assert "does not say which text" in result["rows"][0]["embedding_error"]
    else:
        result = embed_rows(auth, MODEL, ["a", "b", "c"])
        assert [row["embedding"][0] for row in result["rows"]] == found


@pytest.mark.parametrize("indexes", [(1, 2, 3), (3, 2), (3,)])
def test_scores_of_documents_counted_from_one_are_of_none(indexes, auth, fault_sandbox):
    told = [{"index": n, "relevance_score": 0.5 / n} for n in indexes]
    fault_sandbox.respond = lambda number, text, times: {"results": told}
    with pytest.raises(TogetherError, match="from 1") as caught:
        search_documents(auth, MODEL, "q", ["one", "two", "three"], top_n=len(indexes))
    assert caught.value.partial == {"results": told}


def test_a_text_that_breaks_the_service_takes_no_other_with_it(
    auth, fault_sandbox, monkeypatch
):
    monkeypatch.setattr(retry, "backoff", lambda tries, asked: 0.0)
    fault_sandbox.respond = lambda number, text, times: (
        (500, {}) if "bad" in text else None
    )
    texts = [f"text {n}" for n in range(16)]
    texts[3] = "bad"
    result = embed_rows(auth, MODEL, texts, concurrency=1)

    assert (result["done"], result["failed"]) == (15, 1)
    assert "500" in result["rows"][3]["embedding_error"]


def test_a_service_that_is_down_is_not_asked_for_every_half(
    auth, fault_sandbox, monkeypatch
):
    monkeypatch.setattr(retry, "backoff", lambda tries, asked: 0.0)
    fault_sandbox.respond = lambda number, text, times: (500, {})
    red(embed_rows, auth, MODEL, ["a"] * 256, concurrency=1)

    assert len({json.dumps(body["input"]) for body in fault_sandbox.bodies}) <= 7
    assert len(fault_sandbox.bodies) < 80


@pytest.mark.parametrize(
    ("results", "found", "odd"),
    [
        ([(0, None), (1, 0.5)], [(1, 0.5), (0, None)], 1),
        ([(0, "0.9"), (1, 0.5)], [(0, 0.9), (1, 0.5)], 0),
        ([(0, "NaN"), (1, 0.5)], [(1, 0.5), (0, None)], 1),
        ([(-1, 0.9), (0, 0.5)], [(0, 0.5), (1, None)], 2),
        ([(1, 0.9), (1, 0.9)], [(1, 0.9), (0, None)], 2),
        ([("1", 0.9), (0, 1)], [(0, 1), (1, 0.9)], 0),
        ([(True, 0.9), (0, 1)], [(0, 1), (1, None)], 2),
        ([(1, None)], None, None),
        ([], None, None),
    ],
)
def test_documents_without_a_score_come_last_with_a_note(
    auth, fault_sandbox, results, found, odd
):
    told = [{"index": index, "relevance_score": score} for index, score in results]
    fault_sandbox.respond = lambda number, text, times: {"results": told}

    if found is None:
        with pytest.raises(TogetherError, match=r"no scores|nothing in it"):
            search_documents(auth, MODEL, "q", ["one", "two"])
        return
    result = search_documents(auth, MODEL, "q", ["one", "two"])
    assert [(one["index"], one["score"]) for one in result["results"]] == found
    assert result.get("note", "0").split()[0] == str(odd)


def test_documents_are_sorted_by_score_over_several_requests(auth, fault_sandbox):
    documents = [f"number {n * 7919 % 2003}" for n in range(2003)]
    result = search_documents(auth, MODEL, "which?", documents, top_n=5)

    found = [row["document"] for row in result["results"]]
    assert found == [f"number {n}" for n in range(2002, 1997, -1)]
    assert [documents[row["index"]] for row in result["results"]] == found
    assert result["results"][0]["score"] == 0.002002
    assert len(fault_sandbox.bodies) == 5
    assert result["usage"]["prompt_tokens"] == 2003


@pytest.mark.parametrize("used", [None, {"prompt_tokens": 9, "total_tokens": 9}])
def test_a_search_that_fails_midway_hands_over_what_it_paid_for(
    auth, fault_sandbox, monkeypatch, used
):
    monkeypatch.setattr("scripts.rows.rerank_steps.RERANK_TEXTS", 2)
    empty = {"results": [], "usage": used}
    fault_sandbox.respond = lambda number, text, times: empty if number == 3 else None
    documents = [f"number {n}" for n in range(8)]
    with pytest.raises(TogetherError) as caught:
        search_documents(auth, MODEL, "q", documents, concurrency=1)

    partial = caught.value.partial
    assert [one["index"] for one in partial["results"]] == [3, 2, 1, 0]
    if used:
        assert partial["usage"]["prompt_tokens"] == 4 + 9
        assert partial["cost_usd"] == pytest.approx(13 * PER_TOKEN)
    else:
        assert partial["usage"]["prompt_tokens"] == 4
        assert (partial["cost_usd"], bool(partial["cost_note"])) == (None, True)


def test_a_search_that_may_exceed_its_budget_is_not_begun(auth, fault_sandbox):
    documents = ["x" * 92] * 600  # at most 100 tokens each, and 9 for the query
    most = 600 * 109 * PER_TOKEN
    with pytest.raises(TogetherError, match="what the search may cost") as caught:
        search_documents(auth, MODEL, "q", documents, budget_usd=most * 0.99)

    assert fault_sandbox.bodies == []
    assert caught.value.type == "budget_reached"
    assert caught.value.estimated_cost_usd == pytest.approx(most)
    found = search_documents(auth, MODEL, "q", documents, budget_usd=most)
    assert len(found["results"]) == 600
    assert 0 < found["cost_usd"] < most


def test_a_search_that_is_too_large_is_halved(auth, fault_sandbox):
    fault_sandbox.respond = lambda number, text, times: (
        (413, {}) if len(text) > 200 else None
    )
    result = search_documents(auth, MODEL, "q", [str(n) for n in range(300)])

    assert [row["index"] for row in result["results"]] == list(range(299, -1, -1))


def test_documents_may_be_rows_and_one_column_of_them(auth, fault_sandbox):
    rows = [{"title": "9", "text": "1"}, {"title": "1", "text": "2"}]

    best = search_documents(auth, MODEL, "q", rows)["results"][0]
    assert best["document"] == rows[0]
    assert fault_sandbox.bodies[0]["documents"] == rows
    best = search_documents(auth, MODEL, "q", rows, column="text")["results"][0]
    assert best == {"index": 1, "score": 2e-06, "document": rows[1]}
    assert fault_sandbox.bodies[1]["documents"] == ["1", "2"]


def test_a_document_that_cannot_be_read_is_named(auth, fault_sandbox):
    with pytest.raises(TogetherError, match=r"documents\[1\] cannot be read: line 2"):
        search_documents(auth, MODEL, "q", '{"a": 1}\nnope')
    with pytest.raises(TogetherError, match="column 'b'"):
        search_documents(auth, MODEL, "q", [{"a": 1}], column="b")
    assert fault_sandbox.bodies == []


def lanes(auth, concurrency=4):
    table = operation("chat/create_chat_completion")
    return WorkerPool(auth, table, concurrency, 5)


def test_lanes_take_no_more_tasks_than_they_can_keep_in_order(auth, monkeypatch):
    taken = []

    def endless():
        number = 0
        while True:
            taken.append(number)
            yield number
            number += 1

    results = lanes(auth).map(lambda number: number * 2, endless())
    assert [next(results) for _ in range(100)] == list(range(0, 200, 2))
    results.close()
    assert len(taken) < 100 + 4 * 16 + 4 + 1


def test_what_a_task_or_its_work_raises_ends_the_lanes(auth):
    def failing(number):
        if number == 20:
            raise ZeroDivisionError
        return number

    with pytest.raises(ZeroDivisionError):
        list(lanes(auth).map(failing, range(1000)))

    def broken():
        yield from range(20)
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011, there is nothing more to say
        list(lanes(auth).map(lambda number: number, broken()))


def test_a_table_tells_its_share_also_while_it_is_read(auth):
    text = "n\n" + "".join(f"{n}\n" for n in range(100_000))
    table = table_table.Table(auth, base64.b64encode(text.encode()).decode())
    shares = [table.share(done) for done, _ in enumerate(table, 1)]

    assert shares == sorted(shares)
    assert shares[-1] == 1.0
