"""What Windmill would misread is found in the sources, and the file named."""

import json
import shutil
import subprocess
import sys

import pytest

from tests.support.fake_windmill_api import Remote
from tests.support.windmill_cli import WINDMILL, wmill
from tools.checks import windmill_lint
from tools.flows import pack_flows
from tools.operations import ROOT, scripts
from tools.schemas.form import form

FORMS = {
    "form: min and max without": {"min": 0, "max": 1},
    "a: min and max without": {"properties": {"a": {"min": 0, "max": 1}}},
    "a[].b: min and max": {
        "properties": {
            "a": {"items": {"properties": {"b": {"min": 0, "max": 1, "default": None}}}}
        }
    },
    "[B].c: min and max": {
        "oneOf": [
            {"title": "A"},
            {"title": "B", "properties": {"c": {"min": 0, "max": 1}}},
        ]
    },
    "form: several types": {"type": ["string", "null"]},
    "form: currency on a text": {"type": "string", "format": "currency"},
    "form: oneOf needs two": {"oneOf": [{"title": "A"}]},
    "each with its own title": {"oneOf": [{"title": "A"}, {"title": "A"}]},
    "more, each": {"oneOf": [{"title": "A"}, {"type": "object"}]},
    "a row's field named label": {"items": {"properties": {"label": {}}}},
}


@pytest.mark.parametrize("message", FORMS)
def test_a_form_that_would_break_is_told(message):
    [found] = windmill_lint.in_form(FORMS[message])

    assert message in found


def test_a_form_that_works_is_left_alone():
    sound = {"min": 0, "max": 1, "default": 0, "type": "number"}

    assert list(windmill_lint.in_form(sound)) == []


MAINS = {
    "main is async": "async def main(auth: togetherai): ...",
    "follows a star": "def main(auth: togetherai, *, a: str): ...",
    "a star is never passed": "def main(auth: togetherai, **a): ...",
    "without quotes": 'def main(auth: "togetherai"): ...',
    "must be `auth: togetherai`": "def main(a: str): ...",
    'quote it ("Body")': "def main(auth: togetherai, body: Body): ...",
    'quote it ("dict | None")': "def main(auth: togetherai, a: dict | None): ...",
    'quote it ("Any")': "def main(auth: togetherai, a: Any): ...",
    'quote it ("list")': "def main(auth: togetherai, a: list): ...",
    'quote it ("nothing")': "def main(auth: togetherai, a=None): ...",
    'quote it ("DynSelect_b")': "def main(auth: togetherai, a: DynSelect_b): ...",
    "the default -1": "def main(auth: togetherai, a: int = -1): ...",
    "the default (1, 2)": 'def main(auth: togetherai, a: "list" = (1, 2)): ...',
    "has no main": "def other(auth: togetherai): ...",
}


@pytest.mark.parametrize("message", MAINS)
def test_a_main_that_would_be_misread_is_told(message, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(MAINS[message])

    [found] = windmill_lint.in_main(script)

    assert message in found


def test_nothing_of_the_pack_is_a_trap():
    for script in scripts():
        assert list(windmill_lint.in_main(script.script_path)) == [], script.id
        assert list(windmill_lint.in_form(form(script))) == [], script.id
    for flow in pack_flows.flows(ROOT):
        assert list(windmill_lint.in_form(form(flow))) == [], flow.name


# --- whole packs, broken on purpose ------------------------------------------------


@pytest.fixture
def sources(tmp_path):
    """A copy of all that checks and builds, to break."""
    place = tmp_path / "sources"
    left = shutil.ignore_patterns(
        ".*", "build", "node_modules", "tests", "__pycache__", "*.md"
    )
    shutil.copytree(ROOT, place, ignore=left)
    for page in ROOT.glob("*.md"):
        shutil.copy(page, place)
    pages = shutil.ignore_patterns("node_modules")
    shutil.copytree(ROOT / "docs", place / "docs", ignore=pages, dirs_exist_ok=True)
    return place


def tool(place, *words):
    done = subprocess.run(
        [sys.executable, "-m", "tools", *words],
        cwd=place,
        capture_output=True,
        text=True,
        timeout=300,
    )
    return done.returncode, done.stderr + done.stdout


def change(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.slow
def test_a_sound_copy_has_no_problem(sources):
    """So that what the tests below find is what they broke."""
    code, said = tool(sources, "check")

    assert (code, " 0 problems" in said) == (0, True), said


@pytest.mark.slow
def test_a_dict_for_a_body_is_caught(sources, node_packages):
    change(
        sources / "tools" / "schemas" / "render.py",
        """'body: "Body"'""",
        "'body: dict'",
    )
    tool(sources, "fix")

    code, said = tool(sources, "check")

    assert code == 1
    assert "scripts/chat/create_chat_completion.py: main: body: dict would lose" in said
    # As Windmill's own parser does: an object without fields.
    script = sources / "scripts" / "chat" / "create_chat_completion.py"
    done = subprocess.run(
        ["node", "parse.mjs"],
        cwd=WINDMILL,
        input=str(script),
        capture_output=True,
        text=True,
        check=True,
    )
    typ = json.loads(done.stdout)["args"][1]["typ"]
    assert typ == {"object": {"name": None, "props": []}}


@pytest.mark.slow
def test_a_slider_without_a_default_is_caught(sources):
    change(
        sources / "tools" / "schemas" / "form.py",
        'elif "maximum" in',
        'if "maximum" in',
    )

    code, said = tool(sources, "check")

    place = "schemas/audio/connect_realtime_transcription.json: threshold: "
    trap = f"{place}min and max without a default crash the whole form"
    assert code == 1
    assert trap in said
    code, said = tool(sources, "deploy", "--yes")
    assert code == 1
    assert trap in said
    assert "nothing deployed" in said


@pytest.mark.slow
def test_a_script_without_a_lock_is_caught(sources, node_packages):
    change(
        sources / "tools" / "tree" / "sync_tree.py",
        '        f"{path}.script.lock": lock.encode(),\n',
        "",
    )
    code, said = tool(sources, "build")
    assert code == 0, said

    named = "f/togetherai/chat/create_chat_completion.script.yaml"
    done = wmill(sources / "build", "lint", "--locks-required")
    assert done.returncode == 1
    assert named in done.stdout
    remote = Remote()
    with remote.serving() as url:
        words = ("--base-url", url, "--token", "t", "--workspace", "w")
        done = wmill(sources / "build", "sync", "push", "--yes", *words)
    assert done.returncode == 1
    assert named in done.stdout + done.stderr
    assert remote.writes == []
