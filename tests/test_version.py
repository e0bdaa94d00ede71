"""The mark that says which version of the pack an object is of."""

import re

import pytest
import yaml

from tools.operations import ROOT
from tools.tree import FOLDER, tree
from tools.version import NAME, VERSION, mark, mark_of, marked


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
            yield name.removesuffix("__flow/flow.yaml"), yaml.safe_load(text)
        elif name.endswith(".schedule.yaml"):
            yield name.removesuffix(".schedule.yaml"), yaml.safe_load(text)


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
