"""What the project's own files are, in a git clone and outside of one."""

import shutil

import pytest

from tests.support.source_files import source_files
from tools.operations import ROOT


def test_outside_a_clone_they_are_what_is_not_made_here(tmp_path):
    shutil.copy(ROOT / ".gitignore", tmp_path)
    ours = ["dev", "scripts/forms/a.py", "docs/site/a.md", "tests/fuzz_corpus/a"]
    ours += ["tools/commands/build.py", "docs/forms/a.png", "a/dist/b"]
    made = [".venv/bin/python", "build/f/a.py", ".build-x/new", "forms/a", "site/a"]
    made += ["tools/__pycache__/a.pyc", "tests/windmill/built/a", ".cache/site/a"]
    made += ["tests/windmill/node_modules/a/b.js", "mutants/scripts/a.py", ".venv.lock"]
    for name in [*ours, *made]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    assert source_files(tmp_path) == sorted([".gitignore", *ours])


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="is no clone itself")
def test_in_a_clone_git_lists_the_same():
    listed = source_files(ROOT)

    assert {"dev", "scripts/client/form.py", "pyproject.toml"} <= {*listed}
    assert not [name for name in listed if "__pycache__" in name]
