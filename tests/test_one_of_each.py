"""What all of scripts/ needs stands in one place: the log, what a job is, and more."""

import ast

import pytest

from scripts.job_states import STATES
from tools.flatten import sources
from tools.operations import ROOT

FILES = {path.relative_to(ROOT / "scripts").as_posix(): path for path in sources(ROOT)}
TREES = {name: ast.parse(path.read_text()) for name, path in FILES.items()}


def calls(name):
    """The files in which a function of that name is called."""
    return {
        file
        for file, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == name
    }


def texts(word):
    """The files in which a text holds a word, docstrings and messages left out."""
    return {
        file
        for file, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and node.value == word
    }


def test_one_log():
    assert calls("print") == {"client/job.py"}
    assert calls("sys.stderr.write") == set()


@pytest.mark.parametrize("name", ["WM_TOKEN", "WM_WORKSPACE", "BASE_INTERNAL_URL"])
def test_one_place_says_whether_this_is_a_job(name):
    shown = {"transfer/media_output.py"} if name == "WM_WORKSPACE" else set()

    assert texts(name) - shown == {"client/job.py"}


def test_nothing_but_the_log_and_its_stream_goes_out():
    assert calls("sys.stdout.write") == {"replies/live_text.py"}


def test_one_table_of_the_states_that_end_a_job():
    known = {s for kind in STATES.values() for end in kind.values() for s in end}
    lists = [
        (file, ast.unparse(node))
        for file, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Tuple | ast.List | ast.Set) and len(node.elts) > 1
        if all(getattr(entry, "value", None) in known for entry in node.elts)
    ]

    assert lists == []
