"""Whether an answer is what was asked for."""

import pytest

from scripts.client import TogetherError
from scripts.client.asked_for import about, listed, made_id

CHECK = (
    "Check auth.base_url, and what keeps answers on the way. Where it gives things ids "
)
CREATE = {"method": "POST", "path": "/batches", "retry": "creates"}


def told(error):
    """What an error says, as Windmill shows it."""
    found = {name: value for name, value in vars(error).items() if value is not None}
    return {"message": str(error), **found}


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("b-1", {"id": "b-1"}),
        ("b-1", {"id": " B-1 "}),
        ("b-1 ", {"id": "b-1"}),
        ("b-1", {"id": "batch-b-1"}),
        ("b-1", {"id": "a-b-1"}),
        ("batch-b-1", {"id": "b-1"}),
        ("b-1", {"id": "b-1-of-2"}),
        ("b-1-of-2", {"id": "b-1"}),
        ("ft-9f3a2c71", {"id": "ft-9f3a2c71-0b5e"}),
        ("9f3a2c71", {"id": "9f3a2c710b5e"}),
        ("0b5e9f3a", {"id": "7a0b5e9f3a"}),
        ("7", {"id": 7}),
        ("b-1", {"id": None}),
        ("b-1", {"id": ""}),
        ("b-1", {"name": "another"}),
        ("b-1", {}),
        ("b-1", ["no", "object"]),
        ("b-1", None),
    ],
)
def test_an_answer_about_what_was_asked_for_comes_back_as_it_is(asked, answer):
    assert about(asked, answer) is answer


def test_the_id_may_have_another_name():
    assert about("m", {"name": "m", "id": "another"}, "name")
    with pytest.raises(TogetherError, match="is about another"):
        about("m", {"name": "another", "id": "m"}, "name")


@pytest.mark.parametrize(
    "own", ["b-2", "x-b-2", "b-12", "b-12-x", "b-1x", "xb-1", "b-", 8, True, ["b-1"]]
)
def test_an_answer_about_another_thing_is_an_error_that_has_it(own):
    answer = {"id": own, "rest": 1}

    with pytest.raises(TogetherError) as caught:
        about("b-1", answer)

    assert told(caught.value) == {
        "message": f"What was asked for is b-1, and the answer is about {own}.",
        "type": "invalid_answer",
        "partial": answer,
        "ambiguous": False,
        "advice": f"{CHECK}of its own, ask for that of the answer.",
    }


def test_no_more_than_the_beginning_of_a_long_id_is_told():
    with pytest.raises(TogetherError) as caught:
        about("a", {"id": "b" * 9000})

    assert str(caught.value).endswith(f" about {'b' * 200}.")


@pytest.mark.parametrize(
    ("answer", "made"),
    [({"id": "b-1"}, "b-1"), ({"id": 7, "x": 1}, "7"), ({"id": 0}, "0")],
)
def test_what_was_made_has_an_id(answer, made):
    assert made_id(answer, CREATE) == made
    assert made_id({"other": "o"}, CREATE, "other") == "o"


@pytest.mark.parametrize(
    "answer", [{}, {"id": None}, {"id": ""}, {"id": " \n"}, {"id": ["b"]}, ["b"], None]
)
@pytest.mark.parametrize(
    ("find", "look"),
    [
        ({}, "look in the dashboard"),
        ({"find": "list_batches"}, "look with list_batches"),
    ],
)
def test_what_was_made_without_an_id_may_exist(answer, find, look):
    with pytest.raises(TogetherError) as caught:
        made_id(answer, {**CREATE, **find})

    partial = {} if answer is None else {"partial": answer}
    assert told(caught.value) == {
        "message": "The service did not say the id of what it made.",
        "type": "invalid_answer",
        "method": "POST",
        "path": "/batches",
        "ambiguous": True,
        "advice": f"It may exist: {look} before running the step again.",
        **partial,
    }


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ([{"id": "a"}, {"id": "b"}], [{"id": "a"}, {"id": "b"}]),
        ({"data": [{"id": "a"}]}, [{"id": "a"}]),
        ({"data": [{"id": "a"}], "next_cursor": None}, [{"id": "a"}]),
        ({"data": None}, []),
        ({"data": []}, []),
        ([], []),
    ],
)
def test_a_list_is_read_in_either_shape(answer, found, capsys):
    assert listed(answer) == found
    assert listed(answer, "id") == found
    assert capsys.readouterr().err == ""


def test_entries_that_are_none_are_left_out_and_counted(capsys):
    answer = {"data": [{"id": "a"}, None, "b", {"id": ""}, {"id": 7}, {"x": 1}]}

    assert listed(answer, "id") == [{"id": "a"}]
    left = capsys.readouterr().err
    assert left == "together: 5 of 6 entries of a list were left out: they are none\n"
    assert listed(answer) == [{"id": "a"}, {"id": ""}, {"id": 7}, {"x": 1}]
    left = capsys.readouterr().err
    assert left == "together: 2 of 6 entries of a list were left out: they are none\n"


def test_a_list_that_goes_on_says_so(capsys):
    assert listed({"data": [{"id": "a"}, {"id": "b"}], "next_cursor": "c"}, "id")
    said = capsys.readouterr().err
    assert said == "together: the list goes on behind its first 2 entries, unread\n"


@pytest.mark.parametrize("answer", [None, "list", 7, {"error": "x"}, {"data": "x"}])
def test_an_answer_without_a_list_is_an_error(answer):
    with pytest.raises(TogetherError) as caught:
        listed(answer)

    partial = {} if answer is None else {"partial": answer}
    assert told(caught.value) == {
        "message": "What should be a list is none in the answer.",
        "type": "invalid_answer",
        "ambiguous": False,
        "advice": "Check auth.base_url: what answers there may not be the API.",
        **partial,
    }
