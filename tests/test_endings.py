"""How an answer ended, and what of an answer is an error: words that servers use."""

import pytest

from scripts.client import endings

NO_REASONS = [None, "", "stop", "eos", "tool_calls", "end_turn", 5, ["length"], "x"]


@pytest.mark.parametrize("reason", NO_REASONS)
def test_an_answer_is_whole_unless_its_reason_says_otherwise(reason):
    assert endings.ending(reason) == "whole"


@pytest.mark.parametrize(
    ("how", "word"), [(h, w) for h, ws in endings.ENDINGS for w in ws]
)
def test_each_known_word_tells_how_an_answer_ended(how, word):
    assert endings.ending(word) == how
    assert endings.ending(f" {word.replace('_', '-').upper()}: x ") == how


@pytest.mark.parametrize(
    ("reason", "how"),
    [
        ("timedOut", "broken"),
        ("timed out", "broken"),
        ("maxTokens", "cut"),
        ("MAX_TOKENS", "cut"),
        ("content_filter_error", "filtered"),
        ("length_error", "cut"),
        ("x" * 100 + "error", "whole"),
        ("x" * 95 + "error", "broken"),
    ],
)
def test_the_first_hundred_signs_of_a_reason_are_read_in_any_spelling(reason, how):
    assert endings.ending(reason) == how


@pytest.mark.parametrize(
    "value",
    [None, False, 0, "", [], {}, {"code": 0, "message": ""}, {"a": {"b": None}}],
)
def test_a_member_error_with_nothing_in_it_tells_of_none(value):
    assert not endings.is_error(value)
    assert not endings.tells_error({"id": "a", "error": value, "errors": value})


@pytest.mark.parametrize("value", [True, 1, "no", ["a"], {"code": 0, "message": "no"}])
def test_a_member_error_with_something_in_it_tells_of_one(value):
    assert endings.is_error(value)
    assert endings.tells_error({"id": "a", "error": value})
    assert endings.tells_error({"id": "a", "errors": value})


ERRORS = [
    {"id": "a", "object": "error"},
    {"id": "a", "type": "error"},
    {"id": "a", "success": False},
    {"id": "a", "status": "Error"},
    {"id": "a", "base_resp": {"status_code": 1004}},
    *({word: "no"} for word in endings.ERROR_WORDS),
    {"message": "no", **dict.fromkeys(endings.ERROR_MEMBERS - {"success"}, "x")},
]


@pytest.mark.parametrize("found", ERRORS)
def test_an_object_that_says_so_is_an_error(found):
    assert endings.tells_error(found) is True


ANSWERS = [
    {},
    {"id": "a", "message": "no"},
    {"code": 5, "status": "ok"},
    {"message": ""},
    {"id": "a", "object": "list", "type": "chat", "success": True, "status": "ok"},
    {"id": "a", "success": None, "status": 500},
    {"id": "a", "status": ["error"]},
    {"id": "a", "base_resp": {"status_code": 0}},
    {"id": "a", "base_resp": 1004},
]


@pytest.mark.parametrize("found", ANSWERS)
def test_an_object_that_does_not_say_so_is_none(found):
    assert endings.tells_error(found) is False


KNOWN = ("STATUS_DONE", "in_progress", "timed_out", "cancelled")


@pytest.mark.parametrize(
    ("state", "plain"),
    [
        ("in_progress", "in_progress"),
        (" In Progress ", "in_progress"),
        ("inProgress", "in_progress"),
        ("IN-PROGRESS", "in_progress"),
        ("canceled", "cancelled"),
        ("Cancelled", "cancelled"),
        ("TimedOut", "timed_out"),
        (" elsewhere ", "elsewhere"),
        ("cancelling", "cancelling"),
        (None, None),
        (5, 5),
    ],
)
def test_a_state_is_the_known_one_whatever_its_spelling(state, plain):
    assert endings.plain_state(state, KNOWN) == plain


def test_a_state_is_known_without_the_prefix_that_servers_put_before_it():
    known = ("done", "failed")

    assert endings.plain_state("STATUS_DONE", known, "STATUS_") == "done"
    assert endings.plain_state("status-failed", known, "STATUS_") == "failed"
    assert endings.plain_state("failed", known, "STATUS_") == "failed"
    assert endings.plain_state("STATUS_ODD", known, "STATUS_") == "ODD"
