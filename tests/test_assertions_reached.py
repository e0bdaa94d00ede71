"""A test that reaches no assertion is a failure of this suite."""

import os
import re
import subprocess
import sys

from tools.operations import ROOT

SUITE = """
import pytest

@pytest.mark.parametrize("items", [[], [1]], ids=["none", "one"])
def test_in_a_loop(items):
    for item in items:
        assert item == 1

def test_without():
    len([])

def test_raises():
    with pytest.raises(ZeroDivisionError):
        1 / 0

def test_skipped():
    pytest.skip("x")
"""


def test_a_test_that_asserts_nothing_fails(tmp_path):
    place = tmp_path / "test_it.py"
    place.write_text(SUITE)
    command = [sys.executable, "-m", "pytest", "-rA", "-p", "no:cacheprovider"]
    command += ["-c", str(ROOT / "pyproject.toml"), str(place)]

    # Plugins of packages take most of its time, and have no part in this.
    bare = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=ROOT, env=bare, capture_output=True, text=True)

    ended = re.findall(r"^(PASSED|FAILED) \S*::test_(\S+)(.*)$", done.stdout, re.M)
    why = " - Failed: it reached no assertion"
    assert sorted(ended) == [
        ("FAILED", "in_a_loop[none]", why),
        ("FAILED", "without", why),
        ("PASSED", "in_a_loop[one]", ""),
        ("PASSED", "raises", ""),
    ]
