"""What is said of a dataset before it is uploaded."""

import csv
import json
import random
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.client import TogetherError
from scripts.upload import dataset_check
from scripts.upload.dataset_check import Checker, check, flaws

USER = {"role": "user", "content": "Hi"}
BOT = {"role": "assistant", "content": "Hello"}
CHAT = {"messages": [USER, BOT]}
PREFERENCE = {
    "input": {"messages": [USER]},
    "preferred_output": [BOT],
    "non_preferred_output": [{"role": "assistant", "content": "No"}],
}
REQUEST = {"custom_id": "a", "body": {"model": "m", "messages": [USER]}}


def lines(*rows):
    return "".join(
        (row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows
    ).encode()


def told(content, purpose, file_type="jsonl", pieces=1):
    checker = Checker(purpose, file_type)
    step = max(1, -(-len(content) // pieces))
    for start in range(0, len(content), step):
        checker.feed(memoryview(content)[start : start + step])
    return checker.finish()


def mistakes(content, purpose, file_type="jsonl", pieces=1):
    with pytest.raises(TogetherError, match="Nothing was sent: file ") as caught:
        told(content, purpose, file_type, pieces)
    assert caught.value.ambiguous is False
    assert "check" in caught.value.advice
    return [(p.get("line"), p["problem"]) for p in caught.value.problems]


@pytest.mark.parametrize(
    ("rows", "purpose", "shape", "columns"),
    [
        ([CHAT, CHAT], "fine-tune", "conversation", ["messages"]),
        ([{**CHAT, "tools": []}, CHAT], "fine-tune", "conversation", None),
        ([{"text": "a"}], "fine-tune", "general", ["text"]),
        ([{"prompt": "a", "completion": "b"}], "fine-tune", "instruction", None),
        ([PREFERENCE], "fine-tune", "preference", None),
        ([REQUEST, {**REQUEST, "custom_id": "b"}], "batch-api", "batch", None),
        ([{"q": "a", "n": 1}, {"q": "b", "n": 2}], "eval", "table", ["q", "n"]),
        ([{"q": "a", "n": 1}, {"q": "b", "x": 2}], "eval", "table", ["q"]),
        ([{"anything": 1}], "calibration", None, ["anything"]),
        ([{"text": "a", "weight_of_mine": 2}], "fine-tune", "general", None),
    ],
)
def test_a_sound_dataset_is_described(rows, purpose, shape, columns):
    content = lines(*rows)

    found = told(content, purpose)

    assert (found["shape"], found["rows"]) == (shape, len(rows))
    assert found["bytes"] == len(content)
    assert columns is None or found["columns"] == columns


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "system", "content": "Be kind."}, USER, BOT],
        [USER, {**BOT, "weight": 0}, USER, {**BOT, "weight": 1}],
        [
            USER,
            {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]},
            {"role": "tool", "content": "7", "tool_call_id": "1"},
            BOT,
        ],
        [{"role": "user", "content": [{"type": "text", "text": "a"}]}, BOT],
        [{"role": "user", "content": ""}, {**BOT, "newer": True}],
    ],
)
def test_messages_of_every_kind_are_sound(messages):
    assert told(lines({"messages": messages}), "fine-tune")["rows"] == 1


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ("{", "is no JSON"),
        ('{"text": "a"} {"text": "b"}', "is no JSON: Extra data"),
        ("[1]", "must be a JSON object"),
        ('"text"', "must be a JSON object"),
        ('{"text": NaN}', "NaN is no JSON"),
        ("[" * 100_000, "nested too deeply"),
        ({"txet": "a"}, "must have text"),
        (CHAT, "is conversation: the first row is general"),
        ({"text": 5}, "must have text in text"),
        ({"text": ""}, "has an empty text"),
    ],
)
def test_a_bad_line_is_told_with_its_number(bad, words):
    content = lines({"text": "a"}, "", {"text": "b"}, bad, {"text": "c"})

    found = mistakes(content, "fine-tune")

    assert [line for line, _ in found] == [4]
    assert words in found[0][1]


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([], "must have a list of messages"),
        ("hi", "must have a list of messages"),
        (["hi"], "messages[0] must be an object"),
        ([{"role": "robot", "content": "x"}], "messages[0].role must be one of"),
        ([{"content": "x"}], "messages[0].role must be one of"),
        ([USER], "no message of the role assistant"),
        ([{"role": "user"}, BOT], "messages[0] must have content"),
        ([{"role": "user", "content": 5}, BOT], "text or a list of parts"),
        ([{"role": "user", "content": ["x"]}, BOT], "content[0] must be an object"),
        ([USER, {**BOT, "weight": 2}], "weight must be 0 or 1"),
        ([USER, {**BOT, "weight": True}], "weight must be 0 or 1"),
        ([USER, {**BOT, "tool_calls": "f"}], "tool_calls must be a list of objects"),
        ([USER, {**BOT, "tool_calls": ["f"]}], "tool_calls must be a list of objects"),
    ],
)
def test_what_is_wrong_with_a_message_is_told(messages, words):
    [(line, problem)] = mistakes(lines(CHAT, {"messages": messages}), "fine-tune")

    assert line == 2
    assert words in problem


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"input": "x"}, "input"),
        ({"input": {"messages": []}}, "input.messages"),
        ({"preferred_output": []}, "one message in preferred_output"),
        ({"non_preferred_output": [BOT, BOT]}, "one message in non_preferred_output"),
        ({"preferred_output": [USER]}, "preferred_output has no message"),
    ],
)
def test_what_is_wrong_with_a_preference_is_told(change, words):
    [(line, problem)] = mistakes(lines({**PREFERENCE, **change}), "fine-tune")

    assert line == 1
    assert words in problem


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"body": {"a": 1}}, "must have a custom_id"),
        ({"custom_id": 5, "body": {"a": 1}}, "must have a custom_id that is text"),
        ({"custom_id": "x" * 65, "body": {"a": 1}}, "custom_id of 65 characters"),
        ({**REQUEST}, "has the custom_id 'a' of line 1"),
        ({"custom_id": "b"}, "must have a body"),
        ({"custom_id": "b", "body": []}, "must have a body"),
    ],
)
def test_what_is_wrong_with_a_request_of_a_batch_is_told(row, words):
    [(line, problem)] = mistakes(lines(REQUEST, row), "batch-api")

    assert line == 2
    assert words in problem


def test_a_batch_has_its_limits(monkeypatch):
    rows = [{"custom_id": str(n), "body": {"a": n}} for n in range(50_001)]

    assert told(lines(*rows[:-1]), "batch-api", pieces=9)["rows"] == 50_000
    assert "more than 50000" in mistakes(lines(*rows), "batch-api", pieces=9)[0][1]
    monkeypatch.setattr(dataset_check, "BATCH_BYTES", 1 << 20)
    found = mistakes(b" " * (2 << 20), "batch-api", pieces=3)
    assert "larger than the 1 MB" in found[0][1]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PK\x03\x04\x14\0\n\xff", "a file of Word or Excel"),
        (b"\x1f\x8b\x08\0\n", "compressed with gzip"),
        (b"PAR1aaaaPAR1", "a Parquet file"),
    ],
)
def test_a_file_that_is_no_text_is_named(content, words):
    for purpose, kind in (("eval", "csv"), ("fine-tune", "jsonl")):
        [(line, problem)] = mistakes(content, purpose, kind)

        assert line is None
        assert words in problem


def test_text_that_is_not_utf8_is_told_with_its_place():
    content = lines(CHAT) + '{"messages": "caf\xe9"}\n'.encode("latin-1")

    found = mistakes(content, "calibration")

    assert found == [(2, "line 2 is not UTF-8 at byte 18: save the file as UTF-8")]
    marked = mistakes(b"\xef\xbb\xbf" + lines(CHAT), "fine-tune")
    assert "byte order mark" in marked[0][1]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"  \r\n"])
@pytest.mark.parametrize("purpose", ["fine-tune", "batch-api", "eval", "calibration"])
def test_an_empty_file_is_told(content, purpose):
    assert mistakes(content, purpose) == [(None, "is empty: it has no row")]


def test_many_mistakes_end_the_reading_early():
    found = mistakes(lines(*["{"] * 1000), "fine-tune")

    assert [line for line, _ in found] == list(range(1, 11))


@given(st.lists(st.sampled_from([CHAT, "", "  ", "{", "[]", USER]), max_size=9))
def test_how_it_is_cut_into_blocks_makes_no_difference(rows):
    content = lines(*rows)

    def outcome(pieces):
        try:
            return told(content, "fine-tune", pieces=pieces)
        except TogetherError as error:
            return error.problems

    assert outcome(1) == outcome(7) == outcome(len(content) or 1)


# --- tables and Parquet ------------------------------------------------------------


def test_csv_is_described():
    content = 'q,a\r\n"line one\nline ""two""",x\r\nplain,\xe9\n'.encode()
    for pieces in (1, 3, len(content)):
        found = told(content, "eval", "csv", pieces)

        assert (found["shape"], found["rows"]) == ("table", 2)
        assert found["columns"] == ["q", "a"]


def test_a_quote_within_a_field_opens_no_quotation():
    """As csv reads it: a quotation begins where a field does."""
    content = b'a,b\n5" pipe,"x\ny"\n6" pipe,"""z""\n"\n'
    for pieces in range(1, len(content)):
        assert told(content, "eval", "csv", pieces)["rows"] == 2


def test_the_line_is_told_behind_an_open_quotation():
    content = b'a,b\n1,"x\ny\n' + b"\xff\n" + b'z"\n'
    for pieces in range(1, len(content)):
        [(line, problem)] = mistakes(content, "eval", "csv", pieces)

        assert (line, "is not UTF-8 at byte 1" in problem) == (4, True)


def test_a_mark_of_byte_order_counts_at_the_start_alone():
    content = '"a\n\ufeffy",b\n1,2\n'.encode()
    for pieces in range(1, len(content)):
        assert told(content, "eval", "csv", pieces)["rows"] == 1


@pytest.mark.parametrize(
    ("content", "line", "words"),
    [
        (b"a,b\n1,2\n3\n", 3, "must have 2 fields"),
        (b'a,b\n"x\ny",2\n1,2,3\n', 4, "must have 2 fields"),
        (b"a,a\n1,2\n", 1, "a name of its own"),
        (b"a,b,c,b\n1,2,3,4\n", 1, "a name of its own (got 'b')"),
        (b"a,\n1,2\n", 1, "a name of its own"),
        (b'a,b\n"x"y,2\n', 2, "is no CSV"),
        (b'a,b\n1,"2\n', 2, "is no CSV"),
        (b"a;b\n1;2\n", 1, "separated by semicolons"),
        (b"a\tb\n1\t2\n", 1, "separated by tabs"),
        (b"a,b\n", None, "is empty"),
        (b"", None, "is empty"),
    ],
)
def test_what_is_wrong_with_csv_is_told(content, line, words):
    for pieces in (1, len(content) or 1):
        [(found, problem)] = mistakes(content, "eval", "csv", pieces)

        assert found == line
        assert words in problem


def test_a_cell_may_be_long_whatever_was_read_before():
    csv.field_size_limit(1 << 17)  # as Python begins

    assert told(b"a,b\n1," + b"x" * 200_000 + b"\n", "eval", "csv")["rows"] == 1


def test_two_formats_in_one_row_are_refused():
    for row in ({**CHAT, "text": "a"}, {"prompt": "a", "completion": "b", "text": "c"}):
        assert "two formats" in mistakes(lines(row), "fine-tune")[0][1]


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([BOT, USER, BOT], "begins with the assistant"),
        ([USER, USER, BOT], "two messages of the user in a row"),
        ([USER, BOT, BOT], "two messages of the assistant in a row"),
        ([USER, {**BOT, "weight": 0}], "weight 0 throughout"),
    ],
)
def test_what_the_guide_forbids_is_a_warning(messages, words):
    found = told(lines(CHAT, {"messages": messages}), "fine-tune")

    assert found["rows"] == 2
    assert [words in text and "line 2" in text for text in found["warnings"]] == [True]
    assert flaws({"messages": messages})[0] == []
    assert words in flaws({"messages": messages})[1][0]


def test_turns_with_tools_are_in_order():
    system = {"role": "system", "content": "S"}
    calls = {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}
    tool = {"role": "tool", "content": "", "tool_call_id": "1"}

    assert "warnings" not in told(
        lines({"messages": [system, USER, calls, tool, tool, BOT, USER, BOT]}),
        "fine-tune",
    )


def test_a_quotation_without_end_is_told(monkeypatch):
    monkeypatch.setattr(dataset_check, "RECORD_CHARACTERS", 1000)
    content = b'a,b\n1,"' + b"x\n" * 5000

    assert "does not end" in mistakes(content, "eval", "csv", 50)[0][1]


def test_the_type_must_suit_the_purpose():
    assert "evaluations only" in mistakes(b"a\n1\n", "fine-tune", "csv")[0][1]
    whole = b"PAR1" + b"x" * 20 + b"PAR1"
    assert "no Parquet" in mistakes(whole, "batch-api", "parquet")[0][1]
    for pieces in (1, 2, 28):
        assert told(whole, "fine-tune", "parquet", pieces)["bytes"] == 28
    for cut in (b"", b"PAR1", whole[:-1], lines(CHAT)):
        found = mistakes(cut, "fine-tune", "parquet", 3)
        assert found == [(None, "is no whole Parquet file")]


# --- size --------------------------------------------------------------------------


def test_a_large_file_is_checked_in_constant_memory():
    row = lines({"messages": [{"role": "user", "content": "x" * 3000}, BOT]})
    block = row * 300
    checker = Checker("fine-tune")
    tracemalloc.start()
    try:
        for _ in range(60):
            checker.feed(memoryview(block))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert checker.finish()["rows"] == 18_000
    assert peak < 12 << 20


def test_a_line_without_end_is_told(monkeypatch):
    monkeypatch.setattr(dataset_check, "LINE_BYTES", 1 << 20)

    found = mistakes(lines(CHAT) + b"x" * (3 << 20), "fine-tune", pieces=4)

    assert found == [(2, "line 2 is longer than 1 MiB")]


def test_any_file_can_be_checked(workspace):
    workspace.put("train.jsonl", lines(CHAT))

    assert check([CHAT], "fine-tune")["rows"] == 1
    assert check({"s3": "train.jsonl"}, "fine-tune")["shape"] == "conversation"
    with pytest.raises(TogetherError, match="training_file line 2"):
        check([CHAT, USER], "fine-tune", field="training_file")


def test_rows_of_any_json_pass_or_are_told():
    chance = random.Random(7)
    values = [None, True, 1.5, "x", [], {}, ["x"], {"role": "user"}, -3]
    names = ["messages", "text", "prompt", "completion", "input", "custom_id"]
    names += ["preferred_output", "non_preferred_output", "body"]
    outcomes = set()
    for _ in range(3000):
        row = {n: chance.choice(values) for n in chance.sample(names, 4)}
        for purpose in ("fine-tune", "batch-api", "eval", "calibration"):
            outcomes.add(outcome(lines(row), purpose))

    assert outcomes == {"sound", 1}


def outcome(content, purpose):
    """The line of the only mistake, or that there is none."""
    try:
        return "sound" if told(content, purpose)["rows"] == 1 else "empty"
    except TogetherError as error:
        [line] = {problem.get("line") for problem in error.problems}
        return line
