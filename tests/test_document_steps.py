"""Documents in passages, the nearest of them, and what an answer cites."""

import base64
import io
import itertools
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.client import TogetherError
from scripts.documents.document_steps import pieces_of
from tests.support.expected_request import main_of
from tools.operations import find


def split(auth, *documents, **more):
    return main_of(find("split_documents"))(auth, list(documents), **more)


def word(text):
    """A Word file with these paragraphs."""
    paragraphs = "".join(f"<w:p><w:r><w:t>{t}</w:t></w:r></w:p>" for t in text)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("word/document.xml", f"<w:body>{paragraphs}</w:body>")
    return buffer.getvalue()


@given(
    st.text("ab. \n", max_size=600),
    st.integers(100, 200),
    st.integers(0, 99),
)
def test_passages_cover_the_text_and_keep_their_length(text, size, overlap):
    covered = set()
    for start, piece in pieces_of(text, size, overlap):
        assert piece == text[start : start + len(piece)]
        assert 0 < len(piece) <= size
        covered |= set(range(start, start + len(piece)))

    missed = "".join(text[place] for place in range(len(text)) if place not in covered)
    assert not missed.strip()


@given(st.text("ab. \n", min_size=300, max_size=900))
def test_the_start_of_passages_rises(text):
    starts = [start for start, _ in pieces_of(text, 120, 30)]

    assert all(a < b for a, b in itertools.pairwise(starts))


def test_each_passage_has_its_source_and_place(auth):
    found = split(auth, {"text": "One. " * 100, "filename": "a.md"}, "RGVhciBBZGE=")

    assert [d["passages"] for d in found["documents"]] == [found["count"] - 1, 1]
    first = found["passages"][0]
    assert (first["id"], first["source"], first["start"]) == (1, "a.md", 0)
    assert found["passages"][-1]["text"] == "Dear Ada"
    assert found["count"] == len(found["passages"])


def test_word_files_and_web_pages_become_their_text(auth):
    page = "<html><head><title>No</title></head><body><p>Two &amp; two</p><script>x()"
    page += "</script><p>make four</p></body></html>"

    found = split(
        auth,
        {"text": page, "filename": "page.html"},
        {"file": base64.b64encode(word(["Dear", "Ada"])).decode()},
    )

    texts = [passage["text"] for passage in found["passages"]]
    assert texts[0].split() == ["Two", "&", "two", "make", "four"]
    assert texts[1] == "Dear\n\nAda"


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"file": "UEsDBA=="}, "damaged archive, or cut short"),
        ({"file": "gIGC"}, "not text in UTF-8"),
        ({"text": "  "}, "no text"),
    ],
)
def test_a_document_that_cannot_be_read_is_named(document, problem, auth):
    with pytest.raises(TogetherError, match=problem) as caught:
        split(auth, document)
    assert caught.value.problems[0]["field"].startswith("documents")


@pytest.mark.parametrize("how", ["file", "url", "s3", "text"])
def test_a_pdf_is_refused_with_what_to_do_instead(how, auth, sandbox, workspace):
    content = b"\r\n%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + bytes(2 << 20)
    sandbox.objects["/terms.pdf"] = "application/pdf", content
    workspace.put("terms.pdf", content)
    given = {
        "file": base64.b64encode(content).decode(),
        "url": f"{sandbox.url}/terms.pdf",
        "s3": "terms.pdf",
        "text": "%PDF-1.7",
    }

    with pytest.raises(TogetherError, match="give its text") as caught:
        split(auth, {"text": "One."}, {how: given[how]}, output="storage")

    (problem,) = caught.value.problems
    assert problem["field"] == "documents[1]"
    assert problem["problem"].startswith("is a PDF")
    assert "pypdf" in caught.value.advice
    assert [key for _, key in workspace.objects if key != "terms.pdf"] == []
    assert not [r for r in sandbox.requests if r.path.startswith("/v")]


def test_passages_go_to_storage_and_come_back(auth, workspace, sandbox):
    stored = split(auth, {"text": "Dear Ada"}, output="storage")

    assert b'"text": "Dear Ada"' in workspace.content(stored["s3"])
    assert "passages" not in stored


def test_passages_too_many_for_a_result_go_to_storage_where_there_is_some(
    auth, workspace, capsys
):
    long = {"text": "Dear Ada. " * 200_000}
    stored = split(auth, long)

    assert "passages" not in stored
    assert "too many for a result" in stored["note"]
    lines = workspace.content(stored["s3"]).splitlines()
    assert len(lines) == stored["count"]
    workspace.storage = False
    assert len(split(auth, long)["passages"]) == stored["count"]
    assert "stay in the result" in capsys.readouterr().err


VECTORS = {"north": [0.0, 1.0], "north-east": [0.7, 0.7], "south": [0.0, -1.0]}


@pytest.fixture
def north(sandbox):
    """Let every question point north."""
    sandbox.answers["create_embeddings"] = lambda _: {
        "data": [{"index": 0, "embedding": [0.0, 2.0]}],
        "usage": {"prompt_tokens": 3, "total_tokens": 3},
    }


def rank(auth, rows, **more):
    return main_of(find("rank_passages"))(auth, "Where?", rows, "m", **more)


def test_the_nearest_passages_come_first_without_their_vectors(north, auth):
    rows = [{"text": name, "embedding": v} for name, v in VECTORS.items()][::-1]
    rows.insert(0, {"text": "none", "embedding": None, "embedding_error": "refused"})

    found = rank(auth, rows, top=2)

    assert found["passages"] == [
        {"text": "north", "similarity": 1.0},
        {"text": "north-east", "similarity": 0.707107},
    ]
    assert found["usage"]["prompt_tokens"] == 3


@pytest.mark.parametrize(
    "vector", [["NaN", 0.0], [None, None], "north", [[1], [2]], {}]
)
def test_rows_without_a_usable_vector_are_left_out(vector, north, auth):
    rows = [{"text": "a", "embedding": [1, 1]}, {"text": "b", "embedding": vector}]

    found = rank(auth, rows)

    assert ["a"] == [passage["text"] for passage in found["passages"]]
    assert found["note"].startswith("1 rows are left out")


@pytest.mark.parametrize("data", [[], None, [None], [{"embedding": ["NaN", 1]}], {}])
def test_a_question_without_a_usable_vector_is_an_error(data, sandbox, auth):
    sandbox.answers["create_embeddings"] = lambda arguments: {"data": data}

    words = "no usable vector of the question|there is nothing in it"
    with pytest.raises(TogetherError, match=words):
        rank(auth, [{"text": "a", "embedding": [1, 1]}])


def test_of_two_equally_near_the_earlier_comes_first(north, auth):
    rows = [{"text": name, "embedding": [0, 1]} for name in "abc"]

    assert [p["text"] for p in rank(auth, rows, top=2)["passages"]] == ["a", "b"]


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([{"text": "a"}], "no vectors"),
        ([{"text": "a", "embedding": [1.0]}], "another model"),
    ],
)
def test_rows_that_cannot_be_ranked_are_refused(rows, problem, north, auth):
    with pytest.raises(TogetherError, match=problem):
        rank(auth, rows)


def test_an_answer_s_numbers_are_looked_up_in_its_order(auth):
    passages = [{"source": f"{n}.md", "start": 0, "text": f"t{n}"} for n in (1, 2, 3)]
    cite = main_of(find("cite_answer"))

    found = cite(auth, "So [2], and so [1][2], not [9].", passages, [3, 9])

    assert [c["source"] for c in found["citations"]] == ["2.md", "1.md", "3.md"]
    assert found["unknown"] == [9]
    assert "- \\[2\\] 2.md: t2" in found["markdown"]
    assert "No passage is cited" not in found["markdown"]
    none = cite(auth, "Three years [9].", passages)
    assert none["answered"] is False
    assert none["markdown"].startswith("**No passage is cited")
