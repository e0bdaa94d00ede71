"""Patterns are matched as Python's re matches them, and never for ever."""

import re
from re import _parser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.json_schema.linear_regex import UnfitError, _Machine, searcher

PATTERNS = (
    r"^(a+)+$",
    r"^[a-z0-9]+(-[a-z0-9]+)*$",
    r"a+b",
    r"(a|b|ab)*c",
    r"(ab|a)(c|bcd)(d*)",
    r"^\d{3}-\d{4}$",
    r"\bab\b|\B-",
    r"^(?=.*\d)(?=.*[a-z])(?!.*z).{3,8}$",
    r"(?i)^AB+\Z",
    r"^$",
    r"a*?b{2,3}$",
    r"[^ab]\S+\W",
    r"(?m)^b$",
    r"(?s)a.b",
    r"\Aa?b??[\w-]",
    r"(?:)*x{0}",
)


@pytest.mark.parametrize("pattern", PATTERNS)
@given(st.text("abcdz-19 \nAB", max_size=9))
def test_all_ways_at_once_find_what_one_after_another_does(pattern, text):
    ends = pattern if "(?m)" in pattern else pattern.replace("$", r"\Z")
    found = re.search(ends, text) is not None

    assert _Machine(_parser.parse(pattern)).search(text) is found
    assert bool(searcher(pattern)(text)) is found


@pytest.mark.parametrize("pattern", [r"^(a+)+$", r"(a*)*b", r"^(a|a)*$", r"a*a*a*b$"])
def test_what_takes_re_for_ever_ends(pattern):
    assert not searcher(pattern)("a" * 5_000 + "!")


@pytest.mark.parametrize("pattern", [r"^[a-z]+$", r"\d{4}-\d\d", r"^a?b$", "plain"])
def test_a_pattern_with_one_way_is_left_to_re(pattern):
    assert isinstance(searcher(pattern).__self__, re.Pattern)


@pytest.mark.parametrize("pattern", ["^[A-Z]{2}$", "^(DE|FR)$", "^([A-Z]+)+$", "E$"])
def test_the_end_is_the_very_end(pattern):
    """Python's $ also stands before a line's end; a schema's does not."""
    assert searcher(pattern)("DE")
    assert not searcher(pattern)("DE\n")


def test_a_dollar_sign_that_is_no_end_stays():
    assert searcher(r"^\$[$]$")("$$")
    assert searcher("(?m)^a$")("a\nb")


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (r"(a)\1", "looks around or back"),
        ("(?<=a)b+", "looks around or back"),
        ("b+(?=a)", "looks around or back"),
        ("(?>a+)b+", "looks around or back"),
        ("(?i:a)b+", "changes its flags midway"),
        ("((a{99}){99}b?)+", "too large"),
        ("(){4000000000}", "too large"),
        ("(a{0}){4000000000}b+c+", "too large"),
        ("(", "no regular expression"),
        ("(" * 2_000 + ")" * 2_000, "no regular expression"),
    ],
)
def test_what_cannot_be_matched_says_why(pattern, words):
    with pytest.raises(UnfitError, match=words):
        searcher(pattern)


def test_a_text_that_would_take_too_long_is_not_matched():
    with pytest.raises(UnfitError, match="at most"):
        searcher(r"^(a+)+$")("a" * 10_000_000)
