"""Rows in are rows out: for any table, in any form, each row once, in its place, with
its columns as they were."""

import base64
import csv
import io
import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scripts.batches.collect_rows import main as collect_rows
from scripts.chat import map_rows as mapping
from scripts.embeddings.embed_rows import main as embed_rows
from scripts.files.read_rows import main as read_rows
from scripts.rerank.search_documents import main as search_documents
from scripts.table.table import Table, digest
from tests.support.byte_server import ByteServer, Thing
from tools.models import model

KEY = "tgp_conserve_0123456789"
MODEL = model("chat")
AUTH = {"api_key": KEY}
# Any text but what no table can hold: NUL, halves of characters, marks of byte order.
TEXT = st.text(st.characters(exclude_characters="\0\ufeff", exclude_categories=("Cs",)))
NAMES = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=8)
NUMBERS = st.one_of(
    st.integers(1 - 2**53, 2**53 - 1), st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXT),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3)
    ),
    max_leaves=4,
)
OWN = {"answer", "answer_error", "embedding", "embedding_error", "custom_id"}
ROW = st.dictionaries(NAMES.filter(lambda name: name not in OWN), VALUES, max_size=4)
ROWS = st.lists(ROW, min_size=1, max_size=12)
QUICK = settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def auth(fault_sandbox):
    return {"api_key": KEY, "base_url": fault_sandbox.url}


def without(row, *names):
    return {name: value for name, value in row.items() if name not in names}


def kept(found, rows):
    """Assert that each row stands in its place with what it had, and an outcome."""
    assert [
        without(row, "answer", "answer_error", "custom_id") for row in found
    ] == rows
    for row in found:
        assert (row["answer"] is None) != (row["answer_error"] is None)


@given(rows=st.lists(ROW.map(lambda row: {**row, "q": "?"}), min_size=1, max_size=12))
@QUICK
def test_map_rows_keeps_every_row(rows, auth, fault_sandbox):
    odd = len(rows) // 2
    for number, row in enumerate(rows):
        row["q"] = "" if number == odd else f"q{number}"
    result = mapping.main(auth, "{{q}}", [*rows, {"q": "last"}], MODEL)
    kept(result["rows"], [*rows, {"q": "last"}])
    assert [row["answer"] for row in result["rows"]] == [
        f"{row['q']}!" if row["q"] else None for row in [*rows, {"q": "last"}]
    ]
    assert (result["done"], result["failed"]) == (len(rows), 1)


@given(texts=st.lists(TEXT, min_size=1, max_size=90), size=st.integers(1, 9))
@QUICK
def test_embed_rows_gives_each_text_its_own_vector(texts, size, auth, fault_sandbox):
    """In whichever order and number the service answers."""

    def respond(number, text, times):
        asked = fault_sandbox.bodies[-1]["input"]
        data = [
            {"index": n, "embedding": [float(len(one)), float(size)]}
            for n, one in enumerate(asked)
        ]
        return {"data": data[size % len(data) :] + data[: size % len(data)]}

    fault_sandbox.respond = respond
    rows = [{"n": n, "text": text} for n, text in enumerate(["x", *texts])]
    result = embed_rows(auth, model("embedding"), rows)
    assert [without(r, "embedding", "embedding_error") for r in result["rows"]] == rows
    for row in result["rows"]:
        if row["embedding_error"] is None:
            assert row["embedding"] == [len(row["text"]), size]
        else:
            assert not re.sub(r"[\s\x1a\ufffd]", "", row["text"])
    assert result["done"] + result["failed"] == len(rows)


@given(count=st.integers(1, 40), shift=st.integers(0, 40))
@QUICK
def test_search_documents_names_each_document_once(count, shift, auth, fault_sandbox):
    documents = [f"text {n}" for n in range(count)]

    def respond(number, text, times):
        order = sorted(range(count), key=lambda n: (n * 7 + shift) % count)
        return {"results": [{"index": n, "relevance_score": n / count} for n in order]}

    fault_sandbox.respond = respond
    found = search_documents(auth, MODEL, "q", documents)["results"]
    assert sorted(one["index"] for one in found) == list(range(count))
    assert all(one["document"] == documents[one["index"]] for one in found)
    scores = [one["score"] for one in found]
    assert scores == sorted(scores, reverse=True)


@pytest.fixture(scope="module")
def files():
    with ByteServer() as server:
        yield server


def line_of(name, said):
    choice = {
        "message": {"role": "assistant", "content": said},
        "finish_reason": "stop",
    }
    body = {"model": MODEL, "choices": [{"index": 0, **choice}]}
    response = {"status_code": 200, "body": body}
    return {"custom_id": name, "response": response}


@given(
    rows=ROWS,
    order=st.randoms(use_true_random=False),
    lost=st.sets(st.integers(0, 11)),
    end=st.sampled_from(["\n", "", "\r\n"]),
)
@QUICK
def test_collect_rows_keeps_every_row(rows, order, lost, end, files):
    """Lines in any order, some of them lost, in the error file or twice."""
    names = [f"{n}-{digest(row)}" for n, row in enumerate(rows)]
    lines = [line_of(name, f"a{n}") for n, name in enumerate(names) if n not in lost]
    wrong = [
        {"custom_id": name, "error": {"message": "too long"}}
        for n, name in enumerate(names)
        if n in lost and n % 2
    ]
    lines += lines[:1]
    order.shuffle(lines)
    batch = {"id": "b", "status": "COMPLETED", "input_file_id": "i"}
    batch |= {"output_file_id": "o", "error_file_id": "e"}
    files.things["/v1/batches/b"] = Thing(json.dumps(batch).encode())
    for name, content in (("o", lines), ("e", wrong)):
        text = (end or "\n").join(map(json.dumps, content)) + end
        files.things[f"/v1/files/{name}/content"] = Thing(text.encode())
    auth = {"api_key": KEY, "base_url": files.url}
    if len(lost & set(range(len(rows)))) == len(rows):
        return
    result = collect_rows(auth, "b", rows)
    kept(result["rows"], rows)
    for number, row in enumerate(result["rows"]):
        assert row["answer"] == (None if number in lost else f"a{number}")
        if number in lost:
            words = "too long" if number % 2 else "without an answer"
            assert words in row["answer_error"]


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0\ufeff\x1a\ufffd"))


@given(
    header=st.lists(NAMES, min_size=2, max_size=5, unique=True),
    table=st.lists(st.lists(CELLS, min_size=5, max_size=5), min_size=1, max_size=9),
    delimiter=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n"]),
)
@QUICK
def test_any_csv_is_read_cell_by_cell(header, table, delimiter, end):
    """All in quotes, as programs write what holds signs, quotes and line ends."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(
        buffer, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator=end
    )
    writer.writerow(header)
    cells = [row[: len(header)] for row in table]
    writer.writerows(cells)
    expected = [
        dict(zip(header, row, strict=True))
        for row in cells
        if any(cell.strip() for cell in row)
    ]
    if not expected:
        return
    text = buffer.getvalue()
    assert list(Table(AUTH, {"text": text, "filename": "t.csv"})) == expected


@given(rows=ROWS, indent=st.sampled_from([None, 1]))
@QUICK
def test_any_json_is_read_value_by_value(rows, indent):
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    array = json.dumps(rows, ensure_ascii=indent is None, indent=indent)
    for text in (lines, array, array.encode("utf-16")):
        data = text if isinstance(text, bytes) else text.encode()
        assert list(Table(AUTH, given_file(data))) == rows
    assert read_rows(AUTH, rows=given_file(lines.encode()))["rows"] == rows


def given_file(data):
    return {"file": base64.b64encode(data).decode(), "filename": "t.json"}
