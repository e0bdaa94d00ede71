"""The mark that says which version of the pack an object is of."""

import re

import pytest

from tools.__main__ import main
from tools.checks.checks import problems
from tools.flows.pack_flows import schedules, timetable
from tools.operations import ROOT
from tools.tree.sync_tree import FOLDER, tree
from tools.version import NAME, VERSION, mark, mark_of, marked
from tools.yaml_text import load


@pytest.fixture(scope="module")
def files():
    return {path: content.decode() for path, content in tree().items()}


def objects(files):
    """What can be marked, by its id: a script's text, or a flow's or schedule's
    content."""
    for path, text in files.items():
        name = path.removeprefix(f"{FOLDER}/")
        if name.endswith(".py"):
            yield name.removesuffix(".py"), text
        elif name.endswith("__flow/flow.yaml"):
            yield name.removesuffix("__flow/flow.yaml"), load(text)
    for schedule in schedules():
        yield schedule.name, timetable(schedule)


@pytest.mark.slow
def test_everything_that_is_built_says_which_version_it_is_of(files):
    found = dict(objects(files))

    assert {"client", "chat/ask_model", "flows/run_batch"} <= found.keys()
    for name, content in found.items():
        assert mark_of(content) == VERSION, name
        assert marked(content).id == name


def test_a_script_as_the_server_gives_it_is_known(files):
    text = files[f"{FOLDER}/chat/ask_model.py"]
    script = {"path": "f/x/chat/ask_model", "content": text, "schema": {}}

    assert mark_of(script) == VERSION
    assert mark_of(script, "chat/ask_model") == VERSION


def test_a_copy_under_another_name_is_not_taken_for_ours(files):
    text = files[f"{FOLDER}/chat/ask_model.py"]

    assert mark_of(text, "chat/my_ask_model") is None


UNMARKED = {
    "a script": "def main():\n    return 1\n",
    "a word in a text": f'TEXT = "# {NAME} 1.0.0 a/b"\n',
    "a mention": f"# see {NAME} 1.0.0 a/b\n# {NAME} is good\n",
    "a flow": {"value": {"modules": []}, "schema": {"type": "object"}},
    "a flow without a schema": {"description": None, "schema": None},
    "another pack's": {"schema": {"x-pack": "other 1.0.0 a/b"}},
    "a member that is no text": {"schema": {"x-pack": 1}},
    "a schedule": {"description": f"runs what {mark('a/b')} holds", "args": {}},
}


@pytest.mark.parametrize("name", UNMARKED)
def test_what_is_not_ours_has_no_mark(name):
    assert marked(UNMARKED[name]) is None


@pytest.mark.parametrize("version", ["1.0.0", "12.3.4", "2.0.0-rc.1", "2.0.0rc1"])
def test_the_mark_of_any_version_is_read(version):
    text = f"def main():\n    pass\n# {mark('a/b_c', version)}\n# requirements:\n"

    assert mark_of(text) == version
    assert mark_of({"schema": {"x-pack": mark("flows/x", version)}}) == version
    assert mark_of({"description": f"Daily.\n\n{mark('x', version)}"}) == version


def test_the_version_stands_in_one_place():
    """The newest heading of the CHANGELOG agrees, once it names a version."""
    headings = re.findall(r"^## \[?(\d\S*?)\]?(?: |$)", _changelog(), re.M)

    assert re.search(rf'^version = "{re.escape(VERSION)}"$', _project(), re.M)
    assert not headings or headings[0] == VERSION


def _changelog():
    return (ROOT / "CHANGELOG.md").read_text()


def _project():
    return (ROOT / "pyproject.toml").read_text()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("log", "what"),
    [
        ("## Unreleased\n\nA\n", None),
        ("## Unreleased\n\n## 0.9.0 (2026-01-01)\n", None),
        (f"## {VERSION} (2026-01-01)\n\n## 0.9.0\n", None),
        (f"## Unreleased\n\n## {VERSION} (2026-01-01)\n", "no version after"),
        ("## 0.9.0\n", "first heading is not the version"),
        ("## 99.0.0\n", "first heading is not the version"),
    ],
)
def test_the_change_log_agrees_with_the_version(log, what, one_step):
    (one_step / "CHANGELOG.md").write_text(f"# Changelog\n\n{log}")

    found = [p.what for p in problems(one_step) if p.path.name == "CHANGELOG.md"]

    assert len(found) == (what is not None)
    assert what is None or what in found[0]


def test_the_helper_s_version_is_the_pack_s_or_is_mended(one_step):
    path = next(
        path
        for path in (one_step / "scripts").rglob("*.py")
        if LINE in path.read_text()
    )
    path.write_text(path.read_text().replace(LINE, 'PACK = "0.1.0"'))

    found = [p for p in problems(one_step) if p.path == path and "PACK" in p.what]
    for problem in found:
        problem.fix()

    assert [(p.what, p.fixable) for p in found] == [
        (f"PACK is not the version, {VERSION}", True)
    ]
    assert LINE in path.read_text()


LINE = f'PACK = "{VERSION}"'


def test_the_command_tells_the_version(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])

    assert ended.value.code == 0
    assert capsys.readouterr().out == f"{NAME} {VERSION}\n"
