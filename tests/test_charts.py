"""Charts are well-formed pictures, whatever they are given."""

import itertools
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scripts.charts import bars, lines

NUMBERS = st.floats(-1e9, 1e9)
TEXTS = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), max_size=9)


@given(TEXTS, st.lists(st.tuples(TEXTS, NUMBERS), max_size=40), TEXTS)
def test_every_bar_is_there_and_names_its_value(title, values, unit):
    drawn = ElementTree.fromstring(bars(title, values, unit))

    found = drawn.findall(".//{*}rect")
    assert len(values) == len(found)
    assert all(float(bar.get("height")) >= 0 for bar in found)


@given(
    TEXTS,
    st.dictionaries(TEXTS, st.lists(st.tuples(NUMBERS, NUMBERS), max_size=20)),
)
@example("", {"": [(0.0, 2.225073858507203e-309)]})  # its inverse is infinite
@example("", {"": [(0.0, 0.0), (5e-324, 5e-324)]})
def test_every_line_stays_within_the_picture(title, series):
    drawn = ElementTree.fromstring(lines(title, series))

    found = drawn.findall(".//{*}polyline")
    assert len(series) == len(found)
    for line in found:
        for point in line.get("points").split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= 720
            assert 0 <= y <= 280


@given(st.text(max_size=9))
def test_a_chart_is_ascii_which_is_all_that_windmill_s_page_takes(text):
    for drawn in (bars(text, [(text, 1.0)], text), lines(text, {text: [(0, 1)]}, text)):
        assert drawn.isascii()
        ElementTree.fromstring(drawn)


def test_what_a_chart_names_is_text():
    drawn = bars("Größe €<script>", [("<b onclick=x>", 1)], "&")

    assert "".join(ElementTree.fromstring(drawn).itertext()).startswith(
        "Größe €<script>"
    )
    assert "<script" not in drawn
    assert "<b " not in drawn


@given(st.floats(1e-9, 1e14))
@example(0.000025)
@example(1_234_567.0)
def test_numbers_have_no_exponent_in_a_chart(value):
    drawn = ElementTree.fromstring(bars("", [("a", value)], "USD"))
    (title,) = drawn.findall(".//{*}title")
    marks = [text.text for text in drawn.findall(".//{*}text")]

    number = title.text.removeprefix("a: ").removesuffix(" USD")
    assert "e" not in number
    assert abs(float(number) - value) <= value * 1e-5
    assert not any("e" in mark.removesuffix(" USD") for mark in marks if mark)


@pytest.mark.parametrize(
    ("most", "marks"),
    [
        (3.21, ["0", "1", "2", "3", "4"]),
        (72.8, ["0", "20", "40", "60", "80"]),
        (0.0031, ["0", "0.001", "0.002", "0.003", "0.004"]),
        (0, ["0", "0.25", "0.5", "0.75", "1"]),
    ],
)
def test_the_marks_at_the_side_are_round(most, marks):
    for drawn in (bars("", [("a", most)]), lines("", {"": [(0, 0), (1, most)]})):
        texts = ElementTree.fromstring(drawn).findall(".//{*}text")
        assert marks == [text.text for text in texts if text.get("x") == "64.0"]


@given(st.integers(1, 60), st.integers(1, 12))
def test_no_label_of_a_bar_is_cut_off_or_on_another(count, length):
    label = "2026-11-28xx"[:length]
    drawn = ElementTree.fromstring(bars("", [(label, 1.0)] * count))

    places = [
        float(text.get("x"))
        for text in drawn.findall(".//{*}text")
        if text.text == label
    ]
    width = 6 * length  # as wide as digits of that size are, about
    assert all(x + width / 2 <= 720 for x in places)
    assert all(b - a >= width for a, b in itertools.pairwise(places))
