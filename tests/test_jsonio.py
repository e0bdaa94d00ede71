"""JSON as it comes: numbers beyond use, nesting beyond reading."""

import gc
import json
import math
import time

import pytest

from scripts.client import jsonio
from scripts.client.jsonio import (
    LARGEST,
    MANY_VALUES,
    MOST_DIGITS,
    MOST_NESTING,
    encoder,
    finite,
    is_deep,
    moment_of,
    noting_decoder,
    parse_json,
    storable,
    values_bytes,
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


MOMENT = 1793707200.0  # 2026-11-03T12:00:00Z


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-11-03T12:00:00Z", MOMENT),
        (" 2026-11-03T12:00:00.000000+00:00\n", MOMENT),
        ("2026-11-03T14:00:00+02:00", MOMENT),
        ("2026-11-03T12:00:00", MOMENT),
        ("2026-11-03", MOMENT - 43_200),
        ("20261103", MOMENT - 43_200),
        (int(MOMENT), MOMENT),
        (MOMENT + 0.5, MOMENT + 0.5),
        (str(int(MOMENT)), MOMENT),
        (MOMENT * 1000, MOMENT),
        (str(int(MOMENT * 1000)), MOMENT),
        (jsonio.FIRST_MOMENT, 1e9),
        (jsonio.FIRST_MOMENT - 1, None),
        (jsonio.FIRST_MILLISECONDS, 1e9),
        (jsonio.FIRST_MILLISECONDS - 1, None),
        ("0001-01-01T00:00:00Z", None),
        ("1970-01-01T00:00:00Z", None),
        ("2001-09-09T01:46:40Z", 1e9),
        ("2001-09-09T01:46:39Z", None),
        (1e29, None),
        ("1e400", None),
        (math.nan, None),
        ("0001-01-01T00:00:00+23:59", None),
        ("yesterday", None),
        ("", None),
        (0, None),
        (True, None),
        (None, None),
        ({}, None),
    ],
)
def test_a_moment_is_one_or_nothing(value, moment, monkeypatch):
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert moment_of(value) == moment
    finally:
        monkeypatch.undo()
        time.tzset()


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


SAFE = 2**53 - 1  # the last whole number up to which JavaScript keeps each


@pytest.mark.parametrize(
    ("digits", "value"),
    [
        (str(SAFE), SAFE),
        (str(-SAFE), -SAFE),
        (str(SAFE + 1), str(SAFE + 1)),
        (str(-SAFE - 1), str(-SAFE - 1)),
        ("9" * 15, 10**15 - 1),
        ("9" * 16, "9" * 16),
        ("-" + "9" * 19, "-" + "9" * 19),
        ("9" * 5000, "9" * 5000),
    ],
)
def test_a_whole_number_that_javascript_would_round_is_text(digits, value):
    assert parse_json(digits.encode()) == (value, None)


def test_bytes_that_are_no_utf_8_are_replaced_and_counted(capsys):
    assert parse_json(b'["a\xff", NaN]') == (["a\ufffd", "NaN"], None)

    assert capsys.readouterr().err == f"together: 2 {LOST}\n"


LOST = (
    "values that JSON or Windmill's database cannot hold (NaN, Infinity, NUL, half a "
    "surrogate pair) were replaced"
)
KEPT = [
    ("a", "a", 0),
    ("\u00e4\U0001f600", "\u00e4\U0001f600", 0),
    ("a\x00b", "a\ufffdb", 1),
    ("\x00\x00", "\ufffd\ufffd", 2),
    ("\ud83d\ude00", "\U0001f600", 0),
    ("\ud83d", "\ufffd", 1),
    ("\ufffd\udfff", "\ufffd\ufffd", 1),
    ("\ufffd", "\ufffd", 0),
    (math.inf, "Infinity", 1),
    (-math.inf, "-Infinity", 1),
    (math.nan, "NaN", 1),
    (1.5, 1.5, 0),
    (5, 5, 0),
    (True, True, 0),
    (None, None, 0),
    (["a\x00", [math.inf]], ["a\ufffd", ["Infinity"]], 2),
    ({"a\x00": {"b": "\ud83d"}}, {"a\ufffd": {"b": "\ufffd"}}, 2),
]


@pytest.mark.parametrize(("value", "kept", "count"), KEPT)
def test_what_the_database_cannot_hold_is_replaced_and_counted(
    value, kept, count, capsys
):
    assert storable(value, []) == kept
    told = f"together: {count} {LOST}\n" if count else ""
    assert capsys.readouterr().err == told

    earlier = ["NaN"]
    assert storable(value, earlier) == kept
    assert capsys.readouterr().err == f"together: {count + 1} {LOST}\n"
    assert earlier == ["NaN"]


def test_an_escaped_half_of_a_pair_is_looked_for_only_where_one_may_be(monkeypatch):
    looked = []
    monkeypatch.setattr(jsonio, "storable", lambda value, lost: looked.append(value))

    for text in ('["a"]', '["\u00e4"]', r'["\u00e4"]', '["\x00"]'):
        parse_json(text.encode())

    assert looked == [["\u00e4"], ["\x00"]]


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("x" * ((1 << 20) - 1), 0),
        ("[" + " " * (1 << 20), 64),
        ("{" * 2 + " " * (1 << 20), 400),
        ("[,,," + " " * (1 << 20), 64 + 3 * 32),
        (" " * (1 << 20), 0),
        ("[" * (1 << 20), 64 << 20),
    ],
)
def test_the_memory_of_values_is_told_from_their_text(text, size):
    assert values_bytes(text) == size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        # its bytes, its text as Python holds it, and its values' texts
        (b"a" * 8, 8 + 8 + 8),
        ("\u00e4".encode() * 4, 8 + 4 + 4),
        ("\u20ac".encode() * 4, 12 + 2 * 4 + 2 * 4),
        ("\U0001f600".encode() * 4, 16 + 4 * 4 + 4 * 4),
        (rb"\u20ac" * 4, 24 + 24 + 2 * 4),
        (rb"\uD83D\ude00", 12 + 12 + 4 * 2),
        (rb"a\ud8aa", 7 + 7 + 4 * 2),
        ("\u20ac".encode() + rb"\ud83d\ude00", 15 + 2 * 13 + 4 * 3),
    ],
)
def test_the_memory_of_texts_is_told_from_their_bytes(text, size):
    assert jsonio._texts_bytes(text) == size


@pytest.mark.parametrize(
    ("bound", "words"),
    [
        ("MOST_TEXT_BYTES", "longer texts"),
        ("MOST_VALUE_BYTES", "more values"),
    ],
)
def test_what_takes_more_memory_than_there_is_is_not_read(
    bound, words, monkeypatch, capsys
):
    data = b"[" + b" " * MANY_VALUES + b"]"
    monkeypatch.setattr(jsonio, "WIDE_FROM", len(data) - 1)
    most = {"MOST_TEXT_BYTES": 3 * len(data), "MOST_VALUE_BYTES": 64}[bound]

    monkeypatch.setattr(jsonio, bound, most)
    assert parse_json(data) == ([], None)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(jsonio, bound, most - 1)
    assert parse_json(data) == (None, f"of {words} than can be held")
    said = f"the JSON holds {words} than there is memory for, and is not read"
    assert capsys.readouterr().err == f"together: {said}\n"


def test_short_json_is_not_weighed(monkeypatch):
    monkeypatch.setattr(jsonio, "MOST_TEXT_BYTES", 0)
    monkeypatch.setattr(jsonio, "MOST_VALUE_BYTES", 0)
    monkeypatch.setattr(jsonio, "WIDE_FROM", 2)

    assert parse_json(b"[]") == ([], None)
    assert parse_json(b"[1]") == (None, "of longer texts than can be held")


@pytest.mark.parametrize("collects", [True, False])
@pytest.mark.parametrize("end", [b"]", b"] 2", b""])
def test_the_collector_rests_while_much_is_read_and_is_as_it_was(
    end, collects, monkeypatch
):
    seen = []
    decode = jsonio._decode

    def watched(text):
        seen.append(gc.isenabled())
        return decode(text)

    monkeypatch.setattr(jsonio, "_decode", watched)
    if not collects:
        gc.disable()
    try:
        parse_json(b"[" + b" " * MANY_VALUES + b"1" + end)
        after = gc.isenabled()
        parse_json(b"[1" + end)
    finally:
        gc.enable()

    assert seen == [False, collects]
    assert after is collects


def test_a_value_nested_too_deep_is_a_problem_of_its_own():
    most = b"[" * MOST_NESTING + b"1" + b"]" * MOST_NESTING

    assert parse_json(most)[1] is None
    told = (None, f"nested more than {MOST_NESTING} deep")
    assert parse_json(b"[" + most + b"]") == told
    assert parse_json(b'{"a": ' + most + b"}") == told
    assert parse_json(b"[" * 100_000) == (None, "not JSON")
    text = b"[" * (MOST_NESTING + 9)
    assert parse_json(b'["' + text + b'"]') == ([text.decode()], None)


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("form", [{}, {"ensure_ascii": False}, {"sort_keys": True}])
def test_an_encoder_writes_what_dumps_does(monkeypatch, form, compiled):
    if not compiled:
        monkeypatch.setattr(json.encoder, "c_make_encoder", None)
    encoded = encoder(**form)
    values = [
        "\u00fc\ud800\u2028",
        {"b": [1, 2.5, math.inf, True, None], "a": {}},
        7,
        [],
    ]

    for value in [*values, values]:
        assert encoded(value) == json.dumps(value, **form)
    for _ in range(2):  # one that fails leaves nothing behind
        with pytest.raises(TypeError):
            encoded({"a": {1}})
    assert encoded(values) == json.dumps(values, **form)


def test_what_is_no_json_is_noted_by_its_name():
    lost = []
    text = '[1e999, -1e999, NaN, -Infinity, 12345678901234567890, 1.5, -0.5, "a\tb"]'

    found = noting_decoder(lost).decode(text)

    names = ["Infinity", "-Infinity", "NaN", "-Infinity"]
    assert found == [*names, "12345678901234567890", 1.5, -0.5, "a\tb"]
    assert lost == names
