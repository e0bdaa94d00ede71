"""The step that sorts texts into categories, against the sandbox."""

import math

import pytest

from scripts.client import TogetherError
from scripts.structured.classify_steps import recognised
from tests.support.canned_chat import MODEL, asked, price, say, usage
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


def test_an_answer_that_names_none_twice_is_an_error_that_keeps_it(sandbox, auth):
    say(sandbox, "It is complicated.")

    with pytest.raises(TogetherError, match="named no category") as caught:
        classify(auth)

    assert "It is complicated." == caught.value.partial
    assert 2 == len(asked(sandbox))
    assert caught.value.cost_usd == pytest.approx(2 * price(21, 27))


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
