"""The step that sorts texts into categories, against the sandbox."""

import math

import pytest

from scripts.catalog.pricing import job_unpaid
from scripts.client import TogetherError
from scripts.structured.category_answers import CategoryAnswer, codes_of
from tests.support.canned_chat import MODEL, asked, fail_after, price, say, usage
from tests.support.expected_request import main_of
from tools.local.job_runner import run
from tools.operations import find
from tools.sandbox import Fault

CLASSIFY = main_of(find("chat/classify_text"))
LABELS = [
    {"name": "delivery", "description": "parcels late or lost"},
    {"name": "payment"},
    {"name": "praise"},
]
CODED = {"A": "delivery", "B": "payment", "C": "late payment"}


def classify(auth, **arguments):
    return CLASSIFY(
        auth, **{"model": MODEL, "text": "Lost!", "labels": LABELS, **arguments}
    )


def recognised(text, coded, multiple):
    """The codes that an answer names, None where it is no answer."""
    mentions = CategoryAnswer(text, coded).mentions(multiple)
    return None if mentions is None else codes_of(mentions)


def rated(text, *tokens, form="content"):
    """An answer with log probabilities: (token, probability, {other: probability})."""

    def answer(body, whole):
        rows = [
            (token, math.log(p), {t: math.log(q) for t, q in others.items()})
            for token, p, others in tokens
        ]
        if form == "content":
            found = {
                "content": [
                    {
                        "token": token,
                        "logprob": value,
                        "top_logprobs": [
                            {"token": t, "logprob": v} for t, v in others.items()
                        ],
                    }
                    for token, value, others in rows
                ]
            }
        else:
            found = {
                "tokens": [token for token, _, _ in rows],
                "token_logprobs": [value for _, value, _ in rows],
            }
            if form == "lists and others":
                found["top_logprobs"] = [others for _, _, others in rows]
        whole["choices"][0]["logprobs"] = found
        whole["choices"][0]["message"]["content"] = text
        return whole

    return answer


def test_a_text_is_put_into_a_category(sandbox, auth):
    found = classify(auth, instructions="Be strict.")

    assert "delivery" == found["label"]
    assert ["delivery"] == found["labels"]
    assert {**usage(), "cached_tokens": 0} == found["usage"]
    assert found["cost_usd"] == pytest.approx(price(21, 27))
    (body,) = asked(sandbox)
    system, user = body["messages"]
    assert (
        "A: delivery - parcels late or lost\nB: payment\nC: praise"
        in (system["content"])
    )
    assert "the letter of the one category" in system["content"]
    assert system["content"].endswith("Be strict.")
    assert "Lost!" == user["content"]
    assert body["logprobs"] is True


def test_texts_will_do_for_categories(sandbox, auth):
    assert "x" == classify(auth, labels=["x", "y"])["label"]


ALTERNATIVES = {"B": 0.6, " B": 0.2, "A": 0.1, "The": 0.05}


@pytest.mark.parametrize("form", ["content", "lists and others"])
def test_scores_come_from_the_probabilities_of_the_answer(form, sandbox, auth):
    say(sandbox, rated("B", ("B", 0.6, ALTERNATIVES), form=form))

    found = classify(auth)

    assert found["confidence"] == pytest.approx(0.8 / 0.9, abs=1e-4)
    assert found["scores"] == {
        "delivery": pytest.approx(0.1 / 0.9, abs=1e-4),
        "payment": found["confidence"],
        "praise": 0.0,
    }


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        (
            "<think>A or B?</think>\nB",
            [("<think>", 1, {}), ("A or B?", 0.1, {}), ("</think>\n", 1, {})],
        ),
        ("**B**", [("**", 0.5, {})]),
        ("Answer: B", [("Answer", 0.5, {}), (":", 0.5, {})]),
    ],
)
def test_the_answer_is_found_behind_other_words(text, tokens, sandbox, auth):
    say(
        sandbox,
        rated(text, *tokens, (" B", 0.9, {" B": 0.9, " A": 0.1}), ("\n", 1, {})),
    )

    found = classify(auth)

    assert "payment" == found["label"]
    assert found["confidence"] == pytest.approx(0.9, abs=1e-4)


def test_a_category_s_name_counts_with_all_its_tokens(sandbox, auth):
    say(sandbox, rated("payment", ("pay", 0.5, {}), ("ment", 0.5, {})))

    found = classify(auth)

    assert 0.25 == found["confidence"]
    assert {"delivery": None, "payment": 0.25, "praise": None} == found["scores"]


def test_an_article_is_no_code(sandbox, auth):
    """A is delivery: of "a delivery problem" the word counts, and no " a" beside it."""
    others = {" delivery": 0.3, " payment": 0.6, " a": 0.05, " B": 0.05}
    tokens = [
        ("This is", 0.9, {}),
        (" a", 0.99, {" a": 0.99}),
        (" delivery", 0.3, others),
    ]
    say(sandbox, rated("This is a delivery problem", *tokens, (" problem", 0.9, {})))

    found = classify(auth)

    assert (found["label"], found["confidence"]) == ("delivery", round(0.3 / 0.95, 4))
    assert found["scores"]["payment"] == round(0.65 / 0.95, 4)


def test_what_stands_before_the_answer_is_not_its_place(sandbox, auth):
    """Neither thoughts, nor what is said of another category, nor what comes after."""
    tokens = [("<think>B, ", 0.1, {}), ("B", 0.2, {}), (" or A</think>", 1, {})]
    answer = [("B", 0.9, {"B": 0.9, "A": 0.1}), (": it is B", 0.5, {}), ("\n", 1, {})]
    say(sandbox, rated("<think>B, B or A</think>B: it is B", *tokens, *answer))

    assert classify(auth)["confidence"] == 0.9


def test_of_a_category_that_is_named_again_the_first_place_counts(sandbox, auth):
    tokens = [("Delivery", 0.6, {}), (". It is about ", 1, {}), ("delivery", 0.99, {})]
    say(sandbox, rated("Delivery. It is about delivery", *tokens))

    assert classify(auth)["confidence"] == 0.6


def test_a_verdict_is_as_sure_as_its_own_word(sandbox, auth):
    tokens = [
        ("A:", 1.0, {"A:": 1.0}),
        (" no", 0.8, {" no": 0.8, " yes": 0.2}),
        ("\nB:", 1.0, {"\nB:": 1.0}),
        (" yes", 0.7, {" yes": 0.7, " no": 0.3}),
    ]
    say(sandbox, rated("A: no\nB: yes", *tokens))

    found = classify(auth)

    assert (found["label"], found["confidence"]) == ("payment", 0.7)
    assert found["scores"] == {"delivery": None, "payment": 0.7, "praise": None}


def test_that_all_are_denied_shows_in_no_one_place(sandbox, auth):
    say(sandbox, rated("A: no\nB: no\nC: no", ("A: no\nB: no\nC: no", 0.5, {})))

    found = classify(auth, multiple=True)

    assert (found["labels"], found["confidence"]) == ([], None)
    assert "do not show the answer" in found["confidence_note"]


def test_without_alternatives_only_the_answer_has_a_score(sandbox, auth):
    say(sandbox, rated("B", ("B", 0.7, {}), form="lists"))

    found = classify(auth)

    assert 0.7 == found["confidence"]
    assert {"delivery": None, "payment": 0.7, "praise": None} == found["scores"]


def test_names_among_the_alternatives_count_too(sandbox, auth):
    others = {"payment": 0.5, "praise": 0.25, "Payment": 0.125, "the": 0.1}
    say(sandbox, rated("payment", ("payment", 0.5, others)))

    found = classify(auth)

    assert found["confidence"] == pytest.approx(0.625 / 0.875, abs=1e-4)
    assert found["scores"]["praise"] == pytest.approx(0.25 / 0.875, abs=1e-4)


ODD = [
    None,
    3,
    [],
    {},
    {"tokens": []},
    {"tokens": ["B"], "token_logprobs": [None]},
    {"tokens": ["B"], "token_logprobs": []},
    {"content": []},
    {"content": 5},
    {"content": [{"token": "B"}]},
]


@pytest.mark.parametrize("given", ODD)
def test_without_probabilities_the_confidence_is_none_with_a_reason(
    given, sandbox, auth
):
    def bare(body, whole):
        whole["choices"][0]["logprobs"] = given
        whole["choices"][0]["message"]["content"] = "B"
        return whole

    say(sandbox, bare)
    found = classify(auth)

    assert "payment" == found["label"]
    assert found["confidence"] is None
    assert "no log probabilities" in found["confidence_note"]
    assert {"delivery", "payment", "praise"} == set(found["scores"])
    assert [None] * 3 == list(found["scores"].values())


@pytest.mark.parametrize("value", [-9999, "-Infinity"])
def test_answers_that_are_not_possible_have_no_confidence(value, sandbox, auth):
    def bare(body, whole):
        rows = [{"token": "B", "logprob": value, "top_logprobs": [5]}]
        whole["choices"][0]["logprobs"] = {"content": rows}
        whole["choices"][0]["message"]["content"] = "<answer>B</answer>"
        return whole

    say(sandbox, bare)
    found = classify(auth)

    assert ("payment", None) == (found["label"], found["confidence"])
    assert found["confidence_note"]


REFUSALS = [
    "invalid type: boolean `true`, expected an integer",
    "top_logprobs must be at most 5",
    "logprobs: at most 1 is supported",
    "logprobs is not supported",
]


@pytest.mark.parametrize("count", range(5))
def test_the_form_of_logprobs_that_the_model_takes_is_found(count, sandbox, auth):
    for words in REFUSALS[:count]:
        refusal = {"error": {"message": words, "type": "invalid_request_error"}}
        sandbox.faults.append(Fault("chat/completions", 400, body=refusal))

    assert "delivery" == classify(auth)["label"]
    forms = [
        {n: body[n] for n in ("logprobs", "top_logprobs") if n in body}
        for body in asked(sandbox)
    ]
    assert (
        forms
        == [
            {"logprobs": True, "top_logprobs": 20},
            {"logprobs": True, "top_logprobs": 5},
            {"logprobs": 5},
            {"logprobs": 1},
            {},
        ][: count + 1]
    )


def test_another_refusal_is_the_error(sandbox, auth):
    sandbox.faults.append(Fault("chat/completions", 400, body={"error": "no such"}))

    with pytest.raises(TogetherError, match="no such"):
        classify(auth)


def test_several_categories_may_fit(sandbox, auth):
    say(
        sandbox,
        rated(
            "A, C",
            ("A", 0.9, {"A": 0.9, "B": 0.08}),
            (",", 1.0, {",": 1.0}),
            (" C", 0.6, {" C": 0.6, "NONE": 0.3}),
        ),
    )

    found = classify(auth, multiple=True)

    assert "delivery" == found["label"]
    assert ["delivery", "praise"] == found["labels"]
    assert 0.6 == found["confidence"]
    assert {"delivery": 0.9, "payment": 0.08, "praise": 0.6} == found["scores"]
    assert "separated by commas" in asked(sandbox)[0]["messages"][0]["content"]


def test_none_may_fit(sandbox, auth):
    say(sandbox, rated("NONE", ("NONE", 0.8, {"NONE": 0.8, "A": 0.1})))

    found = classify(auth, multiple=True)

    assert found["label"] is None
    assert [] == found["labels"]
    assert 0.8 == found["confidence"]
    assert 0.1 == found["scores"]["delivery"]


def test_many_categories_are_numbered(sandbox, auth):
    say(sandbox, "31")

    found = classify(auth, labels=[f"topic {n}" for n in range(1, 41)])

    assert "topic 31" == found["label"]
    system = asked(sandbox)[0]["messages"][0]["content"]
    assert "40: topic 40" in system
    assert "the number of the one" in system


def test_categories_that_are_letters_are_numbered_too(sandbox, auth):
    say(sandbox, "2")

    assert "A" == classify(auth, labels=["B", "A"])["label"]


def test_marks_in_the_names_of_categories_do_not_matter(sandbox, auth):
    say(sandbox, "Acme Inc.")

    assert "Acme Inc." == classify(auth, labels=["Acme Inc.", "Other (all)"])["label"]


def test_other_words_are_asked_again_with_the_list(sandbox, auth, capsys):
    say(sandbox, "It is complicated.", "B")

    found = classify(auth)

    assert "payment" == found["label"]
    assert 2 * usage()["total_tokens"] == found["usage"]["total_tokens"]
    again = asked(sandbox)[1]["messages"][-1]["content"]
    assert "A (delivery), B (payment), C (praise)" in again
    assert "names no category" in capsys.readouterr().err


def test_none_may_fit_when_asked_again_too(sandbox, auth):
    say(sandbox, "It is complicated.", "NONE")

    assert classify(auth, multiple=True)["labels"] == []
    again = asked(sandbox)[1]["messages"][-1]["content"]
    assert "if none fits, answer NONE" in again
    assert "the letters of all categories" in again


def test_an_answer_that_names_none_twice_is_an_error_that_keeps_it(sandbox, auth):
    say(sandbox, "It is complicated.")

    with pytest.raises(TogetherError, match="named no category") as caught:
        classify(auth)

    assert "It is complicated." == caught.value.partial
    assert 2 == len(asked(sandbox))
    assert caught.value.cost_usd == pytest.approx(2 * price(21, 27))
    assert not job_unpaid(vars(caught.value))


def test_an_answer_that_was_paid_is_in_the_error_of_the_question_after_it(
    sandbox, auth
):
    fail_after(sandbox, "It is complicated.")

    with pytest.raises(TogetherError, match="too long") as caught:
        classify(auth)

    error = caught.value
    assert error.status == 400
    assert error.partial == {
        "text": "It is complicated.",
        "usage": {**usage(), "cached_tokens": 0},
        "cost_usd": pytest.approx(price(21, 27)),
        "model": MODEL,
    }
    assert (error.usage, error.cost_usd) == (
        error.partial["usage"],
        error.partial["cost_usd"],
    )
    assert not job_unpaid(vars(error))


def test_a_list_that_was_cut_is_no_answer(sandbox, auth):
    def cut(body, whole):
        whole["choices"][0]["finish_reason"] = "length"
        whole["choices"][0]["message"]["content"] = "A, B"
        return whole

    say(sandbox, cut)

    with pytest.raises(TogetherError, match="cut before it named all") as caught:
        classify(auth, multiple=True)
    assert caught.value.partial == "A, B"
    assert classify(auth, labels=["A, B", "x"])["label"] == "A, B"


def test_an_answer_that_was_cut_is_not_asked_for_again(sandbox, auth):
    def cut(body, whole):
        whole["choices"][0]["finish_reason"] = "length"
        whole["choices"][0]["message"]["content"] = "<think>Well, it is about"
        return whole

    say(sandbox, cut)

    with pytest.raises(TogetherError, match="Raise max_tokens"):
        classify(auth, max_tokens=7)
    (body,) = asked(sandbox)
    assert 7 == body["max_tokens"]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Not payment", None),
        ("This is not a payment", None),
        ("It isn't about money: no payment.", None),
        ("This is not payment, it is delivery", ["A"]),
        ("Neither payment nor delivery", None),
        ("Not sure, but payment", ["B"]),
        ("I have no doubt: payment", ["B"]),
    ],
)
def test_a_category_that_is_denied_is_not_chosen(text, codes):
    assert recognised(text, CODED, multiple=False) == codes


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("A", ["A"]),
        ("a", ["A"]),
        (" **B**.\n", ["B"]),
        ('"C"', ["C"]),
        ("(a)", ["A"]),
        ("B) payment", ["B"]),
        ("B: Payment", ["B"]),
        ("B - because money is missing", None),
        ("B. It is about money", ["B"]),
        ("Payment", ["B"]),
        ("`late payment`", ["C"]),
        ("The category is late payment.", ["C"]),
        ("The answer is B", ["B"]),
        ("Answer: C", ["C"]),
        ("This is about a delivery, I think", ["A"]),
        ("delivery or payment", None),
        ("A parcel was lost", None),
        ("B\n\nBecause money is missing.", ["B"]),
        ("**payment**\nA customer owes money, no parcel.", ["B"]),
        ("B\n\nIt is about delivery.", None),
        ("B\n\nWait, it is C.", None),
        ("B\n\nWait.\n\nAnswer: C", ["C"]),
        ("B\nC", None),
        ("D", None),
        ("", None),
        ("NONE", None),
    ],
)
def test_an_answer_is_recognised_in_what_models_write(text, codes):
    assert codes == recognised(text, CODED, multiple=False)


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("A, B", ["A", "B"]),
        ("B,A,B", ["B", "A"]),
        ("A\nC", ["A", "C"]),
        ("- A\n- B", ["A", "B"]),
        ("A and C", ["A", "C"]),
        ("[payment, delivery]", ["B", "A"]),
        ("It fits payment as well as delivery.", ["B", "A"]),
        ("Category: A or B", ["A", "B"]),
        ("NONE", []),
        ("None.", []),
        ("Hm", None),
        ("", None),
    ],
)
def test_several_answers_are_recognised(text, codes):
    assert codes == recognised(text, CODED, multiple=True)


LETTERED = dict(zip("ABCDEFGHI", map("name {}".format, range(9)), strict=True))
MEALS = {"A": "Food", "B": "Drink", "C": "Food and drink"}
ANSWERS = {"A": "yes", "B": "no"}


@pytest.mark.parametrize(
    ("text", "coded", "multiple", "codes"),
    [
        ("My answer: I cannot tell which category fits.", LETTERED, False, None),
        ("Answer: I don't know.", LETTERED, False, None),
        ("The category is A difficult one.", LETTERED, False, None),
        ("My answer: I.", LETTERED, False, ["I"]),
        ("The answer is A, as it says.", LETTERED, False, ["A"]),
        ("I think the answer is B because it says so.", LETTERED, False, ["B"]),
        ("Category: A or B", LETTERED, False, None),
        ("The answer is I or B", LETTERED, False, None),
        ("Food and drink", MEALS, True, ["C"]),
        ("Food and drink, Drink", MEALS, True, ["C", "B"]),
        ("Food and Drink", {"A": "Food", "B": "Drink"}, True, ["A", "B"]),
        ("There is no way this is not a yes", ANSWERS, False, None),
        ("No, it is none.", ANSWERS, False, ["B"]),
        ("The answer is no.", ANSWERS, False, ["B"]),
        ("There is no doubt: yes", ANSWERS, False, ["A"]),
    ],
)
def test_words_that_look_like_a_category_are_none(text, coded, multiple, codes):
    assert codes == recognised(text, coded, multiple)


TOPICS = {"A": "sports", "B": "politics", "C": "science"}


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("A: sports\nB: politics", "AB"),
        ("A. sports, B. politics", "AB"),
        ("A) sports; C) science", "AC"),
        ("**A: sports**\n**B: politics**", "AB"),
        ("A - sports\nB - politics", "AB"),
        ("A (sports), B (politics)", "AB"),
        ("A (no), B (yes)", "B"),
        ("A: yes\nB: no\nC: yes", "AC"),
        ("A:yes,B:no,C:yes", "AC"),
        ("A: yes. B: no. C: yes.", "AC"),
        ("A: true, B: false, C: true", "AC"),
        ("A: no\nB: no\nC: no", ""),
        ("A: no\nB: no\nC: no\n\nAnswer: NONE", ""),
        ("sports: yes\npolitics: no\nscience: no", "A"),
        ("A: it is about a match.\nB: it names a minister.", "AB"),
        ("- **sports**: it is about a match\n- **politics**: a minister", "AB"),
        ("1. sports\n2. politics", "AB"),
        ("A: sports\nB: politics\nC: science\n\nAnswer: A, B", "AB"),
        ("Having read it: the answer is A, B", "AB"),
        ("A, and B", "AB"),
        ("It is about sports, and also about politics.", "AB"),
        ("not at all sports, but politics", "B"),
        ("Sports, no; politics, yes", "B"),
        ("Not fitting: sports, politics. Fitting: science", "C"),
        ("The answer: none of them", ""),
    ],
)
def test_several_answers_are_recognised_in_what_is_said_of_each(text, codes):
    assert recognised(text, TOPICS, multiple=True) == [*codes]


@pytest.mark.parametrize(
    "text",
    [
        "A: politics, B: sports",
        "A (politics), B (sports)",
        "A: sports?\nB: politics",
        "A: no, it is politics",
        "A: yes\nB: no\nA: no",
        "A: yes B: no C: yes",
        "A (not sports), B (politics)",
        "A: 0.9, B: 0.1",
        "A: hardly, B: certainly",
        "A: no\nB: no",
        "no sports, politics or science",
        "It is none of these: sports, politics",
        "Not only is this sports, it is politics too",
        "Is it sports? Is it politics?",
    ],
)
def test_several_answers_that_may_be_meant_in_two_ways_are_none(text):
    assert recognised(text, TOPICS, multiple=True) is None


FEELINGS = {"A": "positive", "B": "negative", "C": "neutral"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("A: positive\nB: negative\nC: neutral\n\nAnswer: B", "B"),
        ("A: positive, B: negative, C: neutral. Answer: B", "B"),
        ("A: no\nB: yes\nC: no", "B"),
        ("Positive? No, negative.", "B"),
        ("Is it positive? No. It is negative.", "B"),
        ("Positive is wrong, it is negative", "B"),
        ("The sentiment is positive rather than negative", "A"),
        ("A: positive\nIt is not negative.", "A"),
        ("positive\n\nThe text is not negative or neutral.", "A"),
        ("A: positive (95 %)", "A"),
        ("A (95 %)", "A"),
        ("positive (not negative)", "A"),
        ("\\boxed{\\text{B}}", "B"),
        ("Answer: B: negative", "B"),
        ("The answer is A because it thanks them", "A"),
        ("This is a positive text that is not long", "A"),
        ("A. The parcel has not come, e.g. today", "A"),
    ],
)
def test_one_category_is_recognised_among_others(text, code):
    assert recognised(text, FEELINGS, multiple=False) == [code]


@pytest.mark.parametrize(
    "text",
    [
        "not at all positive",
        "not really positive",
        "not very positive",
        "rather not positive",
        "cannot be positive",
        "can't be called positive",
        "wasn't positive",
        "doesn\u2019t sound positive",
        "It is not a clearly positive text",
        "I do not think that it is positive",
        "without anything positive",
        "anything but positive",
        "far from positive",
        "Das ist nicht positive",
        "positive does not fit",
        "The answer is not B",
        "The answer B is wrong",
        "A? No: B",
        "A. No, it is negative.",
        "A: unlikely, B: likely",
        "A: 0.1\nB: 0.9",
        "A: B",
        "A: negative",
        "A: positive\nB: negative\nC: neutral",
        "positive and negative",
    ],
)
def test_a_category_that_is_denied_in_other_words_is_not_chosen(text):
    assert recognised(text, FEELINGS, multiple=False) is None


@pytest.mark.parametrize("text", ["No", "No\n\nThe text says that it is late.", "B"])
def test_a_category_may_be_called_no(text):
    assert recognised(text, ANSWERS, multiple=False) == ["B"]


@pytest.mark.parametrize(
    ("names", "code"),
    [
        ([str(n) for n in range(28)], "C1"),
        (["A", "1", "2"], "C1"),
        (["B", "3", "2", "1"], "C1"),
        (["(a)", "C1", "2"], "CC1"),
        (["B", "other"], "1"),
        (["1", "2"], "A"),
    ],
)
def test_codes_are_no_names_of_categories(names, code, sandbox, auth):
    for number, name in enumerate(names):
        say(sandbox, name)
        assert classify(auth, labels=names)["label"] == name
        say(sandbox, list(codes_in(asked(sandbox)[-1]))[number])
        assert classify(auth, labels=names)["label"] == name
    assert next(codes_in(asked(sandbox)[0])) == code
    word = "letter" if code == "A" else "number" if code == "1" else "code"
    assert f"the {word} of the one" in asked(sandbox)[0]["messages"][0]["content"]


def codes_in(body):
    """The codes of the categories that a request names."""
    for line in body["messages"][0]["content"].splitlines()[1:-1]:
        yield line.partition(":")[0]


def test_a_category_may_be_called_none(sandbox, auth):
    say(sandbox, rated("None", ("None", 0.8, {"None": 0.8, "A": 0.1})))

    found = classify(auth, labels=["x", "None"], multiple=True)

    assert (found["labels"], found["confidence"]) == (["None"], 0.8)
    assert "if none fits" not in asked(sandbox)[0]["messages"][0]["content"]


@pytest.mark.parametrize(
    ("labels", "field"),
    [
        ([], "labels"),
        (["a", "A "], "labels[1].name"),
        ([{"description": "b"}], "labels[0].name"),
        ("a", "labels"),
        ([3], "labels[0]"),
    ],
)
def test_categories_that_are_none_are_refused_by_name(labels, field, sandbox, auth):
    with pytest.raises(TogetherError) as caught:
        classify(auth, labels=labels)

    assert field == caught.value.problems[0]["field"]
    assert not asked(sandbox)


@pytest.mark.slow
def test_a_worker_runs_it(sandbox, auth):
    arguments = {"model": MODEL, "text": "Lost!", "labels": LABELS}
    job = run("chat/classify_text", {"auth": auth, **arguments})

    assert not job.failed, job.result
    assert "delivery" == job.result["label"]
