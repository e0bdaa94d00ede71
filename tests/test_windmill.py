"""Windmill's own parser and command line agree with what we build. Needs Node."""

import http.server
import json
import re
import subprocess

import pytest
import yaml

from tests.support.windmill_cli import WINDMILL, wmill
from tools.local.server_thread import handling
from tools.operations import scripts
from tools.schemas.form import form
from tools.yaml_text import Loader

SCRIPTS = list(scripts())
KINDS = {
    "string": {"str": None},
    "integer": "int",
    "number": "float",
    "boolean": "bool",
}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def signatures(node_packages):
    paths = "\n".join(str(script.script_path) for script in SCRIPTS)
    done = subprocess.run(
        ["node", "parse.mjs"],
        cwd=WINDMILL,
        input=paths,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stdout.splitlines()
    return dict(zip((s.id for s in SCRIPTS), map(json.loads, lines), strict=True))


@pytest.mark.parametrize("operation", SCRIPTS, ids=lambda o: o.id)
def test_the_parser_infers_what_the_schema_and_the_form_say(operation, signatures):
    signature, shown = signatures[operation.id], form(operation)

    found = {argument["name"]: argument for argument in signature["args"]}
    assert list(found) == ["auth", *operation.arguments] == shown["order"]
    assert len(found) == len(signature["args"])
    assert found["auth"]["typ"] == {"resource": "togetherai"}
    # What follows a star is not seen, and what is neither script nor library is run in
    # another way.
    about = {key: value for key, value in signature.items() if key != "args"}
    assert not any(about.values()), about
    required = [name for name, found in found.items() if not found["has_default"]]
    assert required == ["auth", *operation.required] == shown["required"]
    for name, argument in found.items():
        field = shown["properties"][name]
        assert argument["default"] == field["default"], name
        if name != "auth":
            assert argument["typ"] in inferred(name, field, operation), name


def inferred(name, field, operation):
    """What the parser may make of an argument so that its field stays as it is."""
    schema, kind = operation.arguments[name], field.get("type")
    if "x-models" in schema:
        select = "dynmultiselect" if schema["type"] == "array" else "dynselect"
        return [{select: name}]
    if schema.get("type") == "boolean" and kind != "boolean":
        return ["unknown"]  # a select of yes and no, which the parser leaves alone
    if kind in KINDS:
        return [KINDS[kind]]
    rows = field.get("items", {}).get("type")
    if kind == "array" and rows == "number":
        return [{"list": "float"}, {"list": "int"}]  # both are kept as numbers
    if kind == "array" and rows in KINDS:
        return [{"list": KINDS[rows]}]
    if kind == "array":
        return ["unknown", {"list": {"object": {"name": None, "props": []}}}]
    # Of any other annotation, Windmill would make a resource or an empty object.
    return ["unknown"]


# --- the official command line, against a stand-in for the server ------------------


class _Server(http.server.BaseHTTPRequestHandler):
    """Knows who asks, and nothing else."""

    def answer(self):
        self.rfile.read(int(self.headers.get("content-length") or 0))
        known = self.path.endswith("/users/whoami")
        body = (
            b'{"email": "a@b.c", "username": "a", "is_admin": true}' if known else b""
        )
        self.send_response(200 if known else 404)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer  # noqa: N815, the names are the library's

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def server():
    with handling(_Server) as url:
        yield url


def metadata(place, server):
    words = ("--schema-only", "--yes", "--base-url", server, "--token", "t")
    done = wmill(place, "generate-metadata", *words, "--workspace", "w")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def contents(place):
    return {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}


def test_lint_finds_nothing(built):
    done = wmill(built, "lint", "--locks-required")

    assert done.returncode == 0, done.stdout
    for lock in built.rglob("client.script.lock"):
        lock.unlink()
    assert wmill(built, "lint", "--locks-required").returncode == 1


def test_generate_metadata_changes_not_a_byte(built, server):
    before = contents(built)

    assert "up-to-date" in metadata(built, server)

    assert before == contents(built)


def test_a_form_read_again_from_its_script_is_the_same(built, server):
    """With no record of what was read before, the command line infers every form."""
    before = contents(built)
    (built / "wmill-lock.yaml").write_text("version: v2\nlocks: {}\n")

    metadata(built, server)

    rewritten = [path for path, text in before.items() if path.read_bytes() != text]
    assert len(rewritten) > 200
    for path in rewritten:
        if path.name.endswith(".script.yaml"):
            old, new = load(before[path]), load(path.read_bytes())
            assert old == new, path.relative_to(built)


def load(text):
    """YAML as Windmill reads it: plain Yes and No are text, numbers are numbers."""
    return yaml.load(text, Loader=_Loader)


class _Loader(Loader):
    pass


# YAML 1.2 has no numbers to the base of 60: 16:9 is a text.
_Loader.yaml_implicit_resolvers = {
    letter: [
        (tag, re.compile(rf"(?!.*:){rule.pattern}", rule.flags))
        for tag, rule in rules
        if not tag.endswith(":bool")
    ]
    for letter, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
