"""Passages found by their words, and the index that keeps them."""

import math
import re
from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scripts.client import TogetherError
from scripts.documents import word_index
from scripts.documents.word_index import (
    BadIndexError,
    TooMuchError,
    WordIndex,
    read_index,
    runs,
)
from tests.support.expected_request import main_of
from tools.operations import find

KEPT = "handbook/words.index"
TERMS = {"text": "The guarantee lasts two years.", "filename": "terms.md"}
DAYS = {"text": "We deliver on Mondays.", "filename": "days.md"}


def rank(auth, question, rows, **more):
    return main_of(find("rank_passages"))(auth, question, rows, **more)


def keep(auth, *documents, index=KEPT, **more):
    return main_of(find("index_documents"))(auth, list(documents), index, **more)


def indexed(*texts):
    index = WordIndex()
    for number, text in enumerate(texts):
        line = f'{{"start": 0, "text": "{number}"}}\n'.encode()
        index.add({"key": f"{number}", "source": "a", "digest": "d"}, [text], line)
    return index


@pytest.mark.parametrize(
    ("question", "text", "other"),
    [
        ("GUARANTEE?", "The guarantee lasts two years.", "We deliver on Mondays."),
        ("Straße", "Die STRASSE ist gesperrt.", "Der Weg ist frei."),
        ("garantía", "La garantia dura dos anos.", "Entregamos el lunes."),
        ("保証期間は", "製品の保証期間は二年です。", "配達は月曜日です。"),
        ("猫", "彼は白い猫", "彼は白い犬"),
        ("ｶﾞｷﾞ", "ガギ", "カキ"),
        ("รับประกัน", "ระยะเวลารับประกันสองปี", "ส่งวันจันทร์"),
        ("보증", "보증은 2년입니다", "월요일에 배달합니다"),
        ("हिन्दी", "यह हिन्दी है", "यह दूसरा वाक्य"),
        ("гарантия", "ГАРАНТИЯ два года", "доставка в понедельник"),
        ("שלום", "שָׁלוֹם עולם", "יום שני"),
        ("ISO 9001", "We follow ISO 9001.", "We follow ISO 14001."),
    ],
)
def test_a_question_finds_its_words_in_any_script(question, text, other, auth):
    found = rank(auth, question, [{"text": other}, {"text": text}])

    assert [one["text"] for one in found["passages"]] == [text, other]
    assert found["passages"][0]["score"] > found["passages"][1]["score"]
    assert found["cost_usd"] == 0
    assert "note" not in found


def test_signs_that_are_compared_as_they_stand_are_what_folding_makes_of_them():
    """The short way, for texts that need no folding, finds what the long one does."""
    plain = [chr(n) for n in range(0x20000) if not 0xD800 <= n < 0xE000]
    plain = [sign for sign in plain if not word_index.FOLDED.search(sign)]

    assert len(plain) > 20_000
    for sign in plain:
        text = f"か{sign}A{sign}b"
        words, signs = runs(f"{text} é")
        assert runs(text) == (words[:-1], signs), hex(ord(sign))


def bm25(texts, question, k1=1.2, b=0.75):
    """The scores by the formula as it is written in books, of words between blanks."""
    bags = [Counter(text.split()) for text in texts]
    average = sum(bag.total() for bag in bags) / len(bags) or 1
    scores = []
    for bag in bags:
        score = 0.0
        for term in set(question.split()):
            having = sum(term in other for other in bags)
            idf = math.log((len(bags) - having + 0.5) / (having + 0.5) + 1)
            long = 1 - b + b * bag.total() / average
            score += idf * bag[term] * (k1 + 1) / (bag[term] + k1 * long)
        scores.append(score)
    return scores


@given(
    st.lists(st.text("abc ", max_size=30), min_size=1, max_size=9),
    st.text("abc ", max_size=9),
)
def test_scores_are_those_of_bm25(texts, question):
    wanted = bm25(texts, question)
    for index in (indexed(*texts), read_index(indexed(*texts).written())):
        found = index.best(question, len(texts))
        assert [wanted[n] for _, n in found] == pytest.approx([s for s, _ in found])
        assert found == sorted(found, key=lambda one: (-one[0], one[1]))


def by_twos(text):
    """Each two signs of a text as words, and the last of each run alone."""
    return " ".join(run[n : n + 2] for run in text.split() for n in range(len(run)))


@example(["猫猫猫犬 犬", "猫 a 犬", ""], "猫猫犬")
@given(
    st.lists(st.text("猫犬鳥 ", max_size=30), min_size=1, max_size=9),
    st.text("猫犬鳥", min_size=2, max_size=9),
)
def test_scores_of_signs_are_those_of_bm25_over_each_two_of_them(texts, question):
    asked = [question[n : n + 2] for n in range(len(question) - 1)]
    wanted = bm25(list(map(by_twos, texts)), " ".join(asked))
    for index in (indexed(*texts), read_index(indexed(*texts).written())):
        found = index.best(question, len(texts))
        assert [wanted[n] for _, n in found] == pytest.approx([s for s, _ in found])


def test_a_sign_alone_counts_wherever_it_is():
    found = indexed("犬だ", "猫が猫と、猫", "猫が犬と、犬").best("猫", 3)

    assert [number for _, number in found] == [1, 2, 0]
    assert found[2] == (0.0, 0)


def test_of_many_terms_each_is_found():
    text = " ".join(f"w{n}" for n in range(9000))
    index = indexed("other", text)

    assert all(index.best(f"w{n}", 1)[0][1] == 1 for n in range(0, 9000, 7))
    assert index.best("w9001", 1)[0] == (0.0, 0)


def test_rows_without_text_are_left_out_and_vectors_do_not_come_back(auth):
    rows = [{"text": "One day", "embedding": [1.0], "id": 7}, {"name": "Ada"}]

    found = rank(auth, "day", rows)

    (passage,) = found["passages"]
    assert passage == {"text": "One day", "id": 7, "score": passage["score"]}
    assert found["note"] == "1 rows are left out: they have no text"
    with pytest.raises(TogetherError, match="have no text"):
        rank(auth, "day", [{"name": "Ada"}])


def test_what_has_no_word_of_the_question_is_said(auth):
    found = rank(auth, "Wie lange?", [{"text": "Two years."}, {"text": "Days"}], top=1)

    assert [one["score"] for one in found["passages"]] == [0]
    assert found["note"].startswith("No passage has a word of the question")


def test_an_index_is_asked_in_place_of_its_passages(auth, workspace):
    kept = keep(auth, DAYS, TERMS)

    assert kept["s3"] == KEPT
    assert kept["count"] == 2
    (passage, _) = rank(auth, "guarantee", {"s3": KEPT})["passages"]
    score = passage.pop("score")
    text = TERMS["text"]
    assert passage == {"id": 2, "source": "terms.md", "start": 0, "text": text}
    rows = [{"text": DAYS["text"]}, {"text": text}]
    assert rank(auth, "guarantee", rows)["passages"][0]["score"] == score


def changes(kept):
    return {one["source"]: one["change"] for one in kept["documents"]}


def test_an_index_is_read_as_one_however_it_is_given(auth, workspace):
    keep(auth, TERMS, DAYS)
    for rows in (f"s3:///{KEPT}", [{"s3": KEPT}], [{"s3": KEPT, "filename": "x"}]):
        found = rank(auth, "guarantee", rows)["passages"]
        assert [one["source"] for one in found] == ["terms.md", "days.md"]
    with pytest.raises(TogetherError, match="list of 2 files: give one of them"):
        rank(auth, "guarantee", [{"s3": KEPT}, {"s3": "other"}])


PAGES = "\f# One\n\nAbout cats.\fText ## no heading\n## Two ##\nAbout dogs.\f\fEnd."


def test_passages_say_their_page_and_heading(auth, workspace):
    """Those of an index and those that are cut anew, for what cites them."""
    document = {"text": PAGES, "filename": "pets.md"}
    keep(auth, document, {"text": PAGES, "filename": "pets.txt"}, size=100, overlap=0)
    found = rank(auth, "dogs cats end", {"s3": KEPT})["passages"]
    cut = main_of(find("split_documents"))(auth, [document], size=100, overlap=0)

    (told,) = cut["passages"]
    assert (told["page"], told["heading"]) == (2, "One")
    assert [(one["page"], one.get("heading")) for one in found] == [
        (2, "One"),
        (2, None),
    ]


def test_a_comment_in_code_is_no_heading(auth):
    text = "# One\n\n```\n# comment\n" + "code\n" * 30 + "```\n\n" + "Words. " * 30
    cut = main_of(find("split_documents"))(
        auth, [{"text": text, "filename": "a.md"}], size=100, overlap=0
    )

    assert {one["heading"] for one in cut["passages"]} == {"One"}


def test_a_citation_has_document_page_heading_and_text(auth):
    long = PAGES.replace("About cats.", "About cats. " * 20).replace(
        "dogs.", "dogs. " * 20
    )
    document = {"text": long, "filename": "pets.md"}
    cut = main_of(find("split_documents"))(auth, [document], size=100, overlap=0)
    numbers = [n + 1 for n, one in enumerate(cut["passages"]) if "dogs" in one["text"]]
    cite = main_of(find("cite_answer"))
    found = cite(auth, f"Dogs [{numbers[-1]}].", cut["passages"])

    (citation,) = found["citations"]
    text = cut["passages"][numbers[-1] - 1]["text"]
    assert (citation["source"], citation["text"]) == ("pets.md", text)
    assert (citation["page"], citation["heading"]) == (3, "Two")
    assert "pets.md, page 3, Two: " in found["markdown"].replace("\\", "")


def test_an_index_takes_in_what_changed(auth, workspace, monkeypatch):
    keep(auth, TERMS, DAYS)
    cut = []
    whole = word_index.runs
    monkeypatch.setattr(word_index, "runs", lambda t: cut.append(t) or whole(t))
    changed = {**TERMS, "text": "The guarantee lasts three years."}

    kept = keep(auth, changed, DAYS, {"text": "New.", "filename": "new.md"})

    assert changes(kept) == {
        "terms.md": "changed",
        "days.md": "kept",
        "new.md": "added",
    }
    assert cut == ["The guarantee lasts three years.", "New."]
    assert kept["count"] == 3
    found = rank(auth, "guarantee", {"s3": KEPT})["passages"]
    assert found[0]["text"] == changed["text"]
    assert TERMS["text"] not in [one["text"] for one in found]


def test_nothing_is_written_where_nothing_changed(auth, workspace):
    keep(auth, TERMS, DAYS)
    before = len([r for r in workspace.requests if r.method == "POST"])

    kept = keep(auth, TERMS)

    assert changes(kept) == {"terms.md": "kept"}
    assert (kept["s3"], kept["count"], kept["removed"]) == (KEPT, 2, [])
    assert len([r for r in workspace.requests if r.method == "POST"]) == before


def test_other_documents_stay_or_go(auth, workspace):
    keep(auth, TERMS, DAYS)

    assert keep(auth, TERMS)["removed"] == []
    kept = keep(auth, TERMS, remove_others=True)

    assert (kept["removed"], kept["count"]) == (["days.md"], 1)
    assert len(rank(auth, "Mondays", {"s3": KEPT})["passages"]) == 1


def test_other_lengths_cut_a_document_anew(auth, workspace):
    long = {"text": "One day. " * 100, "filename": "a.md"}
    first = keep(auth, long)

    again = keep(auth, long, size=100, overlap=0)

    assert changes(again) == {"a.md": "changed"}
    assert again["count"] > first["count"]


def test_a_document_is_known_by_its_place(auth, workspace):
    for folder in ("a", "b"):
        workspace.put(f"{folder}/terms.md", f"Terms of {folder}.".encode())
    both = [{"s3": "a/terms.md"}, {"s3": "b/terms.md"}]

    assert keep(auth, *both)["count"] == 2
    workspace.put("b/terms.md", b"Other terms.")
    kept = keep(auth, *both)
    assert [one["change"] for one in kept["documents"]] == ["kept", "changed"]
    with pytest.raises(TogetherError, match=r"documents\[1\] has the name of another"):
        keep(auth, TERMS, {**DAYS, "filename": "terms.md"})


def test_a_text_without_a_name_takes_no_other_s_place(auth, workspace):
    plain = [{"text": one["text"]} for one in (TERMS, DAYS)]
    for one in plain:
        kept = keep(auth, one)
    assert (kept["count"], keep(auth, *plain)["count"]) == (2, 2)


def test_a_score_of_the_user_s_stays(auth):
    (found,) = rank(auth, "good", [{"text": "good", "score": 5}])["passages"]
    assert (found["row_score"], found["score"] > 0) == (5, True)


def test_a_document_that_cannot_be_read_leaves_the_index_as_it_was(auth, workspace):
    keep(auth, TERMS)
    before = workspace.content(KEPT)

    with pytest.raises(TogetherError, match=r"documents\[1\] is a PDF") as caught:
        keep(auth, DAYS, {"text": "%PDF-1.7", "filename": "a.pdf"})

    assert "pypdf" in caught.value.advice
    assert workspace.content(KEPT) == before


def test_without_storage_there_is_no_index(auth, workspace):
    workspace.storage = False
    with pytest.raises(TogetherError) as caught:
        keep(auth, TERMS)
    assert caught.value.type == "no_storage"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"lengths": [7]', b'"lengths": [7, 7]'),
        (b'"lengths": [7]', b'"lengths": [-1]'),
        (b'"lengths": [7]', b'"lengths": "55"'),
        (b"guarantee\t0", b"guarantee\t1"),
        ("証".encode("utf-16-le"), b"\n\0"),
        (b"guarantee\t0", b"guarantee\tx"),
        (b"guarantee\t0", b"guarantee\t0:0"),
        (b"guarantee\t0", b"guarantee\t0:" + b"9" * 5000),
        (b'{"start"', b'["start"'),
        (b'"text": "The', b'"test": "The'),
        (b'"documents"', b'"document_"'),
        (b"years", b""),
    ],
)
def test_a_damaged_index_is_refused(old, new, auth, workspace):
    keep(auth, {**TERMS, "text": f"{TERMS['text']} 保証"})
    content = workspace.content(KEPT)
    assert old in content
    head, _, rest = content.partition(b"\n")
    changed = rest.replace(old, new, 1) if old in rest else rest
    head = head if old in rest else head.replace(old, new, 1)
    grown = len(changed) - len(rest)
    if grown > 0:
        size = int(re.search(rb", (\d+), 4]", head)[1])
        head = head.replace(b", %d, 4]" % size, b", %d, 4]" % (size + grown))
    workspace.put(KEPT, head + b"\n" + changed)

    with pytest.raises(TogetherError, match="is damaged: delete it"):
        rank(auth, "guarantee 保証", {"s3": KEPT})


@example(0, b"")
@given(st.integers(0, 400), st.binary(max_size=4))
def test_an_index_with_any_bytes_changed_breaks_nothing(place, data):
    content = indexed("a guarantee", "b guarantee b", "猫が猫").written()
    changed = content[:place] + data + content[place + len(data) :]

    try:
        index = read_index(changed)
        found = [index.passage(n) for _, n in index.best("b guarantee 猫", 9)]
    except (BadIndexError, TooMuchError):
        return
    assert len(found) == len(index.best("b", 9))


def test_what_is_no_index_is_refused(auth, workspace):
    workspace.put(KEPT, b"a,b\n1,2\n")
    with pytest.raises(TogetherError, match="index is no index"):
        keep(auth, TERMS)
    assert workspace.content(KEPT) == b"a,b\n1,2\n"


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("MOST_PASSAGES", "are more than 1 passages"),
        ("INDEXED_CHARACTERS", "are more than 0 Mi characters"),
        ("INDEX_BYTES", "make an index of more than 0 MiB"),
    ],
)
def test_more_than_is_held_at_once_is_refused(
    name, problem, auth, workspace, monkeypatch
):
    monkeypatch.setattr(word_index, name, 1)

    with pytest.raises(TogetherError, match=f"documents {problem}"):
        keep(auth, TERMS, DAYS)
    if name != "INDEX_BYTES":
        with pytest.raises(TogetherError, match=problem) as caught:
            rank(auth, "q", [{"text": "One"}, {"text": "Two"}])
        assert "index_documents" in caught.value.advice
