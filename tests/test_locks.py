"""The locks: exactly what a script's imports need, on every Python from 3.11 on."""

import json
import subprocess
import sys
from functools import cache

import pytest

from tools.operations import (
    ROOT,
    imported,
    imports,
    packages,
    scripts,
    with_own,
)
from tools.tree.flatten import module_text
from tools.tree.locks import PYTHONS, lock
from tools.tree.sync_tree import FOLDER, tree
from tools.yaml_text import load

pytestmark = pytest.mark.slow

REQUIREMENTS = ROOT / "requirements.txt"
PARQUET = ROOT / "requirements-parquet.txt"
WORKERS = [
    ("3.11", "x86_64"),
    ("3.12", "x86_64"),
    ("3.13", "x86_64"),
    ("3.14", "x86_64"),
    ("3.11", "aarch64"),
    ("3.14", "aarch64"),
]


def locks():
    """The different locks of the build: text -> the packages that are imported where
    it is used."""
    files = tree()
    found = {}
    for script in scripts():
        direct = packages(script.script_path).union(*map(of_module, used(script)))
        text = files[f"{FOLDER}/{script.id}.script.lock"].decode()
        assert found.setdefault(text, direct) == direct, script.id
    return found


@cache
def of_module(name):
    return set(imports(module_text(ROOT, name))[1])


def used(script):
    return _used(frozenset(imported(script.script_path)))


@cache
def _used(modules):
    return with_own(modules)


def test_a_script_that_talks_to_the_api_gets_what_the_helper_imports():
    assert all(direct >= {"urllib3", "requests"} for direct in locks().values())


def test_only_realtime_scripts_install_websockets():
    files = tree()
    for script in scripts():
        text = files[f"{FOLDER}/{script.id}.script.lock"].decode()
        assert ("websockets==" in text) == ("realtime_audio" in used(script)), script.id


def test_only_the_parquet_steps_install_its_library():
    files = tree()
    for script in scripts():
        text = files[f"{FOLDER}/{script.id}.script.lock"].decode()
        assert ("arro3-io==" in text) == ("parquet_steps" in used(script)), script.id
        assert ("typing-extensions==" in text) == ("arro3-io==" in text)
    assert "typing-extensions" not in lock(["arro3"], REQUIREMENTS, "3.12")


@pytest.mark.parametrize("python", [None, "3.12"])
def test_a_script_says_itself_what_its_lock_says(python):
    """For when Windmill computes the lock anew; it reads the Python in the comments
    that come first, and packages in comments of one word after `requirements:`."""
    files = tree(python=python) if python else tree()
    python = python or "3.11"
    names = [path.removesuffix(".py") for path in files if path.endswith(".py")]
    assert len(names) > len(list(scripts()))
    for name in names:
        code = files[f"{name}.py"].decode()
        first, *pins = files[f"{name}.script.lock"].decode().splitlines()
        assert first == f"# py: {python}"
        assert code.startswith(f"# py: =={python}.*\n")
        assert code.count("\n# requirements:\n") == 1
        said = code.split("\n# requirements:\n")[1].splitlines()
        assert [f"# {pin}" for pin in pins] == said


def test_a_flow_s_picker_says_it_too():
    files = tree(python="3.13")
    texts = [c.decode() for path, c in files.items() if path.endswith("flow.yaml")]
    found = [text for text in texts if "x-windmill-dyn-select-code" in text]

    assert found
    for text in found:
        schema = load(text)["schema"]
        assert schema["x-windmill-dyn-select-code"].startswith("# py: ==3.13.*\n")


def test_a_script_without_packages_has_a_lock_all_the_same():
    assert lock([], REQUIREMENTS) == "# py: 3.11"
    assert lock([], REQUIREMENTS, "3.12") == "# py: 3.12"


@pytest.mark.parametrize("python", ["3.10", "3", "3.12.1", "312", "", "3.11\n"])
def test_a_python_on_which_the_pack_does_not_run_is_refused(python):
    with pytest.raises(ValueError, match=r"take one of 3\.11, 3\.12"):
        lock([], REQUIREMENTS, python)


def test_the_locks_are_resolved_for_every_python_that_can_be_asked_for():
    assert {python for python, _ in WORKERS} == set(PYTHONS)


def test_an_import_that_is_not_pinned_is_refused(tmp_path):
    with pytest.raises(ValueError, match="a script needs httpx"):
        lock(["httpx"], REQUIREMENTS)
    pins = tmp_path / "requirements.txt"
    pins.write_text("requests==2.34.2\nurllib3==2.8.0\ncertifi==2026.10.18\n")
    with pytest.raises(ValueError, match="requests needs"):
        lock(["requests"], pins)


@pytest.mark.slow
@pytest.mark.parametrize(("python", "platform"), WORKERS)
def test_pip_resolves_to_exactly_the_lock(python, platform, tmp_path):
    """From the direct imports alone, without building anything."""
    for text, direct in locks().items():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run"]
        command += ["--ignore-installed", "--only-binary=:all:", "--report", "-"]
        command += ["--target", str(tmp_path), "--python-version", python]
        command += ["--implementation", "cp", "--disable-pip-version-check"]
        for age in ("manylinux2014", "manylinux_2_24", "manylinux_2_28"):
            command += ["--platform", f"{age}_{platform}"]
        command += ["--constraint", str(REQUIREMENTS), "--constraint", str(PARQUET)]
        command += ["arro3-io" if one == "arro3" else one for one in sorted(direct)]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
        found = {
            f"{part['metadata']['name'].lower().replace('_', '-')}"
            f"=={part['metadata']['version']}"
            for part in json.loads(done.stdout)["install"]
        }
        assert sorted(found) == text.splitlines()[1:]
