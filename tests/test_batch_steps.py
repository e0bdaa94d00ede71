"""Rows through a batch: one batch whatever happens, every row once, in order."""

import json
import random

import pytest

from scripts.batch_files import answers, batch_steps, input_files
from scripts.batches.collect_rows import main as collect_rows
from scripts.batches.create_batch import main as create_batch
from scripts.batches.get_batch import main as get_batch
from scripts.batches.submit_recordings import main as submit_recordings
from scripts.batches.submit_rows import main as submit_rows
from scripts.catalog.pricing import cost
from scripts.client import TogetherError
from scripts.resilience import retry
from scripts.upload import service_limits
from scripts.waits.cancel_job import main as cancel_job
from scripts.waits.poll_job import main as poll_job
from tests.support.byte_server import ByteServer, Thing
from tests.support.killable_worker import killed_anywhere
from tests.support.offered_models import offering
from tests.test_failures import REFUSALS
from tools.models import model
from tools.sandbox import Fault, Sandbox
from tools.sandbox.lifecycles import RefusalError

MODEL = model("chat")
ROWS = [{"id": n, "text": f"text {n}"} for n in range(12)]
TEMPLATE = "Say {{text}}"
SUBMIT = "batches.submit_rows"


@pytest.fixture(scope="module")
def _living():
    with Sandbox(pace=0) as server:
        server.lifecycles.control({"speed": 0})
        yield server


@pytest.fixture
def sandbox(_living):
    """A sandbox where batches live and models echo; they refuse a text that is bad."""
    sandbox = _living

    def echo(arguments):
        text = arguments["body"]["messages"][-1]["content"]
        if "bad" in text:
            raise RefusalError(400, "too bad")
        choice = {"index": 0, "message": {"role": "assistant", "content": f"{text}!"}}
        return {
            "model": arguments["body"]["model"],
            "choices": [{**choice, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
        }

    sandbox.answers["create_chat_completion"] = echo
    sandbox.lifecycles["batch"].lives.clear()
    sandbox.requests.clear()
    sandbox.files.clear()
    sandbox.uploads.forget()
    return sandbox


@pytest.fixture
def auth(sandbox):
    return {"api_key": "tgp_batch_0123456789abcdef", "base_url": sandbox.url}


def batches(sandbox):
    return list(sandbox.lifecycles["batch"].lives.values())


def uploads(sandbox):
    """The content of each input file, of those merely announced, too."""
    return [
        content
        for record, content in sandbox.files.values()
        if record["purpose"] == "batch-api"
    ]


def through(sandbox, auth, rows, given=None, model=MODEL, **more):
    """Submit rows, let their batch end, collect it."""
    made = submit_rows(auth, model, TEMPLATE, rows)
    sandbox.lifecycles.advance(3600)
    return collect_rows(auth, made["batch_id"], given, **more)


def test_rows_go_in_and_their_answers_come_out_in_order(sandbox, auth):
    made = submit_rows(
        auth, MODEL, TEMPLATE, ROWS, system="Be brief", temperature=0, max_tokens=9
    )
    lines = [json.loads(line) for line in uploads(sandbox)[0].splitlines()]

    assert made["rows"] == 12
    assert made["reattached"] is False
    assert lines[3]["body"] == {
        "model": MODEL,
        "messages": [
            {"role": "system", "content": "Be brief"},
            {"role": "user", "content": "Say text 3"},
        ],
        "temperature": 0,
        "max_tokens": 9,
    }
    assert all(len(line["custom_id"]) <= 64 for line in lines)
    sandbox.lifecycles.advance(3600)
    result = collect_rows(auth, made["batch_id"], ROWS)
    for row, out, line in zip(ROWS, result["rows"], lines, strict=True):
        answer = {"answer": f"Say {row['text']}!", "answer_error": None}
        assert out == {"custom_id": line["custom_id"], **row, **answer}
    assert (result["done"], result["failed"], result["status"]) == (12, 0, "COMPLETED")
    assert result["usage"]["prompt_tokens"] == 120


BLANK = [{"text": text} for text in ("", "a", "  ", None, "b", "\u00a0\t")]


def test_a_row_that_is_blank_is_not_asked_and_says_so(sandbox, auth):
    made = submit_rows(auth, MODEL, TEMPLATE, BLANK)
    assert (made["rows"], made["blank"]) == (6, 4)
    asked = [json.loads(line) for line in uploads(sandbox)[0].splitlines()]
    assert [line["body"]["messages"][0]["content"] for line in asked] == [
        "Say a",
        "Say b",
    ]
    sandbox.lifecycles.advance(3600)
    result = collect_rows(auth, made["batch_id"], BLANK)
    rows = result["rows"]
    assert [row["text"] for row in rows] == [row["text"] for row in BLANK]
    assert [row["answer"] for row in rows] == [
        None,
        "Say a!",
        None,
        None,
        "Say b!",
        None,
    ]
    assert "blank in all columns of the template" in rows[0]["answer_error"]
    assert (result["done"], result["failed"]) == (2, 4)


def test_blank_rows_between_batches_belong_to_one_of_them(sandbox, auth, monkeypatch):
    """Rows in are rows out, in whichever file they are missing."""
    monkeypatch.setattr(service_limits, "BATCH_LINES", 2)
    rows = [
        {"text": t, "n": n} for n, t in enumerate(["a", "b", "", "c", "d", "e", ""])
    ]
    made = submit_rows(auth, MODEL, TEMPLATE, rows)
    spans = [(one["first_row"], one["rows"]) for one in made["batches"]]
    assert spans == [(0, 3), (3, 2), (5, 2)]
    assert (made["rows"], made["blank"]) == (7, 2)
    sandbox.lifecycles.advance(3600)
    result = collect_rows(auth, made["batch_id"], rows)
    assert [row["n"] for row in result["rows"]] == list(range(7))
    assert [row["answer"] for row in result["rows"]] == [
        f"Say {t}!" if t else None for t in ["a", "b", "", "c", "d", "e", ""]
    ]
    assert "outside" not in result


def test_a_table_that_is_blank_makes_no_batch(sandbox, auth):
    with pytest.raises(TogetherError, match=r"nothing to ask about.*blank in 'text'"):
        submit_rows(auth, MODEL, TEMPLATE, [{"text": ""}, {"text": " "}])
    assert not sandbox.requests


def test_a_line_is_what_json_makes_of_it(sandbox, auth):
    """So that a step finds the batch that an earlier version of it made."""
    rows = [{"text": 'Ü"\\\n\u2028{{text}}'}, {"text": "0"}]
    submit_rows(auth, MODEL, TEMPLATE, rows, system='Say "a"', max_tokens=9)

    expected = b""
    for number, row in enumerate(rows):
        asked = {"role": "user", "content": f"Say {row['text']}"}
        messages = [{"role": "system", "content": 'Say "a"'}, asked]
        body = {"model": MODEL, "messages": messages, "max_tokens": 9}
        name = input_files.custom_id(number, row)
        line = json.dumps({"custom_id": name, "body": body}, ensure_ascii=False)
        expected += line.encode() + b"\n"
    assert uploads(sandbox) == [expected]


@pytest.mark.parametrize(("name", "share"), [("chat_other", 0.5), ("chat", 1)])
def test_a_batch_costs_what_its_model_costs_in_batches(sandbox, auth, name, share):
    result = through(sandbox, auth, ROWS, model=model(name))

    full, _ = cost(auth, model(name), result["usage"])
    assert result["cost_usd"] == pytest.approx(full * share)


def test_without_the_rows_the_input_file_tells_the_order(sandbox, auth):
    result = through(sandbox, auth, ROWS, answer_column="said")

    assert [row["said"] for row in result["rows"]] == [
        f"Say text {n}!" for n in range(12)
    ]
    places = [row["custom_id"].partition("-")[0] for row in result["rows"]]
    assert places == [str(n) for n in range(12)]


def test_when_the_input_file_is_gone_what_was_answered_is_still_brought(sandbox, auth):
    made = submit_rows(auth, MODEL, TEMPLATE, ROWS)
    sandbox.lifecycles.advance(3600)
    collect_rows(auth, made["batch_id"])
    del sandbox.files[made["input_file_id"]]
    result = collect_rows(auth, made["batch_id"])

    assert [row["answer"] for row in result["rows"]] == [
        f"Say text {n}!" for n in range(12)
    ]


def test_a_row_that_the_service_refused_has_its_words(sandbox, auth):
    rows = [*ROWS[:3], {"text": "bad"}, *ROWS[3:]]
    result = through(sandbox, auth, rows, rows)

    assert result["rows"][3]["answer"] is None
    assert "too bad" in result["rows"][3]["answer_error"]
    assert (result["done"], result["failed"]) == (12, 1)


def answered_with(sandbox, auth, *odd, before=b"", key="{key}"):
    """Collect a batch of two rows; the lines are what its file says of the first, with
    the API key as `key` spells it."""
    made = submit_rows(auth, MODEL, TEMPLATE, ROWS[:2])
    sandbox.lifecycles.advance(3600)
    output = get_batch(auth, made["batch_id"])["output_file_id"]
    record, content = sandbox.files[output]
    found = sorted(map(json.loads, content.splitlines()), key=lambda o: o["custom_id"])
    first, second = found
    lines = [*({**first, **members} for members in odd), second]
    text = "\n".join(json.dumps(line) for line in lines)
    text = text.replace("{key}", key)
    sandbox.files[output] = record, before + text.encode()
    result = collect_rows(auth, made["batch_id"], ROWS[:2])
    assert result["rows"][1]["answer"] == "Say text 1!"
    return result["rows"][0]["answer"], result["rows"][0]["answer_error"]


BODY = {"choices": [{"message": {"content": "good"}}]}
OK = {"status_code": 200, "body": BODY}
NO_ERROR = {"code": None, "message": ""}
REFUSED = {"response": {"status_code": 500, "body": {"error": {"message": "later"}}}}


@pytest.mark.parametrize(
    ("lines", "answer", "why"),
    [
        ([{"response": {"status_code": None, "body": BODY}}], "good", None),
        ([{"response": {"status_code": "200", "body": BODY}}], "good", None),
        ([{"response": {"body": json.dumps(BODY)}}], "good", None),
        ([REFUSED, {"response": {"body": BODY}}], "good", None),
        ([{"response": {"body": BODY}}, REFUSED], "good", None),
        ([REFUSED], None, "500 later"),
        ([{"response": "boom"}], None, "boom"),
        ([{"response": None}], None, "the answer is empty"),
        (
            [{"response": {"status_code": 400, "body": '{"error": "no"}'}}],
            None,
            "400 no",
        ),
        ([{"error": [{"msg": "no"}], "response": None}], None, "no"),
        # Some servers have `error` in every line, and in every answer.
        ([{"error": NO_ERROR, "response": {"body": BODY}}], "good", None),
        ([{"error": NO_ERROR, "response": OK}], "good", None),
        ([{"response": {**OK, "body": {**BODY, "error": NO_ERROR}}}], "good", None),
        ([{"response": {"body": {**BODY, "error": NO_ERROR}}}], "good", None),
        ([{"error": NO_ERROR, **REFUSED}], None, "500 later"),
        ([{"error": NO_ERROR, "response": None}], None, "the answer is empty"),
        ([{"error": {**NO_ERROR, "code": 7}, "response": OK}], None, "7"),
    ],
)
def test_an_odd_line_is_read_as_it_is_meant_and_loses_no_other(
    sandbox, auth, lines, answer, why
):
    assert answered_with(sandbox, auth, *lines) == (answer, why)


def test_a_mark_before_the_first_line_loses_nothing(sandbox, auth):
    line = {"response": {"body": BODY}}

    assert answered_with(sandbox, auth, line, before=b"\xef\xbb\xbf")[0] == "good"


@pytest.mark.parametrize("room", [0, 300, 1 << 20])
def test_lines_in_any_order_give_their_rows_wherever_they_are_kept(
    sandbox, auth, monkeypatch, room
):
    monkeypatch.setattr(answers, "IN_MEMORY", room)
    made = submit_rows(auth, MODEL, TEMPLATE, ROWS)
    sandbox.lifecycles.advance(3600)
    output = get_batch(auth, made["batch_id"])["output_file_id"]
    record, content = sandbox.files[output]
    lines = content.splitlines(keepends=True)
    random.Random(5).shuffle(lines)
    lost = json.loads(lines.pop())["custom_id"]
    seconds = [{**json.loads(line), "response": {"body": BODY}} for line in lines[:4]]
    lines += [json.dumps(one).encode() + b"\n" for one in seconds]
    sandbox.files[output] = record, b"".join(lines)
    result = collect_rows(auth, made["batch_id"], ROWS)

    assert [row["id"] for row in result["rows"]] == list(range(12))
    for row in result["rows"]:
        if row["custom_id"] == lost:
            assert row["answer"] is None
            assert "without an answer to this row" in row["answer_error"]
        else:
            assert row["answer"] == f"Say text {row['id']}!"
    assert (result["done"], result["failed"]) == (11, 1)
    assert result["usage"]["prompt_tokens"] == 110


@pytest.mark.parametrize("escaped", [False, True])
def test_the_key_is_in_no_answer_of_a_batch(sandbox, auth, escaped):
    key = auth["api_key"]
    spelled = f"\\u{ord(key[0]):04x}{key[1:]}" if escaped else key
    line = {"response": {"body": {"choices": [{"message": {"content": "<{key}>"}}]}}}

    assert answered_with(sandbox, auth, line, key=spelled) == ("<***>", None)


def test_lines_that_name_no_row_are_counted(sandbox, auth):
    _, why = answered_with(sandbox, auth, before=b"<html>\nGateway\n")

    assert why == (
        "the batch completed without an answer to this row; 2 lines of its files name "
        "no row"
    )


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("FAILED", "the batch failed before it answered this row: no credit"),
        ("CANCELLED", "the batch was cancelled before it answered this row"),
    ],
)
def test_a_batch_that_ended_badly_reports_every_row(sandbox, auth, state, words):
    sandbox.lifecycles.fail_next("batch", "no credit", state)
    with pytest.raises(TogetherError, match=f"None of the 12 .* Row 1: {words}") as one:
        through(sandbox, auth, ROWS, ROWS)
    with pytest.raises(TogetherError) as other:
        collect_rows(auth, batches(sandbox)[0].id)

    result = one.value.partial
    assert result["status"] == state
    assert result["failed"] == len(result["rows"]) == 12
    told = [row["answer_error"] for row in result["rows"]]
    assert all(why.startswith(words) for why in told)
    assert result["cost_usd"] is None
    assert told == [row["answer_error"] for row in other.value.partial["rows"]]


def test_a_batch_that_expired_gives_what_it_has(sandbox, auth):
    sandbox.lifecycles.fail_next("batch", "", "EXPIRED", after=660)
    result = through(sandbox, auth, ROWS, ROWS)

    assert result["status"] == "EXPIRED"
    assert 0 < result["done"] < 12
    assert result["done"] + result["failed"] == 12
    for row in result["rows"]:
        assert (row["answer"] is None) is ("expired" in (row["answer_error"] or ""))
    assert result["cost_usd"] > 0


def test_a_batch_that_is_not_over_says_how_far_it_is(sandbox, auth):
    made = submit_rows(auth, MODEL, TEMPLATE, ROWS)
    with pytest.raises(TogetherError, match="VALIDATING, 0 % done") as caught:
        collect_rows(auth, made["batch_id"])

    assert caught.value.state == "VALIDATING"


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (ROWS[:5], "more rows than the 5 given"),
        ([*ROWS[:5], {"text": "other"}, *ROWS[6:]], r"rows\[5\] is not what"),
        ('{"id": 0, "text": "text 0"}\nnonsense', r"rows\[1\] is not what"),
    ],
)
def test_other_rows_than_those_submitted_are_refused(sandbox, auth, rows, words):
    with pytest.raises(TogetherError, match=words):
        through(sandbox, auth, ROWS, rows)


def foreign(sandbox, auth, *names):
    """A batch that no step of the pack made; its id, and that of its input file."""
    lines = []
    for name in names:
        body = {"model": MODEL, "messages": [{"role": "user", "content": name}]}
        lines.append({"custom_id": name, "body": body})
    text = "".join(json.dumps(line) + "\n" for line in lines)
    file = sandbox.store_file("mine.jsonl", text.encode(), "batch-api")
    body = {"input_file_id": file["id"], "endpoint": batch_steps.ENDPOINT}
    batch = create_batch(auth, body)["job"]["id"]
    sandbox.lifecycles.advance(3600)
    get_batch(auth, batch)
    return batch, file["id"]


@pytest.mark.parametrize(
    "names",
    [
        ("2024-01-05-a", "2024-01-06-b", "1-a"),
        ("1", "1-0123456789abcdef", "x"),
        ("9" * 64, "\u0661-a", "0-b"),
    ],
)
def test_answers_whose_ids_begin_alike_are_all_brought(sandbox, auth, names):
    """Their input file is gone: the answers alone tell what was asked."""
    batch, file = foreign(sandbox, auth, *names)
    result = collect_rows(auth, batch)
    del sandbox.files[file]
    without = collect_rows(auth, batch)

    assert [row["custom_id"] for row in result["rows"]] == [*names]
    assert sorted(row["custom_id"] for row in without["rows"]) == sorted(names)
    assert {row["answer"] for row in without["rows"]} == {f"{n}!" for n in names}
    with pytest.raises(TogetherError, match="another step made it"):
        collect_rows(auth, batch, [{"text": "a"}])


def test_two_answers_for_one_row_belong_to_no_rows(sandbox, auth):
    batch, _ = foreign(sandbox, auth, f"0-{'1' * 16}", f"0-{'2' * 16}")

    with pytest.raises(TogetherError, match="two rows 0"):
        collect_rows(auth, batch, [{"text": "a"}, {"text": "b"}])


def test_a_batch_that_somebody_else_made_is_collected_too(sandbox, auth):
    batch, _ = foreign(sandbox, auth, "b", "a", "c")
    result = collect_rows(auth, batch)

    assert [row["answer"] for row in result["rows"]] == ["b!", "a!", "c!"]
    with pytest.raises(TogetherError, match="another step made it"):
        collect_rows(auth, batch, [{"text": "a"}])


def test_the_answers_can_be_a_bare_table(sandbox, auth):
    rows = through(sandbox, auth, ROWS, ROWS, output="table")

    assert [row["answer"] for row in rows] == [f"Say text {n}!" for n in range(12)]


def test_more_failures_than_are_borne_turn_the_collection_red(sandbox, auth):
    rows = [*ROWS, {"text": "bad"}]
    with pytest.raises(TogetherError, match="1 of 13 rows failed") as caught:
        through(sandbox, auth, rows, rows, fail_when_failed_share=0.05)

    assert caught.value.partial["done"] == 12


@pytest.mark.parametrize("place", [0, 149])
def test_answers_overwrite_no_column_and_nothing_is_sent(sandbox, auth, place):
    rows = [{"text": f"text {n}"} for n in range(150)]
    rows[place]["answer"] = "mine"
    with pytest.raises(TogetherError, match=r"Answer column \(answer_column\)"):
        submit_rows(auth, MODEL, TEMPLATE, rows, answer_column="answer")
    assert not sandbox.requests

    made = submit_rows(auth, MODEL, TEMPLATE, rows)
    sandbox.lifecycles.advance(3600)
    for column in ("answer", "custom_id"):
        with pytest.raises(TogetherError, match=r"Answer column \(answer_column\)"):
            collect_rows(auth, made["batch_id"], rows, answer_column=column)
    found = collect_rows(auth, made["batch_id"], rows, answer_column="said")["rows"]
    assert (found[place]["answer"], found[place]["said"]) == (
        "mine",
        f"Say text {place}!",
    )


def test_the_answers_can_go_to_storage(sandbox, auth, workspace):
    result = through(sandbox, auth, ROWS, ROWS, output="storage")
    lines = workspace.content(result["s3"]).decode().splitlines()

    assert [json.loads(line)["id"] for line in lines] == list(range(12))
    assert "rows" not in result


def test_the_same_input_makes_one_batch_and_another_word_a_second(sandbox, auth):
    first = submit_rows(auth, MODEL, TEMPLATE, ROWS)
    again = submit_rows(auth, MODEL, TEMPLATE, ROWS)

    assert again == {**first, "reattached": True}
    other = submit_rows(auth, MODEL, TEMPLATE, ROWS, again="2026-11-24")
    assert other["batch_id"] != first["batch_id"]
    assert other == {
        **submit_rows(auth, MODEL, TEMPLATE, ROWS, again="2026-11-24"),
        "reattached": False,
    }
    assert len(batches(sandbox)) == len(uploads(sandbox)) == 2
    sandbox.lifecycles.advance(3600)
    assert collect_rows(auth, other["batch_id"], ROWS)["done"] == 12


def test_a_batch_that_failed_is_made_anew_from_the_same_file(sandbox, auth, workspace):
    sandbox.lifecycles.fail_next("batch", "no credit")
    first = submit_rows(auth, MODEL, TEMPLATE, ROWS)
    sandbox.lifecycles.advance(3600)
    second = submit_rows(auth, MODEL, TEMPLATE, ROWS)

    assert second["batch_id"] != first["batch_id"]
    assert second["reattached"] is False
    assert second["input_file_id"] == first["input_file_id"]


def test_rows_that_cannot_be_asked_are_named_before_anything_is_sent(sandbox, auth):
    rows = "\n".join([*map(json.dumps, ROWS), "nonsense", '{"id": 1}'])
    with pytest.raises(
        TogetherError, match=r"rows\[12\] line 13 is not JSON"
    ) as caught:
        submit_rows(auth, MODEL, TEMPLATE, rows)

    assert [p["field"] for p in caught.value.problems] == ["rows[12]", "rows[13]"]
    assert sandbox.requests == []


def limited(monkeypatch, rows=5, size=10**9):
    monkeypatch.setattr(service_limits, "BATCH_LINES", rows)
    monkeypatch.setattr(service_limits, "FILLED_BYTES", size)


def several(sandbox, auth, **more):
    """Submit the twelve rows as three batches and let them end."""
    made = submit_rows(auth, MODEL, TEMPLATE, ROWS, **more)
    sandbox.lifecycles.advance(3600)
    return made


@pytest.mark.parametrize(("rows", "size"), [(5, 10**9), (10**9, 1000)])
@pytest.mark.parametrize("given", [None, ROWS])
def test_a_table_too_large_for_a_batch_makes_several(
    sandbox, auth, monkeypatch, rows, size, given
):
    limited(monkeypatch, rows, size)
    made = several(sandbox, auth)

    ids = made["batch_id"].split(",")
    assert len(ids) == len(batches(sandbox)) == len(made["batches"]) > 1
    assert made["rows"] == 12
    assert all(len(content) <= size for content in uploads(sandbox))
    assert all(len(content.splitlines()) <= rows for content in uploads(sandbox))
    firsts = [one["first_row"] for one in made["batches"]]
    counts = [one["rows"] for one in made["batches"]]
    assert firsts == [sum(counts[:n]) for n in range(len(ids))]
    assert several(sandbox, auth) == {
        **made,
        "reattached": True,
        "batches": [{**one, "reattached": True} for one in made["batches"]],
    }

    result = collect_rows(auth, made["batch_id"], given)
    assert [row["answer"] for row in result["rows"]] == [
        f"Say text {n}!" for n in range(12)
    ]
    assert (result["done"], result["status"]) == (12, "COMPLETED")
    assert result["usage"]["prompt_tokens"] == 120
    assert [one["first_row"] for one in result["batches"]] == firsts
    assert [one["done"] for one in result["batches"]] == [
        one["rows"] for one in made["batches"]
    ]
    assert "lost" not in result
    # In another order, too.
    shuffled = ",".join(ids[::-1])
    if given:
        assert collect_rows(auth, shuffled, given)["rows"] == result["rows"]


def test_a_row_too_large_for_a_batch_is_named(sandbox, auth, monkeypatch):
    limited(monkeypatch, size=300)
    rows = [*ROWS, {"id": 12, "text": "a" * 300}]

    with pytest.raises(TogetherError, match=r"rows\[12\] is longer than the 300 bytes"):
        submit_rows(auth, MODEL, TEMPLATE, rows)

    assert not sandbox.requests


@pytest.mark.parametrize("state", ["FAILED", "EXPIRED"])
@pytest.mark.parametrize("which", [0, 1, 2])
def test_what_one_batch_lost_is_told_and_made_anew_alone(
    sandbox, auth, monkeypatch, which, state
):
    limited(monkeypatch)
    made = submit_rows(auth, MODEL, TEMPLATE, ROWS)
    ids = made["batch_id"].split(",")
    sandbox.lifecycles.fail(ids[which], "no credit", state)
    sandbox.lifecycles.advance(3600)
    result = collect_rows(auth, made["batch_id"], ROWS)

    first, rows = 5 * which, min(5, 12 - 5 * which)
    assert [row["id"] for row in result["rows"]] == list(range(12))
    failed = [row["id"] for row in result["rows"] if row["answer"] is None]
    assert failed == list(range(first, first + rows))
    assert (result["failed"], result["status"]) == (rows, state)
    (lost,) = result["lost"]
    assert f"{rows} of the {rows} rows from row {first} on: the batch" in lost
    assert lost[:30] in result["markdown"]

    again = submit_rows(auth, MODEL, TEMPLATE, ROWS)
    assert again["reattached"] is False
    fresh = [one["batch_id"] for one in again["batches"] if not one["reattached"]]
    assert len(fresh) == 1
    assert [n for n, one in enumerate(again["batches"]) if not one["reattached"]] == [
        which
    ]
    assert len(batches(sandbox)) == 4
    sandbox.lifecycles.advance(3600)
    assert collect_rows(auth, again["batch_id"], ROWS)["done"] == 12


def test_some_of_several_batches_are_collected_alone(sandbox, auth, monkeypatch):
    limited(monkeypatch)
    ids = several(sandbox, auth)["batch_id"].split(",")
    middle = collect_rows(auth, ids[1], ROWS)

    assert [row["id"] for row in middle["rows"]] == [5, 6, 7, 8, 9]
    assert middle["done"] == 5
    assert middle["outside"] == 2
    others = collect_rows(auth, f"{ids[0]}, {ids[2]}", ROWS)
    assert [row["id"] for row in others["rows"]] == [0, 1, 2, 3, 4, 10, 11]


def test_without_their_input_files_the_answers_tell_which_rows_they_are_of(
    sandbox, auth, monkeypatch
):
    limited(monkeypatch)
    made = several(sandbox, auth)
    collect_rows(auth, made["batch_id"])
    for name in made["input_file_id"].split(","):
        del sandbox.files[name]

    for given in (None, ROWS):
        found = collect_rows(auth, made["batch_id"], given)["rows"]
        assert [row["answer"] for row in found] == [f"Say text {n}!" for n in range(12)]


def test_several_batches_are_awaited_and_cancelled_as_one(sandbox, auth, monkeypatch):
    limited(monkeypatch)
    made = submit_rows(auth, MODEL, TEMPLATE, ROWS)
    ids = made["batch_id"].split(",")
    looked = poll_job(auth, kind="batch", job_id=made["batch_id"])
    assert (looked["done"], looked["state"]) == (False, "VALIDATING")
    sandbox.lifecycles.fail(ids[0], "no credit", "FAILED")
    looked = poll_job(auth, kind="batch", job_id=made["batch_id"])
    assert looked["done"] is False
    assert looked["progress"] == pytest.approx(1 / 3, abs=0.01)

    with pytest.raises(TogetherError, match="1 of 3 batches are over") as caught:
        collect_rows(auth, made["batch_id"])
    assert caught.value.type == "not_finished"

    stopped = cancel_job(auth, kind="batch", job_id=made["batch_id"])
    assert (stopped["cancelled"], stopped["state"]) == (True, "CANCELLED")
    assert [sandbox.lifecycles.state(one) for one in ids] == [
        "FAILED",
        "CANCELLED",
        "CANCELLED",
    ]
    with pytest.raises(TogetherError, match="ended in state FAILED: no credit"):
        poll_job(auth, kind="batch", job_id=made["batch_id"])


def test_several_batches_of_which_one_is_good_can_be_collected(
    sandbox, auth, monkeypatch
):
    limited(monkeypatch)
    made = submit_rows(auth, MODEL, TEMPLATE, ROWS)
    ids = made["batch_id"].split(",")
    for one in ids[:2]:
        sandbox.lifecycles.fail(one, "no credit", "FAILED")
    sandbox.lifecycles.advance(3600)

    looked = poll_job(auth, kind="batch", job_id=made["batch_id"])
    assert (looked["done"], looked["state"]) == (True, "COMPLETED")
    assert [one["status"] for one in looked["job"]["batches"]] == [
        "FAILED",
        "FAILED",
        "COMPLETED",
    ]


def test_a_budget_holds_for_the_sum_of_several_batches(sandbox, auth, monkeypatch):
    limited(monkeypatch)
    alone = submit_rows(auth, MODEL, TEMPLATE, ROWS[:5], max_tokens=9, again="x")
    (one,) = batches(sandbox)
    budget = 2 * alone["estimated_cost_usd"]  # of two thirds of the rows

    with pytest.raises(TogetherError, match="all 3 batches may cost"):
        submit_rows(auth, MODEL, TEMPLATE, ROWS, max_tokens=9, budget_usd=budget)

    assert batches(sandbox) == [one]
    made = submit_rows(auth, MODEL, TEMPLATE, ROWS, max_tokens=9, budget_usd=1)
    assert made["estimated_cost_usd"] > budget


def accept_one(sandbox, monkeypatch):
    """Let the service accept one batch and no more."""
    kind = sandbox.lifecycles["batch"]
    accept = kind.accept

    def one_only(arguments):
        if kind.lives:
            raise RefusalError(400, "too many batches")
        accept(arguments)

    monkeypatch.setattr(kind, "accept", one_only)


def test_batches_that_exist_when_another_is_refused_are_named(
    sandbox, auth, monkeypatch
):
    limited(monkeypatch)
    with monkeypatch.context() as patch:
        accept_one(sandbox, patch)
        with pytest.raises(TogetherError, match="too many batches") as caught:
            submit_rows(auth, MODEL, TEMPLATE, ROWS)

    (one,) = batches(sandbox)
    assert (caught.value.kind, caught.value.job_id) == ("batch", one.id)
    assert "1 of 3 batches exist" in caught.value.advice
    made = submit_rows(auth, MODEL, TEMPLATE, ROWS)
    assert made["batch_id"].split(",")[0] == one.id
    assert len(batches(sandbox)) == 3


@pytest.mark.slow
def test_a_run_killed_at_any_request_leaves_each_of_several_batches_once(
    sandbox, auth, workspace, worker
):
    arguments = {"auth": auth, "model": MODEL, "template": TEMPLATE, "rows": ROWS}
    batches_now = sandbox.lifecycles["batch"].lives
    small = {"upload.service_limits.BATCH_LINES": 6}

    def begin():
        sandbox.files.clear()
        sandbox.uploads.forget()
        batches_now.clear()
        workspace.configure()

    killed = 0
    servers = [sandbox, workspace]
    for died, result in killed_anywhere(
        worker,
        servers,
        SUBMIT,
        arguments,
        workspace.environment,
        begin,
        sandbox.uploads,
        constants=small,
    ):
        killed += died
        assert sorted(batches_now) == sorted(result["batch_id"].split(","))
        assert len(batches_now) == len(uploads(sandbox)) == 2
    assert killed >= 2 * 15


def test_a_budget_needs_a_bound_and_a_price_and_holds(sandbox, auth):
    def refused(**arguments):
        with pytest.raises(TogetherError, match="budget_usd") as caught:
            submit_rows(auth, rows=ROWS, template=TEMPLATE, **arguments)
        assert batches(sandbox) == []
        return str(caught.value)

    assert "max_tokens" in refused(model=MODEL, budget_usd=1)
    assert "nobody/knows" in refused(model="nobody/knows", max_tokens=9, budget_usd=1)
    assert "may cost" in refused(model=MODEL, max_tokens=99999, budget_usd=0.0001)
    made = submit_rows(auth, MODEL, TEMPLATE, ROWS, max_tokens=9, budget_usd=1)
    assert 0 < made["estimated_cost_usd"] < 1
    # What runs already is paid for, whatever is allowed now.
    tight = submit_rows(auth, MODEL, TEMPLATE, ROWS, max_tokens=9, budget_usd=1e-9)
    assert tight == {**made, "reattached": True}
    unbounded = submit_rows(auth, MODEL, TEMPLATE, ROWS, again="x")
    assert unbounded["estimated_cost_usd"] is None
    assert "max_tokens" in unbounded["cost_note"]


@pytest.mark.slow
@pytest.mark.parametrize("in_job", [True, False], ids=["job", "alone"])
def test_a_run_killed_at_any_request_leaves_one_batch_to_the_next(
    sandbox, auth, workspace, worker, in_job
):
    arguments = {"auth": auth, "model": MODEL, "template": TEMPLATE, "rows": ROWS}
    environment = (
        workspace.environment if in_job else dict.fromkeys(workspace.environment, "")
    )
    batches_now = sandbox.lifecycles["batch"].lives

    def begin():
        sandbox.files.clear()
        sandbox.uploads.forget()
        batches_now.clear()
        workspace.configure()

    servers = [sandbox, workspace]
    killed = 0
    for died, result in killed_anywhere(
        worker, servers, SUBMIT, arguments, environment, begin, sandbox.uploads
    ):
        killed += died
        assert list(batches_now) == [result["batch_id"]]
        assert len(uploads(sandbox)) == 1
        assert batches_now[result["batch_id"]].given["body"]["input_file_id"] in (
            sandbox.files
        )
    assert killed >= 2 * (9 if in_job else 5)
    assert worker.run(SUBMIT, arguments, environment)["reattached"] is True


@pytest.mark.parametrize(("status", "body", "code", "words"), REFUSALS)
def test_a_row_that_a_batch_was_refused_says_what_to_do(status, body, code, words):
    for line in (
        {"response": {"status_code": status, "body": body}},
        {"response": {"status_code": status, "body": json.dumps(body)}},
        {"error": body.get("error", body)},
    ):
        answer, why = answers.outcome_of({"custom_id": "0", **line})

        assert answer is None
        assert words in why


def test_a_row_refused_for_another_reason_gets_no_advice():
    body = {"error": {"message": "too bad"}}
    line = {"response": {"status_code": 402, "body": body}}

    assert answers.outcome_of(line) == (None, "402 too bad")


@pytest.mark.parametrize(("status", "body", "code", "words"), REFUSALS)
def test_a_batch_that_is_refused_says_so_where_it_is_made_and_where_it_is_awaited(
    status, body, code, words, sandbox, auth
):
    sandbox.faults.append(Fault("^/v1/batches$", status, body=body))
    with pytest.raises(TogetherError) as caught:
        submit_rows(auth, MODEL, TEMPLATE, ROWS[:2])
    sandbox.faults.clear()

    assert (caught.value.final, caught.value.code) == (True, code)
    assert not caught.value.ambiguous

    made = submit_rows(auth, MODEL, TEMPLATE, ROWS[:2])
    sandbox.lifecycles.fail(made["batch_id"], json.dumps(body))
    with pytest.raises(TogetherError) as caught:
        poll_job(auth, kind="batch", job_id=made["batch_id"])

    assert (caught.value.final, caught.value.code) == (True, code)
    assert words in caught.value.advice
    with pytest.raises(TogetherError, match=words):
        collect_rows(auth, made["batch_id"])


@pytest.mark.slow
def test_five_times_the_rows_take_no_more_memory(sandbox, auth, workspace, worker):
    small = {"upload.service_limits.BATCH_LINES": 2500}
    peaks = []
    for rows in (5_000, 25_000):
        table = {"s3": f"in/{rows}.jsonl"}
        lines = (b'{"text": "%d %s"}\n' % (n, b"a" * 400) for n in range(rows))
        workspace.put(table["s3"], b"".join(lines))
        given = {"auth": auth, "model": MODEL, "template": TEMPLATE, "rows": table}
        made = worker.run(SUBMIT, given, workspace.environment, small)
        own = [worker.peak]
        assert len(made["batches"]) == rows / 2500
        sandbox.lifecycles.advance(90_000)
        given = {"auth": auth, "batch_id": made["batch_id"], "rows": table}
        given["output"] = "storage"
        found = worker.run("batches.collect_rows", given, workspace.environment)
        assert found["done"] == rows
        peaks.append([*own, worker.peak])

    # Held whole, the 20,000 rows more would be 8 MiB of text alone, and far more as
    # objects. What the allocator keeps differs by up to 5 MiB from run to run.
    for less, more in zip(*peaks, strict=True):
        assert more - less < 10 << 10


CALLS = [{"id": n, "sound": f"https://www.example.com/{n}.mp3"} for n in range(3)]


def test_recordings_are_written_down_in_a_batch(sandbox, auth):
    sandbox.answers["create_transcription"] = lambda arguments: {
        "text": f"heard {arguments['body']['file'][-5]}",
        "duration": 60.0,
    }
    given = {"column": "sound", "model": model("transcription"), "language": "auto"}

    made = submit_recordings(auth, CALLS, prompt="Ada", **given)
    again = submit_recordings(auth, CALLS, prompt="Ada", **given)

    assert again == {**made, "reattached": True}
    assert made["estimated_cost_usd"] is None
    (life,) = batches(sandbox)
    assert life.given["body"]["endpoint"] == "/v1/audio/transcriptions"
    assert json.loads(uploads(sandbox)[0].splitlines()[1])["body"] == {
        "model": model("transcription"),
        "file": CALLS[1]["sound"],
        "response_format": "verbose_json",
        "language": "auto",
        "prompt": "Ada",
    }
    sandbox.lifecycles.advance(3600)
    result = collect_rows(auth, made["batch_id"], CALLS, answer_column="said")
    assert [row["said"] for row in result["rows"]] == ["heard 0", "heard 1", "heard 2"]
    assert result["usage"] == {"seconds": 180.0}
    full, _ = cost(auth, model("transcription"), {"seconds": 180.0})
    assert result["cost_usd"] == pytest.approx(full / 2)


def test_addresses_alone_do_as_recordings_and_a_model_is_found(sandbox, auth):
    made = submit_recordings(auth, [call["sound"] for call in CALLS])

    sandbox.lifecycles.advance(3600)
    assert collect_rows(auth, made["batch_id"])["done"] == 3


def models_of(sandbox):
    """The model of each input file."""
    lines = (content.splitlines()[0] for content in uploads(sandbox))
    return [json.loads(line)["body"]["model"] for line in lines]


@pytest.mark.parametrize(
    ("in_job", "offered"),
    [
        (True, ["a/old", "a/newer"]),
        (True, ["a/newer"]),
        (True, []),
        (False, ["a/old", "a/newer"]),
        (False, ["a/newer"]),
    ],
)
def test_recordings_make_one_batch_whichever_model_is_recommended_by_then(
    sandbox, request, in_job, offered
):
    if in_job:
        request.getfixturevalue("workspace")
    with offering(sandbox, "a/old", kind="transcribe") as auth:
        first = submit_recordings(auth, CALLS, column="sound")
    with offering(sandbox, *offered, kind="transcribe") as auth:
        again = submit_recordings(auth, CALLS, column="sound", model=None)

    assert again == {**first, "reattached": True}
    assert models_of(sandbox) == ["a/old"]
    with offering(sandbox, "a/old", "a/newer", kind="transcribe") as auth:
        other = submit_recordings(auth, CALLS, column="sound", again="2")
    assert not other["reattached"]
    assert models_of(sandbox) == ["a/old", "a/newer"]


def test_all_batches_of_recordings_are_of_one_model(sandbox, workspace, monkeypatch):
    monkeypatch.setattr(service_limits, "BATCH_LINES", 2)
    with monkeypatch.context() as patch:
        accept_one(sandbox, patch)
        with offering(sandbox, "a/old", kind="transcribe") as auth:
            with pytest.raises(TogetherError, match="too many batches"):
                submit_recordings(auth, CALLS, column="sound")
    with offering(sandbox, "a/old", "a/newer", kind="transcribe") as auth:
        made = submit_recordings(auth, CALLS, column="sound")
    assert len(made["batches"]) == len(batches(sandbox)) == 2
    assert {*models_of(sandbox)} == {"a/old"}


def test_a_workspace_where_no_model_can_be_noted_gets_its_batch_all_the_same(
    sandbox, workspace, capsys
):
    workspace.faults.append(Fault("resources/(create|update_value)", 403, times=99))
    with offering(sandbox, "a/old", kind="transcribe") as auth:
        made = submit_recordings(auth, CALLS, column="sound")

    assert made["batch_id"]
    assert "a rerun may take another model" in capsys.readouterr().err


@pytest.mark.parametrize(
    "gap", [{"url": ""}, {"url": " ", "text": "a"}, {"url": None}, ""]
)
def test_a_recording_whose_address_is_blank_is_left_out_and_counted(sandbox, auth, gap):
    rows = [CALLS[0]["sound"], gap, CALLS[2]["sound"]]
    if gap != "":
        rows = [{"url": row} if isinstance(row, str) else row for row in rows]
    made = submit_recordings(auth, rows)
    assert (made["rows"], made["blank"]) == (3, 1)
    lines = [json.loads(line) for line in uploads(sandbox)[0].splitlines()]
    assert [line["body"]["file"][-5] for line in lines] == ["0", "2"]

    sandbox.lifecycles.advance(3600)
    found = collect_rows(auth, made["batch_id"], rows, answer_column="said")
    assert [row["said"] is None for row in found["rows"]] == [False, True, False]
    assert "is not asked" in found["rows"][1]["said_error"]
    with pytest.raises(TogetherError, match="blank in 'url'"):
        submit_recordings(auth, [gap])


def test_recordings_without_an_address_are_named(sandbox, auth):
    rows = [{"url": "https://www.example.com/a.mp3"}, {"url": "a.mp3"}, {"s": 1}]

    with pytest.raises(
        TogetherError, match=r"\(rows\[1\]\) has no http\(s\) address"
    ) as caught:
        submit_recordings(auth, rows)

    fields = [problem["field"] for problem in caught.value.problems]
    assert fields == ["rows[1]", "rows[2]"]
    assert not batches(sandbox)
    assert not uploads(sandbox)


def test_a_file_that_has_to_be_begun_anew_is_read_once(monkeypatch):
    """Its connection ends amid the bytes, and its server knows no ranges."""
    monkeypatch.setattr(retry, "backoff", lambda tries, asked: 0.0)
    rows = [{"text": "a"}, {"text": "b"}]
    lines = b"".join(
        json.dumps(
            {
                "custom_id": input_files.custom_id(n, row),
                "response": {"status_code": 200, "body": answer_of(row["text"])},
            }
        ).encode()
        + b"\n"
        for n, row in enumerate(rows)
    )
    batch = {"id": "b", "status": "COMPLETED", "model_id": MODEL}
    batch |= {"input_file_id": "in", "output_file_id": "out"}
    with ByteServer() as server:
        auth = {"api_key": "tgp_anew_0123456789", "base_url": server.url}
        server.things["/v1/batches/b"] = Thing(json.dumps(batch).encode())
        server.things["/v1/files/out"] = Thing(
            json.dumps({"bytes": len(lines)}).encode()
        )
        content = Thing(
            b"\n" + lines, cuts=[len(lines) - 9] * 2, ranges=False, open_ended=True
        )
        server.things["/v1/files/out/content"] = content
        result = collect_rows(auth, "b", rows)
        assert [row["answer"] for row in result["rows"]] == ["a!", "b!"]
        assert result["usage"]["total_tokens"] == 30
        content.cuts = [len(lines) - 9] * 20
        with pytest.raises(TogetherError) as caught:
            collect_rows(auth, "b", rows)
        assert caught.value.type == "changed_download"


def answer_of(text):
    message = {"role": "assistant", "content": f"{text}!"}
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    return {
        "model": MODEL,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": usage,
    }
