import ast
import re
import subprocess
import sys

import pytest

from scripts.client.errors import TogetherError
from tools.checks.type_check import checked
from tools.operations import ROOT
from tools.tree.flatten import sources

# What is wrong with each line that ends in a comment, in mypy's name for it.
WRONG = """
from scripts.client.errors import TogetherError
from scripts.client.request import Request
from scripts.operation_calls.descriptor import operation_at
from scripts.operations import operation
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


def ask(request: Request, error: TogetherError) -> TogetherError:
    operation("files/get_file", tires=3)  # call-arg
    operation("files/get_file", reply="txt")  # arg-type
    operation("files/get_file", without=("bring",))  # arg-type
    operation_at("GOT", "/v1/files", "read")  # arg-type
    operation_at("GET", "/v1/files", "read", hots="x")  # call-arg
    TogetherError("x", type="invalid_answr")  # arg-type
    TogetherError("x", typ="invalid_answer")  # call-arg
    TogetherError("x", problems=[{"field": 1, "problem": "b"}])  # typeddict-item
    TogetherError.refused("a", "b", stauts=400)  # call-arg
    TogetherError.refused_all([], advise="x")  # call-arg
    error.status = "400"  # assignment
    return request.failure(None, None, partail=[])  # call-arg
"""


HERE = "the file with the text"


@pytest.fixture(scope="module")
def mypy(tmp_path_factory):
    place = tmp_path_factory.mktemp("types") / "wrong.py"

    def run(text, *words):
        place.write_text(text)
        done = subprocess.run(
            [sys.executable, "-m", "mypy", "--cache-dir", place.parent]
            + [str(place) if word == HERE else word for word in words or [HERE]],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        found = re.findall(r"\.py:(\d+): error: .*\[(.*)\]", done.stdout)
        return [(int(line), kind) for line, kind in found]

    return run


@pytest.mark.slow
def test_what_is_wrong_with_a_descriptor_or_an_error_is_found(mypy):
    lines = enumerate(WRONG.split("\n"), 1)
    expected = [(n, line.split("  # ")[1]) for n, line in lines if "  # " in line]

    assert mypy(WRONG) == expected


def test_all_modules_and_tools_are_looked_at():
    places = [*(ROOT / "tools").rglob("*.py"), *(ROOT / "scripts").glob("*.py*")]
    places = {*places, *sources(ROOT)} - {ROOT / "scripts" / "__init__.py"}

    assert sorted(checked()) == sorted(places)


# Of the tools, which read much JSON and YAML, less is asked.
TOOL = """
from tools.checks.layers import layer_problems
from tools.operations import ROOT, Operation


def look(operation: Operation) -> dict:
    layer_problems(ROOT, layer=())  # call-arg
    layer_problem(ROOT)  # name-defined
    return operation.schema["title"]


def silent(root):  # no-untyped-def
    return root
"""


@pytest.mark.slow
def test_a_tool_that_names_what_is_not_there_is_found(mypy):
    lines = enumerate(TOOL.split("\n"), 1)
    expected = [(n, line.split("  # ")[1]) for n, line in lines if "  # " in line]

    # As if it stood in a file of the tools, for which pyproject.toml says how much.
    as_tool = ("tools/yaml_text.py", "--shadow-file", "tools/yaml_text.py", HERE)
    assert mypy(TOOL, *as_tool) == expected


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
    tree = ast.parse((ROOT / "scripts" / "shapes.pyi").read_text())
    (facts,) = (node for node in tree.body if getattr(node, "name", "") == "Facts")
    given = {
        ast.unparse(node.target): ast.unparse(node.annotation)
        for node in facts.body
        if isinstance(node, ast.AnnAssign)
    }
    declared = TogetherError.__annotations__
    later = {  # mypy lets a class that has a __setattr__ be given anything
        node.attr
        for path in sources(ROOT)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
        if ast.unparse(node.value) == "error"
    }

    assert {"partial", "advice"} <= later <= {*declared, "args"}
    assert given == declared | {"type": "ErrorType"}  # a server has types of its own
    assert set(declared) == set(re.findall(r"\w+", _names(TogetherError.__doc__)))
    assert all(getattr(TogetherError, name) is None for name in declared)


def _names(text):
    """The words on the left of a docstring's lists."""
    found = re.findall(r"^        ((?:\w+, )*\w+)(?:  |$)", text, re.MULTILINE)
    return ", ".join(found)
