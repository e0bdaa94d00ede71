"""Windmill's own parser reads every script as its schema says. Needs Node."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tools.operations import operations

HERE = Path(__file__).parent / "windmill"
OPERATIONS = list(operations())
KINDS = {
    "string": {"str": None},
    "integer": "int",
    "number": "float",
    "boolean": "bool",
}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def signatures():
    npm = shutil.which("npm")
    assert npm, "Node 20 or newer is needed for the slow tests"
    if not (HERE / "node_modules").exists():
        subprocess.run([npm, "ci", "--silent"], cwd=HERE, check=True)
    paths = "\n".join(str(operation.script_path) for operation in OPERATIONS)
    done = subprocess.run(
        ["node", "parse.mjs"],
        cwd=HERE,
        input=paths,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stdout.splitlines()
    return dict(zip((o.id for o in OPERATIONS), map(json.loads, lines), strict=True))


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda o: o.id)
def test_the_parser_infers_what_the_schema_says(operation, signatures):
    found = signatures[operation.id]["args"]

    assert ["auth", *operation.arguments] == [argument["name"] for argument in found]
    assert found[0]["typ"] == {"resource": "togetherai"}
    for argument in found[1:]:
        name = argument["name"]
        required = name in operation.required
        assert argument["has_default"] is not required, name
        assert argument["default"] is None
        kind = operation.arguments[name].get("type")
        if name == "body" or kind is None:
            assert argument["typ"] == "unknown"
        elif kind in KINDS:
            assert KINDS[kind] == argument["typ"]
