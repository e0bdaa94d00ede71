"""What the content of a message says, whatever its form."""

import pytest

from scripts.client.content import DEEPEST_PART, read_content, words_of


@pytest.mark.parametrize(
    ("content", "text", "thinking"),
    [
        ("Hi", "Hi", None),
        ("", "", None),
        (None, "", None),
        ({}, "", None),
        ([], "", None),
        ([None, ""], "", None),
        (["a", "b"], "ab", None),
        ([{"text": "a"}], "a", None),
        ({"type": "text", "text": "a"}, "a", None),
        ({"type": "refusal", "refusal": "no"}, "no", None),
        ([{"text": "a"}, {"type": "output_text", "text": "b"}], "ab", None),
        ([{"type": "text"}, {"type": "text", "text": "b"}], "b", None),
        ([{"type": "thinking", "thinking": "t"}, {"text": "a"}], "a", "t"),
        (
            [
                {"type": "reasoning.text", "text": "t"},
                "a",
                {"type": "thinking", "thinking": [{"type": "text", "text": "u"}]},
            ],
            "a",
            "tu",
        ),
        ({"type": "reasoning", "summary": [{"text": "s"}]}, "", "s"),
        ([{"type": "input_text", "content": {"value": "v"}}], "v", None),
    ],
)
def test_a_message_is_read_in_any_form(content, text, thinking):
    assert read_content(content) == (text, thinking)


@pytest.mark.parametrize(
    ("content", "written"),
    [
        ({"a": "ü"}, '{"a": "ü"}'),
        ({"text": "a"}, '{"text": "a"}'),
        ({"type": "person", "name": "x"}, '{"type": "person", "name": "x"}'),
        ([1, 2], "[1, 2]"),
        ([{"a": 1}, {"b": "ü"}], '[{"a": 1}, {"b": "ü"}]'),
        ([{"type": "person", "text": "x"}], '[{"type": "person", "text": "x"}]'),
        ([["a"]], '[["a"]]'),
        (7, "7"),
        (False, "false"),
    ],
)
def test_data_is_its_json(content, written):
    assert read_content(content) == (written, None)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("a", "a"),
        (["a", {"text": "b"}, ["c"]], "abc"),
        ({"text": "", "content": "c"}, "c"),
        ({"name": "n"}, ""),
        (None, ""),
        (7, ""),
    ],
)
def test_the_words_of_a_part_are_found(value, words):
    assert words_of(value) == words


@pytest.mark.parametrize("wrap", [lambda v: [v], lambda v: {"content": v}])
def test_parts_are_read_to_a_depth_and_no_further(wrap):
    value = "a"
    for _ in range(DEEPEST_PART):
        value = wrap(value)

    assert words_of(value) == "a"
    assert words_of(wrap(value)) == ""
