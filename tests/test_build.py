"""A build: written whole or not at all, into a folder that is of builds alone."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import probing
from tools.operations import ROOT
from tools.pages import site
from tools.probes import fuzz
from tools.tree.sync_tree import build

STOPPED = """\
import resource, sys
from pathlib import Path
from tools.tree.sync_tree import build

# No file may grow beyond so many bytes: as on a disk that is full.
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, resource.RLIM_INFINITY))
build(Path(sys.argv[1]), Path(sys.argv[2]))
"""


@pytest.mark.parametrize("before", [False, True])
def test_a_build_that_stops_in_the_middle_is_no_hindrance(tmp_path, one_step, before):
    place = tmp_path / "here" / "build"
    if before:
        build(place, one_step, folder="f/ai")
    was = _content(place)
    words = [sys.executable, "-c", STOPPED, place, one_step]

    stopped = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)

    assert "File too large" in stopped.stderr
    assert _content(place) == was
    assert build(place, one_step) == len(_content(place))
    assert os.listdir(place.parent) == ["build"]


def test_a_build_goes_into_the_current_folder_too(tmp_path, one_step, monkeypatch):
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    for _ in range(2):
        count = build(Path("."), one_step)

        assert len(_content(Path("."))) == count
        assert os.path.samefile(".", here)
    half = {"wmill.yaml", "f"}  # as a build leaves it whose files were being moved
    for path in here.iterdir():
        if path.name not in half:
            path.unlink()

    assert build(here, one_step) == count == len(_content(here))


def _content(place: Path) -> dict[str, bytes]:
    files = (path for path in place.rglob("*") if path.is_file())
    return {path.relative_to(place).as_posix(): path.read_bytes() for path in files}


def test_what_is_made_here_hinders_no_build():
    """The default target is of builds alone: of what else ./dev makes, nothing is
    below it."""
    for made in (fuzz.PLACE, probing.PLACE, site.WORK):
        assert (ROOT / "build") not in made.parents
        assert made.is_relative_to(ROOT / ".cache")


def test_outside_a_git_clone_ruff_looks_at_the_sources_alone(tmp_path):
    """There it reads no .gitignore."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    made = ["build/f", ".build-x/new", "mutants/scripts", "site", "forms", "dist"]
    made += [".cache/site", "tests/windmill/built", "tests/prism/built"]
    ours = ["scripts/forms/a.py", "tools/pages/site.py", "tools/commands/build.py"]
    for name in [f"{folder}/wrong.py" for folder in made] + ours:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("wrong\n")
    words = [sys.executable, "-m", "ruff", "check", "--no-cache", "--select=F821"]

    concise = [*words, "--output-format=concise"]
    done = subprocess.run(concise, cwd=tmp_path, capture_output=True, text=True)

    lines = done.stdout.splitlines()
    assert [line.partition(":")[0] for line in lines if "F821" in line] == sorted(ours)
