import re
import subprocess
import sys

import pytest

from tools.operations import ROOT

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


def test_a_wrong_key_of_an_operation_is_found(mypy):
    lines = enumerate(WRONG.split("\n"), 1)
    expected = [(n, line.split("  # ")[1]) for n, line in lines if "  # " in line]

    assert mypy(WRONG) == expected
