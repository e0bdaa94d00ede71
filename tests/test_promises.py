"""Each promise of the README about failures has tests that see it."""

import ast
import json
import re

import pytest

from tools.operations import ROOT

pytestmark = pytest.mark.slow

TESTS = ROOT / "tests"
PROMISES = json.loads((TESTS / "promises.json").read_text())


def test_the_promises_are_those_of_the_readme():
    text = (ROOT / "README.md").read_text().partition("## When something fails")[2]
    told = re.findall(r"^\| (.+?) \|", text, re.MULTILINE)

    assert told[0] == "what happens"
    assert told[1:] == list(PROMISES)


@pytest.mark.parametrize("promise", PROMISES)
def test_a_promise_is_seen_by_tests(promise):
    assert PROMISES[promise]
    for place in PROMISES[promise]:
        module, _, name = place.partition("::")
        code = ast.parse((TESTS / f"{module}.py").read_text())
        assert name in {one.name for one in code.body if hasattr(one, "name")}, place
