"""An import only goes down, and a module that a job loads is there when it is asked."""

import ast
import re

import pytest

from tools.checks.layers import layer_problems
from tools.operations import ROOT
from tools.tree.flatten import module_names, module_text

LAYERS = (
    ("pure", "client/errors", "names"),
    ("wire", "client/form", "client/sent"),
    ("verbs", "client/calls"),
    ("steps", "chat_steps", "other_steps", "many/one", "many/two"),
)
FILES = {
    "client/__init__.py": '"""Sends."""\n\nPLACES = {"call": "calls"}\n',
    "client/errors.py": "class TogetherError(Exception):\n    pass\n",
    "client/form.py": "from .errors import TogetherError\n",
    "client/sent.py": "SENT = []\n",
    "client/calls.py": (
        "from .sent import SENT\n\n\ndef call():\n"
        "    from ..names import NAMES  # few have any\n\n    return NAMES, SENT\n"
    ),
    "names.py": "NAMES = []\n",
    "chat_steps.py": "from .client import call\nfrom .names import NAMES\n",
    "other_steps.py": "from . import names\n",
    "many/__init__.py": '"""Many."""\n',
    "many/one.py": "y = 1\n",
    "many/two.py": "x = 1\n",
}


@pytest.fixture
def wrong(tmp_path):
    """Says what is wrong with such files, some of them other ones; None: not there."""

    def judge(changed, layers=LAYERS):
        for name, text in {**FILES, **changed}.items():
            if text is not None:
                place = tmp_path / "scripts" / name
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(text)
        found = layer_problems(tmp_path, layers)
        return [f"{path.relative_to(tmp_path)}: {what}" for path, what in found]

    return judge


def test_what_only_goes_down_is_right(wrong):
    assert wrong({}) == []


def test_a_circle_of_files_is_broken_by_a_late_import(wrong):
    there = "from .two import x\n\ny = 1\n"
    back = "x = 1\n\ndef f():\n    from .one import y  # which imports this one\n"

    assert wrong({"many/one.py": there, "many/two.py": back}) == []


UP = "which stands above it"
BROKEN = {
    "a part that imports from above": (
        {"client/errors.py": "from .form import x\n"},
        f"scripts/client/errors.py: line 1: imports client/form, {UP} (pure)",
    ),
    "a module from above": (
        {"names.py": "from .chat_steps import x\n"},
        f"scripts/names.py: line 1: imports chat_steps, {UP} (pure)",
    ),
    "what a package hands out counts as its part": (
        {"names.py": "from .client import call\n"},
        f"scripts/names.py: line 1: imports client/calls, {UP} (pure)",
    ),
    "a module as an object": (
        {"names.py": "from . import chat_steps\n"},
        f"scripts/names.py: line 1: imports chat_steps, {UP} (pure)",
    ),
    "from above, though late": (
        {"names.py": "def f():\n    from .chat_steps import x  # why\n"},
        f"scripts/names.py: line 2: imports chat_steps, {UP} (pure)",
    ),
    "late without a reason": (
        {"chat_steps.py": "def f():\n    from .names import NAMES\n"},
        "scripts/chat_steps.py: line 2: an import that is late says why",
    ),
    "a library's, late without a reason": (
        {"names.py": "def f():\n    import json\n\n    return json\n"},
        "scripts/names.py: line 2: an import that is late says why",
    ),
    "a library's on several lines": (
        {"names.py": "def f():\n    from json import (\n        loads,\n    )\n"},
        "scripts/names.py: line 2: an import that is late says why",
    ),
    "a file of the same module, late for nothing": (
        {"client/calls.py": "def call():\n    from .sent import SENT  # few send\n"},
        "scripts/client/calls.py: line 2: client/sent is loaded with it: import it at "
        "the top",
    ),
    "what the module loads as it begins, late in another file of it": (
        {
            "many/one.py": "from ..names import NAMES\n",
            "many/two.py": "def f():\n    from ..names import NAMES  # few have any\n",
        },
        "scripts/many/two.py: line 2: names is loaded with it: import it at the top",
    ),
    "other modules for every job": (
        {"client/calls.py": "from ..names import NAMES\n"},
        "scripts/client/calls.py: line 1: names is loaded by every job: import it late",
    ),
    "other modules in a part of the client that is none for it": (
        {"client/sent.py": "SENT = 1\n\ndef f():\n    from ..names import x  # why\n"},
        "scripts/client/sent.py: line 4: only those of LATE_IN_CLIENT load "
        "other modules",
    ),
    "a private name": (
        {"chat_steps.py": "from .names import _kept\n"},
        "scripts/chat_steps.py: line 1: _kept of names is its own: give it a public "
        "name",
    ),
    "a module without a layer": (
        {"new_steps.py": "from .names import NAMES\n"},
        "scripts/new_steps.py: has no layer: give it one in tools/checks/layers.py",
    ),
    "what cannot be one module": (
        {"client/form.py": "from .errors import TogetherError as E\n"},
        "scripts/client/form.py: line 1: TogetherError must keep its name",
    ),
    "deployed modules in a circle": (
        {
            "chat_steps.py": "from .other_steps import x\n",
            "other_steps.py": "from .chat_steps import y\n",
        },
        "scripts/chat_steps.py: the modules make a circle: chat_steps -> other_steps "
        "-> chat_steps",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_wrong_is_named(wrong, case):
    changed, said = BROKEN[case]

    assert wrong(changed)[0] == said


def test_a_script_that_loads_too_many_modules_is_named(wrong):
    chain = {f"m{n}.py": f"from .m{n + 1} import x\n" for n in range(8)}
    chain |= {"m8.py": "x = 1\n", "chat/ask.py": "from ..m0 import x\n"}
    layers = (*LAYERS, ("more", *(f"m{n}" for n in range(9))))

    (found,) = wrong(chain, layers)

    assert found.startswith("scripts/chat/ask.py: loads 9 modules: m0, m1,")
    chain["m7.py"] = "def f():\n    from .m8 import x  # seldom\n\n    return x\n"
    assert wrong(chain, layers) == []


def test_an_entry_without_a_module_is_stale(wrong):
    layers = (*LAYERS, ("none", "gone"))

    assert wrong({}, layers) == [
        "tools/checks/layers.py: gone is stale: there is no scripts/gone.py"
    ]


def test_the_pack_keeps_to_its_layers():
    assert list(layer_problems(ROOT)) == []


@pytest.mark.parametrize("name", module_names(ROOT))
def test_no_module_loads_requests_before_it_is_needed(name):
    nodes = ast.parse(module_text(ROOT, name)).body
    loaded = {a.name for n in nodes if isinstance(n, ast.Import) for a in n.names}
    loaded |= {n.module or "" for n in nodes if isinstance(n, ast.ImportFrom)}
    packages = {module.split(".")[0] for module in loaded}

    assert "requests" not in packages
    if name != "connection_pools":
        assert "urllib3" not in packages


# What is paid for must not need a module any more, and a proxy is found out there; the
# second line loads `transfer`, so that the module is loaded anyway.
LOAD_RESILIENCE = {"connection_pools", "media", "transfer"}
LOAD_RESILIENCE |= {"across", "mcp_client", "realtime_audio", "upload"}


@pytest.mark.parametrize("name", sorted({*module_names(ROOT)} - LOAD_RESILIENCE))
def test_what_explains_failures_is_loaded_once_something_failed(name):
    nodes = ast.parse(module_text(ROOT, name)).body

    assert not [
        n for n in nodes if isinstance(n, ast.ImportFrom) and n.module == "resilience"
    ]


def test_contributing_says_what_is_in_each_folder_of_the_tools():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    (section,) = re.findall(r"### The tools\n\n(.*?)\n### ", text, re.DOTALL)
    rows = dict(re.findall(r"^\| `(\w+)/` \| (.*) \|$", section, re.MULTILINE))
    tools = ROOT / "tools"

    assert sorted(rows) == sorted(p.parent.name for p in tools.glob("*/__init__.py"))
    beside = section.partition("stands beside them")[2]
    assert sorted(re.findall(r"`(\w+)`", beside)) == sorted(
        path.stem for path in tools.glob("*.py") if "__" not in path.stem
    )
    named = {
        folder: re.findall(r"`(\w+)`(?! with)", words)
        for folder, words in rows.items()
        if folder != "commands"
    }
    assert [
        (folder, name)
        for folder, names in named.items()
        for name in names
        if not (tools / folder / f"{name}.py").exists()
    ] == []


def test_what_contributing_points_to_is_there():
    text = (ROOT / "CONTRIBUTING.md").read_text()
    text = "\n".join(line for line in text.splitlines() if line.startswith("|"))
    tops = "docs|flows|resources|scripts|tests|tools"
    paths = re.findall(rf"`((?:{tops})/[\w./]*(?:/|\.\w+))`", text)

    assert len(paths) > 20
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_the_script_that_people_open_first_stays_short():
    path = ROOT / "scripts" / "chat" / "create_chat_completion.py"

    assert len(path.read_text().splitlines()) <= 330
