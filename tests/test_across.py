"""A table that several jobs answer: where it is cut, what a part is, how parts are
joined, and what a rerun finds."""

import contextlib
import gzip
import io
import json
import math
import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from scripts import checkpoint
from scripts.across import cutting, joining, lease
from scripts.chat.map_rows import main as map_rows
from scripts.client import TogetherError
from scripts.files.join_table import main as join_table
from scripts.files.split_table import main as split_table
from scripts.resilience import retry
from scripts.rows.worker_pool import WINDOW
from scripts.table import row_results as jsonio_limits
from scripts.table.table import Flaw, Table
from scripts.table_files import csv_rows
from scripts.transfer.file_source import BytesSource
from tests.support.canned_chat import completion
from tests.support.offered_models import offering
from tools.flows.flow_engine import RESOURCE, Engine
from tools.local.fake_workspace import Job
from tools.models import model
from tools.sandbox import Fault

MODEL = model("chat")
# Jobs of other flows.
OTHER, THIRD = (f"0193c4e5-0000-7000-8000-00000000000{n}" for n in range(2))
CSV = (
    "\ufeffname;text\r\n"
    'a;"first\nsecond"\r\n'
    "\r\n"
    'b;"with ""quotes"""\r\n'
    "c;ä\r\n"
    'd;five" wide\r\n'
    'e;"x"y\r\n'
    "f;last"
)


@pytest.fixture
def engine(workspace, lifecycles, auth):
    return Engine(workspace, auth, lifecycles.advance)


@pytest.fixture
def bare(workspace):
    """A workspace without storage."""
    workspace.storage = False
    return workspace


def at(sandbox, content, name="table.jsonl"):
    """The address at which the sandbox serves a table."""
    if isinstance(content, list):
        content = "".join(json.dumps(row) + "\n" for row in content).encode()
    sandbox.objects[f"/sandbox/objects/{name}"] = "text/plain", content
    return f"{sandbox.url}/sandbox/objects/{name}"


def seen(table):
    return [row.why if isinstance(row, Flaw) else row for row in table]


def rows_of(count):
    return [{"text": f"text {n}", "n": n} for n in range(count)]


def asked(sandbox):
    """How often each text was asked about."""
    found = {}
    for request in sandbox.requests:
        if request.path.endswith("/chat/completions"):
            text = request.json["messages"][-1]["content"]
            found[text] = found.get(text, 0) + 1
    return found


# --- where a table is cut ----------------------------------------------------------


@pytest.mark.parametrize("name", ["t.jsonl", "t.csv", "t"])
@pytest.mark.parametrize("size", [1, 2, 3, 100])
@pytest.mark.parametrize(
    "content",
    [
        CSV,
        'sep=,\r\na,b\r\n1,2\r\n"3\n3",4\r\n',
        "\n\na,b\n1,2\n3,4\n",
        "a\n1\n2\n\x1a",
        "a,b\n" + 101 * "1,2\n" + '3,"4\n5,6\n',
        '{"a": 1}\n\n{"a": "ü\u2028x"}\nnot JSON\n[1]\n{"rows": [{}]}\n{"a": 2}',
        '{"a": 1}\r\n{"a": 2}\r\n',
        "a,b\r\r\n1,2\r\r\n3,4\r\r\n",
        'a,b\n1,2\n\ufeff"3, x\ny",4\n\ufeff\n5,6\n',
        "a,b\n1,2\n\xa0,\u3000\n\ufffd,\n3,\x85\n",
        'a,b\n1,"x \\"y\\", z"\n"\\"",ü\na,b\n3,\n',
        'a\tb\n"\t1\n"x" y\tü\nz"\t3\n',
        '{"a":1}\n\u00a0\n{"a":2}\n\u3000 \x85\n\x1c\n\ufeff\n{"a":3}\n\u2003',
        '\u00a0\n\ufeff\n\n{"a":1}\n \x1f\r\n\ufeff\ufeff\n\x1a\n{"a":2}\n',
        '{"a":1}\nnull\n\u200b\n\ufffd\n\u00a0{"a":2}\n',
        '\u00a0\n\u3000\n"a","b"\n1,"2, ü"\n',
        # A row of such blanks alone is none, by which the grammar is told.
        'a\tb\n"\t1\n\u3000\n"x" y\tü\nz"\t3\n',
        # As many lines tell it, wherever they begin.
        "\n" * 195 + "a,b\n" + "1,2\n" * 20 + '"x \\"y\\", z",3\n',
        "a;b\n" + "ü;ü\n" * 20 + '"x;""y""";z\n',
    ],
)
def test_the_parts_of_a_table_have_the_rows_that_the_whole_has(
    sandbox, auth, bare, name, size, content
):
    url = at(sandbox, content.encode(), name)
    whole = seen(Table(auth, {"url": url}))

    found = split_table(auth, {"url": url}, size)

    parts = [one["rows"] for one in found["parts"]]
    assert [row for one in parts for row in seen(Table(auth, one))] == whole
    assert found["count"] == len(whole)
    assert [one["part"]["rows"] for one in parts[:-1]] == [size] * (len(parts) - 1)
    for one in parts:
        assert len(seen(Table(auth, one))) == one["part"]["rows"]
    assert "text" not in json.dumps(found)


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        # What ends the lines of old files, within a text.
        ("t.jsonl", b'{"a":1}\n{"a":"x\ry"}\n{"a":"\rz"}\n \r \n{"a":2}\n \r '),
        ("t.jsonl", b'{"a":1}\r\n\r\r\n{"a":2}\r\n \r\n{"a":3}'),
        # Of Windows-1252, where a byte is no blank that is one in Latin-1.
        ("t.csv", b"a\n\xe4x\n\x85\n\xa0\n\x85\n1\n"),
        ("t.jsonl", b'{"a":1}\n{"a":"\xe4x"}\n\x85\n\xa0\n{"a":2}\n'),
    ],
)
def test_every_part_has_as_many_rows_as_it_is_told(
    sandbox, auth, bare, name, content, size
):
    url = at(sandbox, content, name)
    whole = seen(Table(auth, {"url": url}))

    found = split_table(auth, {"url": url}, size)

    parts = [one["rows"] for one in found["parts"]]
    assert [row for one in parts for row in seen(Table(auth, one))] == whole
    for one in parts:
        assert len(seen(Table(auth, one))) == one["part"]["rows"]


def test_a_cell_too_long_for_its_reader_ends_the_last_part(
    sandbox, auth, bare, monkeypatch
):
    monkeypatch.setattr(csv_rows, "CELL_CHARACTERS", 20)
    monkeypatch.setattr(cutting, "CELL_CHARACTERS", 20)
    long = f'"{"ü" * 15}\n{"ü" * 15}"'
    rows = ["a,b", *["1,2"] * 210, f"{'ü' * 20},3", f"{long},4", "5,6", "7,8"]
    url = at(sandbox, "\n".join(rows).encode(), "t.csv")
    whole = seen(Table(auth, {"url": url}))

    found = split_table(auth, {"url": url}, 1)

    parts = [one["rows"] for one in found["parts"]]
    assert [seen(Table(auth, one)) for one in parts] == [[row] for row in whole]
    assert len(whole) == 212
    assert "characters" in whole[-1]


@pytest.mark.parametrize("blank", ["\u00a0", "\u3000", "\x85", "\x1c", "\ufeff"])
def test_a_part_with_a_line_of_other_blanks_is_joined(engine, sandbox, blank):
    table = f'{{"text":"a"}}\n{blank}\n{{"text":"b"}}\n{{"text":"c"}}\n'

    run = flow(engine, at(sandbox, table.encode()))

    assert run.outcome == "success", run.result
    assert (run.result["done"], run.result["parts"]) == (3, 1)
    assert "lost" not in run.result


def test_a_table_in_windows_1252_is_cut_too(sandbox, auth, bare):
    url = at(sandbox, "a,b\n1,x\nü,y\nß,z\n".encode("cp1252"), "t.csv")

    parts = split_table(auth, {"url": url}, 1)["parts"]

    rows = [row for one in parts for row in seen(Table(auth, one["rows"]))]
    assert rows == [{"a": "1", "b": "x"}, {"a": "ü", "b": "y"}, {"a": "ß", "b": "z"}]


def test_parts_are_never_more_than_a_loop_bears(monkeypatch):
    monkeypatch.setattr(cutting, "MOST_PARTS", 8)
    lines = b"".join(b'{"a": %d}\n' % n for n in range(100))

    parts, about = cutting.cuts_of(BytesSource(lines, "rows", "t.jsonl"), 1)

    assert len(parts) <= 8
    assert sum(part[3] for part in parts) == 100
    assert [part[1] for part in parts[:-1]] == [part[0] for part in parts[1:]]
    assert (parts[0][0], parts[-1][1]) == (0, about["size"])


def test_every_cut_is_the_end_of_a_row_whatever_the_cells_hold():
    draw = random.Random(5)
    signs = ['"', "\n", "\r\n", ",", "ü", "x", "", " "]
    rows = [["a", "b"]]
    rows += [["k", "".join(draw.choices(signs, k=6))] for _ in range(300)]
    import csv

    text = io.StringIO()
    csv.writer(text).writerows(rows)
    content = text.getvalue().encode()

    parts, about = cutting.cuts_of(BytesSource(content, "rows", "t.csv"), 7)

    found = []
    for start, end, _, _ in parts:
        piece = content[: about["head"]] + content[start:end]
        lines = io.StringIO(piece.decode(), newline="")
        found += list(csv.reader(lines))[1:]
    assert found == rows[1:]


def test_the_shares_of_a_budget_are_never_more_than_it():
    draw = random.Random(7)
    for _ in range(200):
        budget = draw.choice([0, 1e-9, 0.1, 3, 19.99, 1e6]) * draw.random()
        rows = [draw.randint(1, 5000) for _ in range(draw.randint(1, 1000))]
        shares = [cutting.share_of(budget, one, sum(rows)) for one in rows]
        assert math.fsum(shares) <= budget
        assert math.fsum(shares) >= budget * (1 - 1e-9) - 1e-9 * len(rows)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([{"a": 1}], "without object storage"),
        ("a,b\n1,2\n", "without object storage"),
    ],
)
def test_without_storage_a_table_has_to_be_at_a_url(auth, bare, rows, words):
    with pytest.raises(TogetherError, match=words):
        split_table(auth, rows)


def test_without_storage_a_list_at_a_url_is_refused(sandbox, auth, bare):
    url = at(sandbox, b'[{"a": 1}, {"a": 2}]', "t.json")
    with pytest.raises(TogetherError, match="only JSON Lines and CSV"):
        split_table(auth, {"url": url})


@pytest.mark.parametrize(
    ("key", "content", "ending"),
    [
        ("t.csv", CSV.replace('e;"x"y\r\n', "").encode(), ".csv"),
        ("t.jsonl", b'{"name": "a", "text": "b"}\n{"name": "c"}', ".jsonl"),
        ("t.json", b'[{"name": "a", "text": "b"}, {"name": "c"}]', ".jsonl"),
        ("t.csv", CSV.replace('e;"x"y\r\n', "")[1:].encode("utf-16"), ".jsonl"),
        ("t.csv", b"name,text\ra,b\rc,d\r", ".jsonl"),
        ("t.csv.gz", gzip.compress(b"name,text\na,b\nc,d\n", mtime=0), ".jsonl"),
    ],
)
def test_a_table_in_storage_is_written_part_by_part(
    auth, workspace, key, content, ending
):
    workspace.put(key, content)
    whole = seen(Table(auth, {"s3": key}))

    found = split_table(auth, {"s3": key}, 1)

    parts = [one["rows"] for one in found["parts"]]
    assert all(one["s3"].endswith(ending) for one in parts)
    assert [row for one in parts for row in seen(Table(auth, one))] == whole
    listed = workspace.resources[found["slices"]]["value"]["parts"]
    assert [one["object"]["key"] for one in listed] == [one["s3"] for one in parts]


def test_a_table_that_changed_since_it_was_split_is_refused(sandbox, auth, bare):
    url = at(sandbox, rows_of(4))
    part = split_table(auth, {"url": url}, 2)["parts"][1]["rows"]
    at(sandbox, [*rows_of(3), {"text": "text X", "n": 3}])

    with pytest.raises(TogetherError, match="not the file any more"):
        Table(auth, part)


@pytest.mark.parametrize(
    "part",
    [
        "3",
        {},
        {"number": 1, "start": 0},
        {**dict.fromkeys(("number", "of", "line", "rows"), 1), "head": 0, "start": 9,
         "end": 3, "size": 9, "csv": None, "kept": "state"},
    ],
)  # fmt: skip
def test_what_no_step_cut_is_refused(sandbox, auth, part):
    with pytest.raises(TogetherError, match="never cut"):
        Table(auth, {"url": at(sandbox, rows_of(2)), "part": part})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"template": "{{txt}}"}, "txt"),
        ({"column": "txt"}, "txt"),
        ({"answer_column": "text"}, "answer_column"),
        ({"rows": {"url": "http://127.0.0.1:9/none"}}, "cannot be read"),
    ],
)
def test_a_mistake_is_named_before_anything_is_split(
    sandbox, auth, bare, given, words, monkeypatch
):
    monkeypatch.setattr(retry, "backoff", lambda tries, asked: 0.001)
    rows = {"url": at(sandbox, rows_of(2))}
    with pytest.raises(TogetherError, match=words):
        split_table(auth, **{"rows": rows, **given})


# --- the flow ----------------------------------------------------------------------


def flow(engine, url, **more):
    words = {"template": "{{text}}", "model": MODEL, "part_rows": 4, **more}
    return engine.run("map_rows_across_workers", rows={"url": url}, **words)


@pytest.mark.parametrize("storage", [True, False])
def test_what_the_jobs_kept_is_gone_once_it_is_joined(
    engine, sandbox, workspace, storage, monkeypatch
):
    workspace.storage = storage
    monkeypatch.setattr(checkpoint, "SHARE_ROWS", 1)
    monkeypatch.setattr(checkpoint, "LIST_PARTS", 2)
    before = set(workspace.resources)

    run = flow(engine, at(sandbox, rows_of(10)))

    assert run.outcome == "success", run.result
    assert run.result["markdown"].startswith("**All 10 rows were answered.**")
    assert [row["n"] for row in run.result["rows"]] == list(range(10))
    assert all(row["answer"] for row in run.result["rows"])
    assert set(asked(sandbox).values()) == {1}
    assert set(workspace.resources) == before
    assert not workspace.objects


@pytest.mark.parametrize("storage", [True, False])
def test_a_rerun_does_only_what_is_missing(
    engine, sandbox, workspace, storage, monkeypatch
):
    workspace.storage = storage
    monkeypatch.setattr(checkpoint, "SHARE_ROWS", 2)
    url = at(sandbox, rows_of(10))
    calls = []

    def some(arguments):
        calls.append(arguments)
        if len(calls) == 4:  # of three parts the second is refused
            sandbox.faults.append(Fault("completions", 401, times=1))
        return said(arguments)

    sandbox.answers["create_chat_completion"] = some
    run = flow(engine, url, concurrency=1)

    assert run.outcome == "success", run.result
    assert run.result["markdown"].startswith("**Partly done, 1 of 3 parts is missing")
    assert run.result["lost"][0].startswith("rows 5 to 8: ")
    assert [bool(row["answer"]) for row in run.result["rows"]] == [
        *[True] * 4, *[False] * 4, *[True] * 2,
    ]  # fmt: skip
    assert "its part is missing" in run.result["rows"][4]["answer_error"]
    assert (run.result["done"], run.result["failed"]) == (6, 4)

    sandbox.faults.clear()
    sandbox.requests.clear()
    run = flow(engine, url, concurrency=1)

    assert run.result["markdown"].startswith("**All 10 rows were answered.**")
    assert sorted(asked(sandbox)) == [f"text {n}" for n in range(4, 8)]
    assert run.result["usage"]["prompt_tokens"] == 10 * 9


def said(arguments):
    body = arguments["body"]
    return completion(body, body["messages"][-1]["content"].upper())


@pytest.mark.parametrize("storage", [True, False])
def test_a_killed_job_goes_on_where_it_stopped(
    auth, sandbox, workspace, worker, storage, monkeypatch
):
    workspace.storage = storage
    part = split_table(auth, {"url": at(sandbox, rows_of(60))}, 60)["parts"][0]["rows"]
    environment = {**workspace.environment}
    arguments = {"auth": auth, "template": "{{text}}", "rows": part, "model": MODEL}
    arguments["concurrency"] = 1
    constants = {"checkpoint.SHARE_ROWS": 5, "checkpoint.LIST_PARTS": 2}

    def die(given):
        if len(asked(sandbox)) == 43:
            worker.kill()
        return said(given)

    sandbox.answers["create_chat_completion"] = die
    assert worker.run("chat.map_rows", arguments, environment, constants) is None
    sandbox.answers["create_chat_completion"] = said
    got = worker.run("chat.map_rows", arguments, environment, constants)

    again = [text for text, times in asked(sandbox).items() if times > 1]
    assert got["done"] == 60
    # Rows that were being kept, those whose answers waited, and the one under way.
    assert len(again) <= 5 + WINDOW + 1
    parts = json.dumps([{"rows": part}])
    table = join_table(auth, parts, json.dumps([got]))
    assert [row["answer"] for row in table["rows"]] == [f"TEXT {n}" for n in range(60)]


@pytest.mark.parametrize("kind", ["map_rows", "map_files"])
@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ("[", "parts is no JSON"),
        ("[" * 9999, "parts is no JSON"),
        ("{}", "parts is no list"),
        ("[]", "parts holds no part"),
        ("[1]", "parts has a part that"),
        ('[{"rows": [{"a": 1}]}]', "parts has a part that"),
        ('[{"rows": {"part": {"rows": 1}}}]', "parts has a part that"),
    ],
)
def test_what_are_no_parts_is_refused_by_name(auth, workspace, parts, kind, words):
    with pytest.raises(TogetherError, match=words):
        join_table(auth, parts, "[]", kind=kind)


def test_what_a_part_that_does_not_tell_it_cost_is_not_known(auth, sandbox, workspace):
    sandbox.answers["create_chat_completion"] = said
    (part,) = split_table(auth, {"url": at(sandbox, rows_of(3))}, 3)["parts"]
    got = map_rows(auth, "{{text}}", part["rows"], MODEL)
    bare = {name: got[name] for name in ("answers", "done")}

    table = join_table(auth, json.dumps([part]), json.dumps([bare]))

    assert len(table["rows"]) == table["done"] == 3
    assert (table["cost_usd"], table["cost_note"]) == (None, joining.UNTOLD)
    assert joining.UNTOLD in table["markdown"]


# --- the model where none is named -------------------------------------------------


def asked_models(sandbox):
    """The models that were asked, each by how often."""
    return Counter(
        request.json["model"]
        for request in sandbox.requests
        if request.path.endswith("/chat/completions")
    )


def test_all_parts_are_asked_of_the_model_that_the_first_step_chose(sandbox, workspace):
    sandbox.answers["create_chat_completion"] = said
    rows = {"url": at(sandbox, rows_of(4))}
    with offering(sandbox, "a/old") as auth:
        split = split_table(auth, rows, 2, asked={"template": "a"}, task="chat")
    answered = []
    for newest in ("a/new", "a/newer"):
        with offering(sandbox, "a/old", newest) as auth:
            part = split["parts"][len(answered)]["rows"]
            answered.append(map_rows(auth, "{{text}}", part))

    assert split["model"] == "a/old"
    assert asked_models(sandbox) == {"a/old": 4}
    table = join_table(auth, json.dumps(split["parts"]), json.dumps(answered))
    assert (table["done"], "models" in table) == (4, False)


@pytest.mark.parametrize(
    ("asked_for", "task"), [({"model": MODEL}, "chat"), ({"template": "a"}, None)]
)
def test_a_model_that_is_named_or_not_needed_is_not_chosen(
    sandbox, auth, workspace, asked_for, task
):
    rows = {"url": at(sandbox, rows_of(4))}
    split = split_table(auth, rows, asked=asked_for, task=task)

    assert "model" not in {*split, *split["parts"][0]["rows"]["part"]}
    assert not [one for one in sandbox.requests if "models" in one.path]


def test_where_no_model_can_be_chosen_the_flow_keeps_nobody_off(sandbox, workspace):
    rows = {"url": at(sandbox, rows_of(4))}
    with offering(sandbox) as auth:
        with pytest.raises(TogetherError, match="offers no model for vision"):
            split_table(auth, rows, asked={"template": "a"}, task="vision")

    assert not workspace.resources
    assert not workspace.objects


def test_parts_that_several_models_answered_are_told(sandbox, auth, workspace):
    sandbox.answers["create_chat_completion"] = said
    parts = split_table(auth, {"url": at(sandbox, rows_of(5))}, 2)["parts"]
    answered = []
    for part, newest in zip(parts, ("a/x", "a/y", "a/x"), strict=True):
        with offering(sandbox, newest) as own:
            answered.append(map_rows(own, "{{text}}", part["rows"]))

    table = join_table(auth, json.dumps(parts), json.dumps(answered))
    assert table["models"] == {"a/x": 3, "a/y": 2}


def partly_done(engine, sandbox, url, offered):
    """Run the flow with a catalogue of one model; the second of three parts fails."""
    calls = []

    def some(arguments):
        calls.append(arguments)
        if len(calls) == 4:
            sandbox.faults.append(Fault("completions", 401, times=1))
        return said(arguments)

    sandbox.answers["create_chat_completion"] = some
    with offering(sandbox, offered) as engine.resources[RESOURCE]:
        run = flow(engine, url, model=None, concurrency=1, parallelism=1)
    assert run.result["markdown"].startswith("**Partly done, 1 of 3 parts is missing")
    sandbox.faults.clear()
    sandbox.requests.clear()


def test_a_rerun_of_a_flow_asks_the_same_model_what_is_missing(
    engine, sandbox, workspace
):
    url = at(sandbox, rows_of(10))
    partly_done(engine, sandbox, url, "a/old")
    with offering(sandbox, "a/old", "a/new") as engine.resources[RESOURCE]:
        run = flow(engine, url, model=None)

    assert run.result["done"] == 10
    assert "models" not in run.result
    assert asked_models(sandbox) == {"a/old": 4}
    assert sorted(asked(sandbox)) == [f"text {n}" for n in range(4, 8)]
    assert not [path for path in workspace.resources if "togetherai_" in path]
    with offering(sandbox, "a/old", "a/new") as engine.resources[RESOURCE]:
        flow(engine, url, model=None)
    assert asked_models(sandbox)["a/new"] == 10


def test_a_rerun_of_a_flow_whose_model_is_gone_asks_another_and_says_so(
    engine, sandbox, workspace
):
    url = at(sandbox, rows_of(10))
    partly_done(engine, sandbox, url, "a/old")
    with offering(sandbox, "a/new") as engine.resources[RESOURCE]:
        run = flow(engine, url, model=None)

    assert run.result["done"] == 10
    assert run.result["models"] == {"a/old": 6, "a/new": 4}
    assert asked_models(sandbox) == {"a/new": 4}
    assert not [path for path in workspace.resources if "togetherai_" in path]


@pytest.mark.parametrize("most", [250, 1])
def test_rows_beyond_a_share_are_told_and_asked_by_a_rerun(
    engine, sandbox, priced, monkeypatch, most
):
    monkeypatch.setattr(checkpoint, "SHARE_ROWS", most)
    monkeypatch.setattr(checkpoint, "LIST_PARTS", 2)
    engine.resources[RESOURCE] = priced(MODEL, input=0, output=1_000_000)
    sandbox.answers["create_chat_completion"] = said
    url = at(sandbox, rows_of(8))
    more = {"max_tokens": 3, "concurrency": 1}

    run = flow(engine, url, budget_usd=15, **more)

    assert run.outcome == "success", run.result
    assert run.result["done"] == 4
    assert run.result["cost_usd"] == 12
    assert run.result["stopped"]
    assert [row["n"] for row in run.result["rows"]] == list(range(8))

    sandbox.requests.clear()
    run = flow(engine, url, budget_usd=24, **more)
    assert run.result["done"] == 8
    assert len(asked(sandbox)) == 4
    assert not [path for path in engine.resources if "togetherai_" in path]


def test_nothing_done_is_red_and_a_share_of_failures_too(engine, sandbox):
    url = at(sandbox, rows_of(8))
    sandbox.faults.append(Fault("completions", 401, times=10**6))
    run = flow(engine, url)
    assert run.error["message"].startswith("Partly done, 2 of 2 parts are missing")
    assert "None of the 8 rows was answered" in run.error["message"]
    assert "401" in run.error["message"]

    sandbox.faults[:] = [Fault("completions", 400, times=1)]
    run = flow(engine, url, fail_when_failed_share=0.1)
    assert "1 of 8 rows failed" in run.error["message"]


@pytest.mark.parametrize("output", ["storage", "gzip"])
def test_a_large_table_goes_to_storage_and_is_never_a_result(
    engine, sandbox, workspace, output
):
    url = at(sandbox, rows_of(9))
    run = flow(engine, url, output=output)
    content = workspace.content(run.result["s3"])
    rows = (gzip.decompress(content) if output == "gzip" else content).splitlines()
    assert [json.loads(row)["n"] for row in rows] == list(range(9))
    for call in run.of("chat/map_rows"):
        assert "rows" not in call.result


@pytest.mark.slow
def test_a_table_too_large_for_a_result_stays_kept(
    engine, sandbox, workspace, monkeypatch
):
    workspace.storage = False
    url = at(sandbox, rows_of(9))
    monkeypatch.setattr(jsonio_limits, "RESULT_LIMIT", 100)
    monkeypatch.setattr(joining, "MOST_BYTES", 200)
    run = flow(engine, url)
    assert "without object storage" in run.error["message"]

    sandbox.requests.clear()
    monkeypatch.undo()
    run = Engine(workspace, engine.resources[RESOURCE], engine.advance).run
    for name, value in workspace.environment.items():
        monkeypatch.setenv(name, value)
    words = {"template": "{{text}}", "model": MODEL, "part_rows": 4}
    done = run("map_rows_across_workers", rows={"url": url}, **words)
    assert done.result["done"] == 9
    assert not asked(sandbox)


def test_a_rerun_goes_on_after_a_flow_that_ended_before_it_joined(
    engine, sandbox, auth
):
    sandbox.answers["create_chat_completion"] = said
    rows = {"url": at(sandbox, rows_of(12))}
    words = {"template": "{{text}}", "model": MODEL}
    for part in split_table(auth, rows, 4)["parts"][:2]:
        map_rows(auth, words["template"], part["rows"], model=words["model"])
    assert len(asked(sandbox)) == 8

    run = flow(engine, rows["url"])

    assert run.result["done"] == 12
    assert set(asked(sandbox).values()) == {1}


# --- one run at a time -------------------------------------------------------------


@pytest.fixture
def other(workspace, monkeypatch):
    """The job of another flow, which runs until it is told that it is done."""
    job = Job("f/other/run", "script", {}, {})
    workspace.jobs[OTHER] = job

    @contextlib.contextmanager
    def within():
        with monkeypatch.context() as patch:
            patch.setenv("WM_FLOW_JOB_ID", OTHER)
            yield

    job.within = within
    return job


@pytest.mark.parametrize("storage", [True, False])
def test_a_second_run_is_refused_while_the_first_is_at_work(
    engine, sandbox, auth, workspace, other, storage
):
    workspace.storage = storage
    rows = {"url": at(sandbox, rows_of(8))}
    with other.within():
        split_table(auth, rows, asked={"template": "{{text}}", "model": MODEL})

    # However it is parted, and under another address.
    run = flow(engine, at(sandbox, rows_of(8), "copy.jsonl"), part_rows=2)
    assert f"job {OTHER} asks the same of the same table" in run.error["message"]
    assert not asked(sandbox)
    assert flow(engine, rows["url"], system="Be brief.").outcome == "success"

    other.done.set()
    run = flow(engine, rows["url"])
    assert run.result["done"] == 8
    assert not [path for path in workspace.resources if "_leases/" in path]


def test_of_two_runs_that_take_over_one_goes_on(
    sandbox, auth, workspace, other, monkeypatch
):
    rows = {"url": at(sandbox, rows_of(2))}
    asks = {"rows": rows, "asked": {"template": "a"}}
    with other.within():
        split_table(auth, **asks)
    other.done.set()
    workspace.jobs[THIRD] = Job("f/other/run", "script", {}, {})
    (path,) = [path for path in workspace.resources if "_leases/" in path]

    def third_writes_too(seconds):
        workspace.resources[path]["value"] = {"job": THIRD, "token": "3"}

    monkeypatch.setattr(lease.time, "sleep", third_writes_too)
    with pytest.raises(TogetherError, match=f"job {THIRD} asks the same"):
        split_table(auth, **asks)


def test_a_run_that_another_took_over_from_while_it_asked_is_refused(
    sandbox, auth, workspace, other, monkeypatch
):
    asks = {"rows": {"url": at(sandbox, rows_of(2))}, "asked": {"template": "a"}}
    with other.within():
        split_table(auth, **asks)
    workspace.jobs[THIRD] = Job("f/other/run", "script", {}, {})
    (path,) = [path for path in workspace.resources if "_leases/" in path]
    third = {"job": THIRD, "token": "3"}

    def third_takes_over(job):
        if job == OTHER:
            workspace.resources[path]["value"] = third
        return job == THIRD

    monkeypatch.setattr(lease, "is_running", third_takes_over)
    with pytest.raises(TogetherError, match=f"job {THIRD} asks the same"):
        split_table(auth, **asks)
    assert workspace.resources[path]["value"] == third


@pytest.mark.parametrize("kept", [None, "a text", [{}]])
def test_a_lease_that_cannot_be_read_is_not_asked_for_without_end(
    sandbox, auth, workspace, other, monkeypatch, kept
):
    asks = {"rows": {"url": at(sandbox, rows_of(2))}, "asked": {"template": "a"}}
    with other.within():
        found = split_table(auth, **asks)
    workspace.resources[found["lease"]]["value"] = kept
    monkeypatch.setattr(lease, "PAUSE", 0)
    with pytest.raises(TogetherError, match=found["lease"]) as caught:
        split_table(auth, **asks)
    assert caught.value.type == "invalid_answer"
    assert workspace.resources[found["lease"]]["value"] == kept
    lease.give_back_lease(found["lease"])
    assert found["lease"] in workspace.resources


def aged(workspace, paths, days):
    """Let what is kept at these paths be of some days ago."""
    then = (datetime.now(UTC) - timedelta(days=days)).isoformat()
    for path in paths:
        workspace.resources[path]["edited_at"] = then


@pytest.mark.parametrize("storage", [True, False])
def test_a_flow_at_work_for_weeks_keeps_its_lease_and_its_answers(
    engine, sandbox, auth, workspace, other, storage
):
    workspace.storage = storage
    sandbox.answers["create_chat_completion"] = said
    asks = {"template": "{{text}}", "model": MODEL}
    rows = {"url": at(sandbox, rows_of(8))}
    with other.within():
        split = split_table(auth, rows, 4, asked=asks)
    first, second = [
        map_rows(auth, "{{text}}", part["rows"], model=MODEL)["answers"]
        for part in split["parts"]
    ]
    aged(workspace, list(workspace.resources), 8)
    aged(workspace, [split["lease"]], 9)
    aged(workspace, [first], 9 + 6)  # what a run before it had answered
    aged(workspace, [second], 9 + 8)
    before, objects = {*workspace.resources}, {*workspace.objects}

    def another():
        return flow(engine, at(sandbox, rows_of(2), "two.jsonl")).outcome

    assert another() == "success"
    gone = before - {*workspace.resources}
    assert {path for path in gone if "_answers/" not in path} == {second}
    run = flow(engine, rows["url"])
    assert f"job {OTHER} asks the same" in run.error["message"]
    assert objects - {*workspace.objects} if storage else "_answers/" in str(gone)

    other.done.set()
    aged(workspace, before - gone, 8)
    assert another() == "success"
    assert not workspace.resources
    assert not workspace.objects


def test_a_run_after_one_that_died_asks_the_same_model(sandbox, workspace, other):
    given = {"asked": {"template": "a"}, "task": "chat"}
    rows = {"url": at(sandbox, rows_of(2))}
    with other.within(), offering(sandbox, "a/old") as auth:
        split_table(auth, rows, **given)
    other.done.set()

    with offering(sandbox, "a/old", "a/new") as auth:
        split = split_table(auth, rows, **given)
    assert split["model"] == "a/old"
    assert split["parts"][0]["rows"]["part"]["model"] == "a/old"
    lease.give_back_lease(split["lease"])
    assert workspace.resources[split["lease"]]["value"] == {"model": "a/old"}
    aged(workspace, [split["lease"]], 8)
    lease.give_back_lease(split["lease"])
    assert split["lease"] not in workspace.resources


def test_a_lease_of_no_time_lets_nothing_be_old(auth, sandbox, workspace, other):
    with other.within():
        split = split_table(auth, {"url": at(sandbox, rows_of(2))}, asked={"a": 1})
    workspace.resources[split["lease"]]["edited_at"] = "yesterday"
    assert lease.first_start() == 0

    other.done.set()
    assert lease.first_start() == pytest.approx(datetime.now(UTC).timestamp(), abs=60)


def test_what_a_run_is_at_is_said_until_it_joined(auth, sandbox, workspace):
    found = split_table(auth, {"url": at(sandbox, rows_of(2))}, asked={"a": 1})
    parts, gone = json.dumps(found["parts"]), json.dumps([{"error": {"message": "no"}}])
    assert found["lease"] in workspace.resources

    for path in ("u/admin/key", f"{found['lease']}/../x"):
        with pytest.raises(TogetherError, match="first step"):
            join_table(auth, parts, gone, lease=path)
    assert found["lease"] in workspace.resources
    with pytest.raises(TogetherError, match="None of the 2 rows"):
        join_table(auth, parts, gone, lease=found["lease"])
    assert found["lease"] not in workspace.resources


@pytest.mark.parametrize("deleting", [True, False])
def test_a_lease_that_cannot_be_given_back_loses_no_table(
    engine, sandbox, workspace, capsys, deleting
):
    """What the parts' jobs kept is gone by then: a rerun would pay for all again."""
    broken = "resources/delete/.*leases" if deleting else "resources/get_value/.*leases"
    workspace.faults.append(Fault(broken, 500, times=9))
    run = flow(engine, at(sandbox, rows_of(4)), part_rows=2)

    assert run.outcome == "success", run.result
    assert all(row["answer"] for row in run.result["rows"])
    assert set(asked(sandbox).values()) == {1}
    assert "stays until its flow has ended" in capsys.readouterr().err


def test_a_table_that_could_not_be_split_keeps_nobody_off(auth, sandbox, workspace):
    workspace.put("t.jsonl", b'{"a": 1}\n')
    workspace.faults.append(Fault("job_helpers/upload", 403, times=9))
    with pytest.raises(TogetherError, match="cannot be written"):
        split_table(auth, {"s3": "t.jsonl"}, asked={"a": 1})
    assert not workspace.resources


@pytest.mark.parametrize("path", ["u/admin/key", "f/x/../togetherai_parts/a", "$var:x"])
def test_answers_are_read_from_parts_journals_alone(auth, sandbox, workspace, path):
    parts = split_table(auth, {"url": at(sandbox, rows_of(2))})["parts"]
    with pytest.raises(TogetherError, match="names no answers"):
        join_table(auth, json.dumps(parts), json.dumps([{"answers": path, "done": 2}]))
