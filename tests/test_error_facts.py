"""What an error says besides its words."""

from scripts.client import TogetherError


def test_one_wrong_argument_is_told_with_what_to_do():
    error = TogetherError.refused("field", "is wrong")

    assert str(error) == "Nothing was sent: field is wrong"
    assert vars(error) == {
        "type": "invalid_argument",
        "advice": "Correct the field named and run the step again.",
        "ambiguous": False,
        "problems": [{"field": "field", "problem": "is wrong"}],
    }


def test_several_are_told_together():
    problems = [
        {"field": "a", "problem": "is wrong"},
        {"field": "b", "problem": "is missing"},
    ]
    error = TogetherError.refused_all(problems)

    assert str(error) == "Nothing was sent: a is wrong; b is missing"
    assert vars(error) == {
        "type": "invalid_argument",
        "advice": "Correct the fields named and run the step again.",
        "ambiguous": False,
        "problems": problems,
    }


def test_what_is_known_better_is_said_instead():
    more = {"type": "not_sent", "advice": "Ask again.", "status": 400}
    error = TogetherError.refused("a", "is wrong", **more)
    listed = TogetherError.refused_all([], "all of it", **more)

    assert vars(error) | more == vars(error)
    assert vars(listed) | more == vars(listed)
    assert str(listed) == "Nothing was sent: all of it"
    assert error.tries is None  # what nobody said is there, as nothing
    assert "tries" not in vars(error)
