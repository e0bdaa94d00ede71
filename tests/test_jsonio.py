"""JSON as it comes: numbers beyond use, nesting beyond reading."""

import math

import pytest

from scripts.client.jsonio import (
    LARGEST,
    MOST_DIGITS,
    MOST_NESTING,
    finite,
    is_deep,
    parse_json,
)

NUMBERS = [
    (5, 5),
    (0, 0),
    (-2.5, -2.5),
    ("7", 7),
    (" 7 ", 7),
    ("-7", -7.0),
    ("1.5", 1.5),
    ("1e3", 1000.0),
    ("\u0663", 3),
    ("1" * MOST_DIGITS, int("1" * MOST_DIGITS)),
    ("1" * (MOST_DIGITS + 1), None),
    ("1_000", None),
    ("seven", None),
    ("", None),
    ("nan", None),
    ("inf", None),
    ("-inf", None),
    (math.nan, None),
    (math.inf, None),
    (LARGEST, None),
    (-LARGEST, None),
    (LARGEST / 2, LARGEST / 2),
    (-LARGEST / 2, -LARGEST / 2),
    (10**400, None),
    (True, None),
    (False, None),
    (None, None),
    ([5], None),
    ({}, None),
]


@pytest.mark.parametrize(("value", "number"), NUMBERS)
def test_a_number_is_one_or_nothing(value, number):
    found = finite(value)

    assert found == number
    assert type(found) is type(number)


def nested(depth, inner, kind=list):
    for _ in range(depth):
        inner = [inner] if kind is list else {"a": inner}
    return inner


@pytest.mark.parametrize("kind", [list, dict])
@pytest.mark.parametrize(
    ("depth", "inner", "deep"),
    [
        (1, 1, False),
        (1, "text", False),
        (MOST_NESTING, 1, False),
        (MOST_NESTING, "text", False),
        (MOST_NESTING + 1, 1, True),
        (MOST_NESTING - 1, [], False),
        (MOST_NESTING + 5, 1, True),
    ],
)
def test_what_nests_deeper_than_is_read_is_told(depth, inner, deep, kind):
    assert is_deep(nested(depth, inner, kind)) is deep
    assert is_deep([1, nested(depth, inner, kind)]) is (deep or depth >= MOST_NESTING)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[1e999, -1e999, 1.5]", ["Infinity", "-Infinity", 1.5]),
        ("[NaN, Infinity, -Infinity]", ["NaN", "Infinity", "-Infinity"]),
        (f"[{'9' * 400}.5]", ["Infinity"]),
        (f"[{'9' * 400}, {2**53}]", ["9" * 400, str(2**53)]),
        ("[1e308, 1e-999, 12e3]", [1e308, 0.0, 12000.0]),
        ('["1e999", "NaN"]', ["1e999", "NaN"]),
        (" \t\r\n[1] \n", [1]),
        ("\ufeff[1]", [1]),
        ('["a\\u0000b\\ud83d"]', ["a\ufffdb\ufffd"]),
    ],
)
def test_numbers_and_texts_become_what_can_be_kept(text, value):
    assert parse_json(text.encode()) == (value, None)


@pytest.mark.parametrize(
    "text", ["", " ", "[1", "[1] 2", "[1e999", "[1e999] 2", "\xa01"]
)
def test_what_is_no_json_is_told(text):
    assert parse_json(text.encode()) == (None, "not JSON")
