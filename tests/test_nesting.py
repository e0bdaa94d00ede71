"""What is built imports the pack's modules where Windmill does not look for them."""

import importlib
import json
import subprocess

import pytest

from tests.support.windmill_cli import WINDMILL
from tools.checks.checks import problems
from tools.operations import scripts
from tools.target_folder import FOLDER
from tools.tree.flatten import sources
from tools.tree.nesting import WHY, nested, seen, wrong
from tools.tree.sync_tree import code, tree
from tools.yaml_text import load

# What a module may begin with: its text, and the modules of ours that it imports there.
TOPS = {
    "one": ("from .a import x\n", 1),
    "from the folder above": ("from ..a import x, y as z\n", 1),
    "the package itself": ("from . import a\n", 1),
    "by its path": ("from f.togetherai.a import x\n", 1),
    "a user's": ("from u.me.a import x\n", 1),
    "as an object": ("import f.togetherai.a as a\n", 1),
    "beside another": ("import os, f.togetherai.a\n", 1),
    "in parentheses": ("from .a import (\n    x,  # the first\n\n    y,\n)\n", 1),
    "on two lines": ("from .a import x, \\\n    y\n", 1),
    "two on one line": ("from .a import x; from .b import y\n", 2),
    "with a comment": ("# before\nfrom .a import x  # noqa: F401\n# after\n", 1),
    "several": (
        '"""Text.\n\nfrom .not_this import x\n"""\n\n'
        "from __future__ import annotations\n\nimport json\n\n"
        "from . import a\nfrom .b import (\n    x,\n)\n\n"
        "# between\n\nfrom .c import y\n\nimport requests\n\nfrom ..d import z\n",
        4,
    ),
    "none": ("import json\nfrom requests import get\n", 0),
    "only for type checkers": (
        "TYPE_CHECKING = False\nif TYPE_CHECKING:\n    from .a import X\n",
        0,
    ),
    "for when it fails": (
        "try:\n    from .a import x\nexcept ImportError:\n    x = 1\n",
        0,
    ),
    "in a function": ("def late():\n    from .a import x\n    return x\n", 0),
    "another's beginning": ("import fabric\nfrom umami import f\nimport u2.f\n", 0),
}
MAIN = '\n\ndef main(x: str = "from .b import y"):\n'
MAIN += "    from .late import z\n    return z\n"


@pytest.mark.parametrize("name", TOPS)
def test_imports_of_ours_leave_the_top_level_and_nothing_else_changes(name):
    top, count = TOPS[name]
    text = top + MAIN

    found = nested(text)

    assert bool(seen(text)) == bool(count)
    assert not seen(found)
    assert found.count("if True:\n") == found.count(WHY) <= count
    if not count:
        assert found == text
    kept = found.replace(f"{WHY}\nif True:\n", "").splitlines()
    assert [x.strip() for x in kept] == [x.strip() for x in text.splitlines()]
    assert nested(found) == found


def test_what_was_imported_is_there_as_before(tmp_path, monkeypatch):
    package = tmp_path / "nested_pack"
    (package / "group").mkdir(parents=True)
    (package / "a.py").write_text("ONE = 1\nTWO = 2\n")
    (package / "b.py").write_text(nested("from .a import ONE\nfrom . import a\n"))
    step = "from ..b import a\nfrom ..a import (\n    ONE,\n    TWO as SECOND,\n)\n"
    step += "SUM = ONE + SECOND + a.TWO\n\n\ndef main():\n    return SUM\n"
    (package / "group" / "step.py").write_text(nested(step))
    monkeypatch.syspath_prepend(tmp_path)

    assert importlib.import_module("nested_pack.group.step").main() == 5


@pytest.mark.parametrize(
    "text", ["import os; from .a import x\n", "x = (1,\n); from .a import x\n"]
)
def test_an_import_that_shares_its_line_is_refused(text):
    with pytest.raises(ValueError, match=r"line 1: .* write two lines"):
        nested(text)


WRONG = {
    "an import at top level": "from .a import x\n# requirements:\n",
    "no word of what it needs": "import requests\n",
    "two of them": "# requirements:\n# requirements:\n# requests==1.0\n",
    "default ones": "# requirements: default\n",
    "more besides": "#extra_requirements:\n# requests\n",
}


@pytest.mark.parametrize("name", WRONG)
def test_what_windmill_would_lock_anew_is_told(name):
    assert len(list(wrong(WRONG[name]))) == 1


def test_everything_that_is_built_is_as_it_must_be():
    built = code()

    assert {script.id for script in scripts()} < built.keys()
    for name, (text, _) in built.items():
        assert list(wrong(text.decode())) == [], name
    assert sum(WHY.encode() in text for text, _ in built.values()) > 250


def pickers():
    """The code of the flows that lists models for their forms."""
    for path, content in tree().items():
        if path.endswith("flow.yaml"):
            schema = load(content)["schema"]
            if "x-windmill-dyn-select-code" in schema:
                yield path, schema["x-windmill-dyn-select-code"]


@pytest.mark.slow
def test_the_code_of_a_flow_s_form_is_so_too():
    found = dict(pickers())

    assert found
    for path, text in found.items():
        assert list(wrong(text)) == [], path
        assert WHY in text


def told(root):
    """What check says of the build."""
    return [p for p in problems(root) if "built" in p.what]


@pytest.mark.slow
def test_check_tells_what_cannot_be_built(one_step):
    helper = sources(one_step, "charts")[0]
    helper.write_text(helper.read_text() + "\nX = 1; from .client import call\n")

    [problem] = told(one_step)

    assert "charts: line" in problem.what
    assert "write two lines" in problem.what


def test_check_tells_what_would_be_locked_anew(one_step):
    helper = sources(one_step, "charts")[0]
    helper.write_text(helper.read_text() + "\n# requirements: default\n")

    [problem] = told(one_step)

    assert problem.path == helper
    assert "requirements: default" in problem.what


# --- as Windmill's own scan sees it --------------------------------------------------


def scanned(place, texts):
    """What Windmill's import parser finds in each text: paths of scripts."""
    lines = []
    for name, text in texts.items():
        file = place / f"{len(lines)}.py"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        lines.append(json.dumps([f"{FOLDER}/{name}", str(file)]))
    done = subprocess.run(
        ["node", "imports.mjs"],
        cwd=WINDMILL,
        input="\n".join(lines),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return dict(zip(texts, map(json.loads, done.stdout.splitlines()), strict=True))


@pytest.mark.slow
def test_windmill_sees_the_same_imports(tmp_path, node_packages):
    texts = {name: top + MAIN for name, (top, _) in TOPS.items()}

    plain = scanned(tmp_path, texts)
    found = scanned(tmp_path, {name: nested(text) for name, text in texts.items()})

    assert {n: len(f) for n, f in plain.items()} == {n: c for n, (_, c) in TOPS.items()}
    assert not any(found.values()), found


@pytest.mark.slow
def test_windmill_finds_nothing_of_ours_in_what_is_built(tmp_path, node_packages):
    texts = {name: text for name, (text, _) in code().items()} | dict(pickers())

    found = scanned(tmp_path, texts)

    assert len(found) > 300
    assert not any(found.values()), found
