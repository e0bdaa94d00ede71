"""Runs over rows that end before all were asked: what was paid for is in the error or
the result, on the bill, and not asked for again."""

import asyncio
import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from scripts import checkpoint
from scripts.catalog.pricing import job_unpaid
from scripts.chat.map_rows import main as map_rows
from scripts.client import TogetherError
from scripts.embeddings.embed_rows import main as embed_rows
from scripts.embeddings.rank_passages import main as rank_passages
from scripts.rerank.search_documents import main as search_documents
from scripts.resilience import retry
from tests.support.fault_sandbox import HANG
from tools.models import model

KEY = "tgp_left_0123456789abcdef"
MODEL = model("chat")  # has a price in the sandbox's catalogue
EACH = (10 * 0.15 + 5 * 0.6) / 1e6  # USD of an answer


@pytest.fixture
def auth(fault_sandbox):
    return {"api_key": KEY, "base_url": fault_sandbox.url}


def ask(auth, rows, **settings):
    return map_rows(auth, "{{id}}", rows, MODEL, **settings)


def numbered(count):
    return [{"id": n} for n in range(count)]


def array(count, end):
    text = ",".join(json.dumps(row) for row in numbered(count))
    return {"text": f"[{text}{end}", "filename": "rows.json"}


def answers(result):
    return [row["answer"] for row in result["rows"]]


def asked_twice(fault_sandbox):
    return {text for text, times in fault_sandbox.seen.items() if times > 1}


def as_a_job(error):
    """An error as Windmill gives it to a flow."""
    return {"message": str(error), "extra": vars(error)}


def answering_late(sandbox, text, count):
    """How a sandbox is to answer so many requests: the one about the text when all have
    arrived, and then the others."""
    judged, arrived, gone = sandbox.judged, [], []

    async def judge(kind, body, request):
        arrived.append(body)
        first = body["messages"][-1]["content"] == text
        while len(arrived) < count or not (first or gone):
            await asyncio.sleep(0.01)
        if not first:
            await asyncio.sleep(0.2)
            return await judged(kind, body, request)
        gone.append(text)
        return await judged(kind, body, request)

    return judge


@pytest.mark.parametrize("refused", [0, 3, 7])
@pytest.mark.parametrize("job", [True, False])
def test_answers_under_way_at_a_refusal_of_all_rows_are_kept(
    auth, fault_sandbox, monkeypatch, request, refused, job
):
    if job:
        request.getfixturevalue("workspace")
    fault_sandbox.respond = lambda number, text, times: (
        (402, {}) if text == str(refused) and times == 1 else None
    )
    with monkeypatch.context() as patch:
        late = answering_late(fault_sandbox, str(refused), 8)
        patch.setattr(fault_sandbox, "judged", late)
        with pytest.raises(TogetherError, match="402") as caught:
            ask(auth, numbered(8), concurrency=8)

    partial = caught.value.partial
    expected = [None if n == refused else f"{n}!" for n in range(8)]
    assert answers(partial) == expected
    assert (partial["done"], partial["failed"]) == (7, 1)
    assert partial["cost_usd"] == pytest.approx(7 * EACH)
    assert not job_unpaid(as_a_job(caught.value))
    if job:
        again = ask(auth, numbered(8), concurrency=8)
        assert answers(again) == [f"{n}!" for n in range(8)]
        assert asked_twice(fault_sandbox) == {str(refused)}
        assert again["cost_usd"] == pytest.approx(8 * EACH)
        assert again["usage"]["prompt_tokens"] == 80


def test_a_refusal_of_all_rows_with_nothing_answered_is_that_refusal(
    auth, fault_sandbox, workspace
):
    fault_sandbox.respond = lambda number, text, times: (401, {})
    with pytest.raises(TogetherError, match="401") as caught:
        ask(auth, numbered(50), concurrency=4, output="storage")

    assert caught.value.partial is None
    assert job_unpaid(as_a_job(caught.value))
    assert (workspace.resources, workspace.objects) == ({}, {})


BROKEN = [',{"id": oops}]', "", "] more"]


@pytest.mark.parametrize("end", BROKEN)
@pytest.mark.parametrize("job", [True, False])
def test_a_table_that_breaks_off_midway_gives_what_was_answered(
    auth, fault_sandbox, request, end, job
):
    if job:
        request.getfixturevalue("workspace")
    with pytest.raises(TogetherError, match="rows is not JSON") as caught:
        ask(auth, array(400, end), concurrency=4)

    error = caught.value
    assert "Nothing was sent" not in str(error)
    assert (error.type, error.problems) == ("broken_table", None)
    assert not job_unpaid(as_a_job(error))
    assert answers(error.partial) == [f"{n}!" for n in range(len(fault_sandbox.bodies))]
    assert error.partial["done"] >= 399
    assert error.partial["cost_usd"] == pytest.approx(error.partial["done"] * EACH)
    if job:
        again = ask(auth, array(401, "]"), concurrency=4)
        assert answers(again) == [f"{n}!" for n in range(401)]
        assert not asked_twice(fault_sandbox)
        assert again["cost_usd"] == pytest.approx(401 * EACH)


@pytest.mark.parametrize("concurrency", [1, 300])
def test_a_table_that_breaks_off_before_anything_was_sent_says_so(
    auth, fault_sandbox, concurrency
):
    count = 50 if concurrency == 1 else 200
    with pytest.raises(TogetherError, match="Nothing was sent") as caught:
        ask(auth, array(count, ""), concurrency=concurrency)

    assert caught.value.problems
    assert fault_sandbox.bodies == []


def test_rows_to_embed_that_break_off_midway_give_their_vectors(auth, fault_sandbox):
    with pytest.raises(TogetherError, match="breaks off") as caught:
        embed_rows(auth, MODEL, array(400, ""), column="id", concurrency=1)

    partial = caught.value.partial
    assert partial["done"] == len(partial["rows"]) == 384
    assert partial["usage"]["prompt_tokens"] == 384


def test_a_part_that_breaks_off_in_storage_is_stored(auth, workspace):
    with pytest.raises(TogetherError, match="breaks off") as caught:
        ask(auth, array(400, ""), concurrency=4, output="storage")

    stored = workspace.content(caught.value.partial["s3"])
    assert len(stored.splitlines()) == caught.value.partial["done"] == 400


def test_gzip_that_is_cut_off_midway_gives_what_was_answered(auth, workspace):
    rows = "\n".join(
        json.dumps({"id": n, "x": f"{n * 7919:x}" * 40}) for n in range(4000)
    )
    data = gzip.compress(rows.encode())
    workspace.put("rows.jsonl.gz", data[: len(data) // 2])
    with pytest.raises(TogetherError, match="cut off") as caught:
        ask(auth, {"s3": "rows.jsonl.gz"}, concurrency=4, output="storage")

    assert caught.value.type == "broken_table"
    assert caught.value.partial["done"] > 100


class _Breaking(BaseHTTPRequestHandler):
    """Sends the beginning of a table, and nothing once it is asked for the rest."""

    def do_GET(self):
        data = "".join(json.dumps({"id": n}) + "\n" for n in range(400)).encode()
        if self.headers.get("Range"):
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(2 * len(data)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        """Tests print nothing."""


@pytest.fixture
def broken_address():
    """The address of a table whose connection ends midway."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Breaking)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/rows.jsonl"
    server.shutdown()
    server.server_close()


def test_a_table_whose_download_breaks_off_midway_gives_what_was_answered(
    auth, fault_sandbox, broken_address, monkeypatch
):
    monkeypatch.setattr(retry, "FIRST_WAIT", 0.01)
    with pytest.raises(TogetherError, match="breaks off") as caught:
        ask(auth, broken_address, concurrency=4)

    assert caught.value.type == "broken_table"
    partial = caught.value.partial
    assert partial["done"] == len(fault_sandbox.bodies) >= 399
    assert partial["cost_usd"] == pytest.approx(partial["done"] * EACH)


@pytest.mark.parametrize("number", [0, 2])
def test_a_call_that_the_time_limit_cut_off_stays_on_the_bill_of_a_rerun(
    auth, fault_sandbox, workspace, number
):
    cut = str(number)
    fault_sandbox.respond = lambda number, text, times: (
        HANG if text == cut and times == 1 else None
    )
    limited = {"concurrency": 1, "stop_after_seconds": 3}
    if number:
        before = ask(auth, numbered(4), **limited)
    else:
        with pytest.raises(TogetherError) as caught:
            ask(auth, numbered(4), **limited)
        before = caught.value.partial
    assert (before["cost_usd"], "failed" in before["cost_note"]) == (None, True)

    after = ask(auth, numbered(4), concurrency=1)
    assert answers(after) == [f"{n}!" for n in range(4)]
    assert (after["cost_usd"], "failed" in after["cost_note"]) == (None, True)
    assert asked_twice(fault_sandbox) == {cut}
    assert (workspace.resources, workspace.objects) == ({}, {})


def test_what_was_set_aside_for_a_call_counts_for_the_budget_of_a_rerun(
    auth, fault_sandbox, workspace
):
    fault_sandbox.respond = lambda number, text, times: HANG if text == "2" else None
    settings = {"concurrency": 1, "stop_after_seconds": 2, "max_tokens": 2000}
    stopped = [
        ask(auth, numbered(4), budget_usd=0.0014, **settings)["stopped"]
        for _ in range(3)
    ]

    assert "time limit" in stopped[0]
    assert "budget_usd is used up" in stopped[-1]
    assert fault_sandbox.seen["2"] == 1


def test_answers_behind_a_row_that_hung_are_not_asked_for_again(
    auth, fault_sandbox, workspace
):
    """In none of the reruns that follow, each of which leaves the row again."""
    fault_sandbox.respond = lambda number, text, times: (
        HANG if text == "3" and times < 3 else None
    )
    for _ in range(2):
        result = ask(auth, numbered(30), concurrency=2, stop_after_seconds=3)
        assert result["done"] == 29
        assert result["rows"][3]["answer_error"].startswith("not sent")
    result = ask(auth, numbered(30), concurrency=2)

    assert answers(result) == [f"{n}!" for n in range(30)]
    assert asked_twice(fault_sandbox) == {"3"}
    assert result["usage"]["prompt_tokens"] == 300
    assert (workspace.resources, workspace.objects) == ({}, {})


def test_vectors_behind_a_request_that_hung_are_not_asked_for_again(
    auth, fault_sandbox, workspace
):
    rows = numbered(64 * 4)
    fault_sandbox.respond = lambda number, text, times: (
        HANG if "'70'" in text and times == 1 else None
    )
    settings = {"column": "id", "concurrency": 2}
    first = embed_rows(auth, MODEL, rows, stop_after_seconds=3, **settings)
    assert first["done"] == 64 * 3
    before = len(fault_sandbox.bodies)
    second = embed_rows(auth, MODEL, rows, **settings)

    texts = [t for body in fault_sandbox.bodies[before:] for t in body["input"]]
    assert sorted(map(int, texts)) == list(range(64, 128))
    assert second["done"] == 64 * 4
    found = [row["embedding"] for row in second["rows"]]
    assert [vector[0] for vector in found] == [len(str(n)) for n in range(64 * 4)]


def test_early_answers_are_kept_up_to_a_bound(
    auth, fault_sandbox, workspace, monkeypatch
):
    monkeypatch.setattr(checkpoint, "EARLY_BYTES", 100)  # of three rows
    fault_sandbox.respond = lambda number, text, times: (
        HANG if text == "0" and times == 1 else None
    )
    ask(auth, numbered(9), concurrency=2, stop_after_seconds=3)
    result = ask(auth, numbered(9), concurrency=2)

    assert result["done"] == 9
    assert asked_twice(fault_sandbox) == {"0", "4", "5", "6", "7", "8"}
    assert result["usage"]["prompt_tokens"] == 10 * (9 + 5)


def test_rows_to_rank_that_break_off_say_that_the_question_was_paid(
    auth, fault_sandbox
):
    rows = [{"text": str(n), "embedding": [1, 0]} for n in range(200)]
    table = {"text": json.dumps(rows)[:-9], "filename": "rows.json"}
    with pytest.raises(TogetherError, match="breaks off") as caught:
        rank_passages(auth, "why?", table, "m", top=3)

    assert len(fault_sandbox.bodies) == 1
    assert "Nothing was sent" not in str(caught.value)
    assert caught.value.partial["usage"]["prompt_tokens"] == 1
    assert not job_unpaid(as_a_job(caught.value))


def test_rows_of_another_model_say_that_the_question_was_paid(auth, fault_sandbox):
    with pytest.raises(TogetherError, match="of another model") as caught:
        rank_passages(auth, "why?", [{"text": "a", "embedding": [1, 0, 0]}], "m")

    assert len(fault_sandbox.bodies) == 1
    assert not job_unpaid(as_a_job(caught.value))


def test_a_search_that_is_refused_hands_over_what_was_under_way(
    auth, fault_sandbox, monkeypatch
):
    monkeypatch.setattr("scripts.rows.rerank_steps.RERANK_TEXTS", 2)
    judged = fault_sandbox.judged
    refused = []

    async def judge(kind, body, request):
        if body["documents"][0] == "number 0":
            while len(fault_sandbox.bodies) < 3:
                await asyncio.sleep(0.01)
            refused.append(body)
            fault_sandbox.respond = lambda number, text, times: (402, {})
            return await judged(kind, body, request)
        # Counted as it comes, answered once the first is refused.
        fault_sandbox.bodies.append(body)
        while not refused:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        fault_sandbox.respond = lambda number, text, times: None
        return await judged(kind, body, request)

    monkeypatch.setattr(fault_sandbox, "judged", judge)
    documents = [f"number {n}" for n in range(8)]
    with pytest.raises(TogetherError, match="402") as caught:
        search_documents(auth, MODEL, "q", documents, concurrency=4)

    partial = caught.value.partial
    assert [one["index"] for one in partial["results"]] == [7, 6, 5, 4, 3, 2]
    assert partial["usage"]["prompt_tokens"] == 6
    assert partial["cost_usd"] == pytest.approx(6 * 0.15 / 1e6)
    assert not job_unpaid(as_a_job(caught.value))


def test_a_search_that_is_refused_sends_nothing_more(auth, fault_sandbox, monkeypatch):
    """Neither what waits for another try, which may have been paid for."""
    monkeypatch.setattr("scripts.rows.rerank_steps.RERANK_TEXTS", 1)
    monkeypatch.setattr(retry, "FIRST_WAIT", 5.0)
    seen = []

    def respond(number, text, times):
        seen.append(text)
        return {"['0']": (504, {}), "['2']": (402, {})}.get(text)

    judged = fault_sandbox.judged

    async def judge(kind, body, request):
        while body["documents"] == ["2"] and len(seen) < 2:
            await asyncio.sleep(0.01)
        if body["documents"] == ["2"]:
            await asyncio.sleep(0.3)  # until the others have their answers
        return await judged(kind, body, request)

    fault_sandbox.respond = respond
    monkeypatch.setattr(fault_sandbox, "judged", judge)
    with pytest.raises(TogetherError, match="402") as caught:
        search_documents(auth, MODEL, "q", ["0", "1", "2"], concurrency=3)

    assert sorted(seen) == ["['0']", "['1']", "['2']"]
    partial = caught.value.partial
    assert [one["index"] for one in partial["results"]] == [1]
    assert partial["usage"]["prompt_tokens"] == 1
    assert (partial["cost_usd"], bool(partial["cost_note"])) == (None, True)


def test_a_part_of_a_table_keeps_what_was_answered_behind_a_row_that_hung(
    auth, fault_sandbox, workspace
):
    data = "".join(json.dumps(row) + "\n" for row in numbered(9)).encode()
    part = {"number": 1, "of": 1, "rows": 9, "head": 0, "start": 0, "line": 1}
    part |= {"end": len(data), "size": len(data), "csv": None, "kept": "state"}
    file = {"text": data.decode(), "filename": "rows.jsonl"}
    table = {"rows": file, "part": part}
    fault_sandbox.respond = lambda number, text, times: (
        HANG if text == "3" and times == 1 else None
    )
    first = ask(auth, table, concurrency=2, stop_after_seconds=3)
    assert (first["done"], first["unsent"], first["cost_usd"]) == (8, True, None)
    second = ask(auth, table, concurrency=2)

    assert (second["done"], second["unsent"], second["cost_usd"]) == (9, False, None)
    assert asked_twice(fault_sandbox) == {"3"}
    kept = [json.loads(line) for line in checkpoint.KeptPart(second["answers"]).lines()]
    assert answers({"rows": kept}) == [f"{n}!" for n in range(9)]
    checkpoint.forget([second["answers"]])
    assert workspace.resources == {}
