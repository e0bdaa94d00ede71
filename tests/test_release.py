"""A release is deployed by Windmill's command line alone, and is the same each time."""

import hashlib
import subprocess
import zipfile

import pytest

from tests.support.fake_windmill_api import Remote, push
from tests.support.windmill_cli import wmill
from tools.tree.release import SUMS, release
from tools.version import NAME, VERSION


@pytest.mark.slow
def test_the_same_sources_make_the_same_zip_with_right_checksums(tmp_path):
    first, second = release(tmp_path / "a", "3.11"), release(tmp_path / "b", "3.11")

    assert first.read_bytes() == second.read_bytes()
    said = (tmp_path / "a" / f"{first.name}.sha256").read_text().split()
    assert said == [hashlib.sha256(first.read_bytes()).hexdigest(), first.name]
    with zipfile.ZipFile(first) as archive:
        archive.extractall(tmp_path / "c")
        names = {name.partition("/")[2] for name in archive.namelist()}
    top = tmp_path / "c" / f"{NAME}-{VERSION}"
    done = subprocess.run(["sha256sum", "--check", "--quiet", SUMS], cwd=top)
    assert done.returncode == 0
    listed = {line.split("  ")[1] for line in (top / SUMS).read_text().splitlines()}
    assert listed == names - {SUMS}
    assert {"wmill.yaml", "LICENSE", "README.txt"} < listed


@pytest.mark.slow
def test_wmill_takes_what_was_unzipped(tmp_path, node_packages):
    with zipfile.ZipFile(release(tmp_path, "3.11")) as archive:
        archive.extractall(tmp_path)
    top = tmp_path / f"{NAME}-{VERSION}"

    linted = wmill(top, "lint", "--locks-required")
    pushed = push(top, Remote())

    assert linted.returncode == 0, linted.stdout + linted.stderr
    scripts = {body["path"] for url, body in pushed if url == "/w/w/scripts/create"}
    assert "f/togetherai/chat/ask_model" in scripts
