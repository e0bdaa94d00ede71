"""Steps over tables and files take time by the size of what they are given, and those
that read it a row at a time no memory. In processes of their own, as jobs are."""

import os
from xml.etree import ElementTree

import pytest

from tools.bench.bench_growth import (
    CASES,
    ELSEWHERE,
    STEEPEST,
    TIMES,
    Growth,
    chart,
    growth_of,
)
from tools.operations import ROOT, find
from tools.schemas.shelves import shelves

TRIES = 3  # what grows faster does so each time, what was disturbed does not
# On a busy machine, what runs longer takes more of the processor: then only what grows
# with a square is seen.
BUSY = 1.6


def steepest():
    """The slope that is borne, as busy as the machine is now."""
    return BUSY if os.getloadavg()[0] > (os.cpu_count() or 1) else STEEPEST


def least(one, other):
    """The smaller of each figure of two measurements."""
    if one is None:
        return other
    return Growth(
        one.step,
        [min(pair) for pair in zip(one.seconds, other.seconds, strict=True)],
        [min(pair) for pair in zip(one.peaks, other.peaks, strict=True)],
    )


@pytest.mark.slow
@pytest.mark.parametrize("step", CASES)
def test_a_hundred_times_the_size_takes_time_by_the_size(step):
    flat, found = CASES[step].flat, None
    for _ in range(TRIES):
        found = least(found, growth_of(step, 1))
        held = found.slope <= steepest() and (flat is None or found.more <= flat)
        if held:
            break

    assert held, f"slope {found.slope:.2f}, {found.more:.1f} MiB more: {found}"


def test_a_slope_is_that_of_what_is_added():
    """What all sizes have in common is not in it."""
    by_size = Growth("a", [1.0 + n for n in TIMES], [1.0] * 3)
    by_square = Growth("a", [1.0 + n * n for n in TIMES], [1.0] * 3)

    assert by_size.slope == pytest.approx(1)
    assert by_square.slope == pytest.approx(2)


def test_each_step_of_tables_and_files_is_measured_or_has_a_reason():
    tables = shelves(ROOT)["Tables"]
    files = [f"files/{path.stem}" for path in (ROOT / "schemas/files").glob("*.json")]
    known = CASES.keys() | ELSEWHERE.keys()

    assert {*tables, *files} <= known
    assert not CASES.keys() & ELSEWHERE.keys()
    assert all(find(step) for step in CASES)
    assert all(ELSEWHERE.values())


def test_the_chart_has_a_bar_for_each_step_by_its_slope():
    found = [
        Growth(step, [2.0, 11.0, 101.0 + n], [1.0] * 3) for n, step in enumerate(CASES)
    ]

    drawn = ElementTree.fromstring(chart(found))
    texts = ["".join(one.itertext()) for one in drawn.findall(".//{*}text")]
    bars = [float(one.get("width")) for one in drawn.findall(".//{*}rect")[1:]]

    assert [text for text in texts if text in CASES] == [*CASES]
    assert [text for text in texts[1:] if text not in CASES] == [
        f"{one.slope:.2f}" for one in found
    ]
    assert [round(bar / bars[0], 2) for bar in bars] == [
        round(one.slope / found[0].slope, 2) for one in found
    ]


def test_the_page_shows_the_chart_of_today():
    picture = (ROOT / "docs" / "growth.svg").read_text(encoding="utf-8")

    assert all(f">{step}<" in picture for step in CASES)
