"""A test that reaches no assertion is a failure of this suite."""

import os
import re
import subprocess
import sys

import pytest

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


SLOW_TO_END = """
import time
from tests.conftest import pytest_sessionfinish

def pytest_unconfigure(config):
    if hasattr(config, "workerinput"):
        try:
            time.sleep(6.5)
        except KeyboardInterrupt:
            (config.rootpath / "interrupted").touch()
            raise
"""


@pytest.mark.slow
def test_a_worker_that_takes_long_to_end_is_not_interrupted(tmp_path):
    """Five seconds after the last test execnet sends SIGINT to what still runs."""
    (tmp_path / "conftest.py").write_text(SLOW_TO_END)
    (tmp_path / "test_a.py").write_text("def test_a():\n    assert True\n")
    words = [sys.executable, "-m", "pytest", "-c", os.devnull, "--rootdir", tmp_path]
    done = subprocess.run(
        [*words, "-n", "1", "-p", "no:cacheprovider", tmp_path],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert "1 passed" in done.stdout
    assert not (tmp_path / "interrupted").exists()
