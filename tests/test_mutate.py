"""What ./dev mutate makes of the mutants that mutmut tried."""

import pytest
import yaml

from tools.operations import ROOT
from tools.probes.mutate import (
    KNOWN,
    Change,
    check_names,
    known_changes,
    known_of,
    read_change,
    score,
)

DIFF = """--- scripts/resilience/retry.py
+++ scripts/resilience/retry.py
@@ -1,4 +1,4 @@
 def backoff(tries, asked):
-    own = min(0.5 * 2,
-              10.0)
+    own = min(0.5 * 3, 10.0)
     return own
"""


def module_of(function):
    """The file that a function or method is in."""
    parts = function.split(".")
    places = (
        ROOT.joinpath(*parts[:count]).with_suffix(".py")
        for count in range(len(parts), 0, -1)
    )
    return next(place for place in places if place.exists())


def test_what_is_known_to_change_nothing_is_still_there():
    gone = [
        one
        for one in known_changes()
        if "".join(one.line.split())
        not in "".join(module_of(one.function).read_text().split())
    ]

    assert gone == []


def test_a_mutant_is_known_by_what_it_changes_and_not_by_its_number():
    function = "scripts.resilience.retry"
    wanted = "own = min(0.5 * 2, 10.0)", "own = min(0.5 * 3, 10.0)"

    own = read_change(f"{function}.x_backoff__mutmut_12", DIFF)
    private = read_change(f"{function}.x__seconds__mutmut_1", DIFF)
    method = read_change(f"{function}.xǁSpanǁ__init____mutmut_1", DIFF)

    assert own == Change(f"{function}.backoff", *wanted)
    assert private.function == f"{function}._seconds"
    assert method.function == f"{function}.Span.__init__"


@pytest.mark.parametrize(
    "name",
    [
        *("scripts.client.form.*", "scripts.resilience.*", "*"),
        *("scripts.client.f*.x_a*", "scripts.client.endings.xǁA*"),
        "scripts.client.endings.x_ending__mutmut_9",
    ],
)
def test_a_name_that_a_mutant_may_have_is_tried(name):
    assert check_names([name]) is None


@pytest.mark.parametrize(
    "name", ["nope", "scripts.client.form", "scripts.chat.*", "scripts.client.nope.*"]
)
def test_a_name_that_no_mutant_has_is_refused(name):
    with pytest.raises(
        ValueError, match=r"no mutant is called .* scripts\.client\.form"
    ):
        check_names([name])


def test_the_score_is_the_share_of_those_that_nothing_excuses():
    one, two, gone = (Change("a.b", line, "x") for line in ("1", "2", "3"))

    found = score(9, [one, two], {one})

    assert (found.share, found.known, found.missed) == (0.9, 1, [two])
    assert found.good
    assert not score(8, [one, two], {one}).good
    assert not score(9, [one], {one, gone}).good
    assert score(9, [one], {one, gone}).stale == [gone]


def test_the_excuses_of_what_was_tried_are_those_of_its_functions():
    tried = "scripts.client.endings.x_ending__mutmut_9"

    found = known_of([tried])

    assert found
    assert {one.function for one in found} == {"scripts.client.endings.ending"}
    assert known_of() == set(known_changes()) > found
    assert known_of([]) == set()


def test_every_excuse_has_a_reason():
    listed = yaml.safe_load(KNOWN.read_text(encoding="utf-8"))

    words = {"function", "line", "becomes", "why"}
    assert [one for one in listed if set(one) != words or not one["why"]] == []
