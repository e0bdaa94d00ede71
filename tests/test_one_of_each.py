"""What all of scripts/ needs stands in one place: the log, what a job is, and more."""

import ast

import pytest

from scripts.job_states import STATES
from tools.operations import ROOT
from tools.tree.flatten import sources

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


def test_one_back_off():
    """Who asks Windmill whether a job is done, or which of two runs took something
    over, backs off from nothing."""
    asks = {"workspace/jobs.py", "workspace/create_once.py", "across/lease.py"}

    assert calls("time.sleep") - asks == {"resilience/retry.py", "client/request.py"}
    assert calls("random.uniform") == {"resilience/retry.py"}
    doubled = {file for file, tree in TREES.items() if "2 **" in ast.unparse(tree)}
    assert doubled & set(LATE) == set()


def test_one_gate_says_when_a_request_may_go():
    """The other conditions put results into the order of the tasks."""
    places = {"rows/admission.py", "table/ordered_threads.py"}

    assert calls("threading.Condition") == places
    assert calls("Gate") == {"rows/worker_pool.py"}
    assert calls("self.gate.reserve") == {"rows/sender.py"}


# What tries again.
LATE = (
    *("client/request.py", "realtime_audio.py", "rows/worker_pool.py"),
    *("download/download.py", "upload/multipart_upload.py"),
    *("workspace/api.py", "workspace/storage.py"),
)


def test_one_list_of_the_failures_that_pass():
    """403 to 499 are final for all, save these; `pause` asks for the class as well."""
    lists = {
        file
        for file, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Tuple)
        if {408, 429} <= {getattr(entry, "value", None) for entry in node.elts}
    }

    assert lists == {"resilience/retry.py"}


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
