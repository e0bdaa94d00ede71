import ast
import re
import subprocess
import sys

import pytest

from scripts.client.errors import TogetherError
from tools.operations import ROOT
from tools.tree.flatten import sources

# What is wrong with each line that ends in a comment, in mypy's name for it.
WRONG = """
from scripts.client.errors import TogetherError
from scripts.shapes import Operation, Step

FILE: Operation = {
    "method": "GET",
    "path": "/v1/files/{file_id}",
    "retry": "reads",  # typeddict-item
    "arguments": {"properties": {}},
    "find": "files/list_files",
}
PART: Operation = {"method": "GET", "path": "/v1/files"}  # typeddict-item
MORE: Operation = {**FILE, "finds": "x"}  # typeddict-unknown-key


def look(operation: Operation, step: Step, error: TogetherError) -> str | None:
    if operation["retries"] == "read":  # typeddict-item
        return operation.get("found")  # return-value
    if step["arguments"]["required"] and step["path"]:  # typeddict-item
        return error.states  # attr-defined
    return error.state or operation.get("find")
"""


@pytest.fixture(scope="module")
def mypy(tmp_path_factory):
    place = tmp_path_factory.mktemp("types") / "wrong.py"

    def run(text):
        place.write_text(text)
        done = subprocess.run(
            [sys.executable, "-m", "mypy", str(place), "--cache-dir", place.parent],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        found = re.findall(r"wrong\.py:(\d+): error: .*\[(.*)\]", done.stdout)
        return [(int(line), kind) for line, kind in found]

    return run


@pytest.mark.slow
def test_a_wrong_key_of_an_operation_is_found(mypy):
    lines = enumerate(WRONG.split("\n"), 1)
    expected = [(n, line.split("  # ")[1]) for n, line in lines if "  # " in line]

    assert mypy(WRONG) == expected


@pytest.mark.slow
def test_every_function_says_its_types():
    functions = [
        (path.name, node)
        for path in sources(ROOT)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
    ]
    silent = [(name, node.name) for name, node in functions if node.returns is None]

    assert len(functions) > 700
    assert silent == []


def test_an_error_is_asked_for_what_it_declares_and_no_name_is_guessed():
    asked = {
        ast.unparse(node.args[0])
        for path in sources(ROOT)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in ("getattr", "hasattr")
    }

    assert "sock" in asked
    assert not {name for name in asked if re.search("error|fault|failure", name)}


def test_whatever_an_error_says_is_declared_and_documented():
    declared = set(TogetherError.__annotations__)
    said = {
        name for path in sources(ROOT) for name in _facts(ast.parse(path.read_text()))
    }

    assert said - {"args"} <= declared  # every exception has those
    assert declared == set(re.findall(r"\w+", _names(TogetherError.__doc__)))
    assert all(getattr(TogetherError, name) is None for name in declared)


def _facts(tree):
    """Yield the names of what errors are given, when they are made or later."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and MAKER.fullmatch(ast.unparse(node.func)):
            yield from (word.arg for word in node.keywords if word.arg)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield from [node.attr] * (ast.unparse(node.value) == "error")


MAKER = re.compile(r"TogetherError(\.refused(_all)?)?|request\.failure")


def _names(text):
    """The words on the left of a docstring's lists."""
    found = re.findall(r"^        ((?:\w+, )*\w+)(?:  |$)", text, re.MULTILINE)
    return ", ".join(found)
