"""What the tools are made of: locked by hashes, and known weaknesses told."""

import json
import re

import pytest

from tools import environment
from tools.checks.audit import (
    NPM,
    Audit,
    audit,
    python_packages,
    read_npm_audit,
    read_pip_audit,
)
from tools.operations import ROOT

LOCKS = {
    "requirements-dev.lock": ("requirements.txt", "requirements-dev.txt"),
    "requirements-local-model.lock": ("requirements-local-model.txt",),
    "requirements-mutate.lock": ("requirements-mutate.txt",),
    "requirements-docs.lock": ("requirements-docs.txt",),
    "recipes/requirements.lock": ("recipes/requirements.txt",),
    "requirements-fuzz.lock": ("requirements-fuzz.txt",),
    "requirements-embeddings.lock": ("requirements-embeddings.txt",),
    "requirements-parquet.lock": ("requirements-parquet.txt",),
    "requirements-audit.lock": ("requirements-audit.txt",),
    "tests/windmill/requirements.txt": (),
}
WHOLE = re.compile(r"^([\w.-]+)==(\S+?)( ; .+?)?((?: --hash=sha256:[0-9a-f]{64})+)$")


def locked(name):
    text = (ROOT / name).read_text().replace(" \\\n    ", " ")
    return [line for line in text.splitlines() if line and line[0] != "#"]


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_is_locked_by_its_hashes(name):
    for line in locked(name):
        assert WHOLE.match(line), line


@pytest.mark.parametrize("name", [name for name in LOCKS if LOCKS[name]])
def test_a_lock_has_what_is_asked_for(name):
    found = {m[1].lower(): m[2] for m in map(WHOLE.match, locked(name))}
    for source in LOCKS[name]:
        text = (ROOT / source).read_text()
        for package, version in re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE):
            assert found[package.lower()] == version


def test_what_is_installed_together_has_one_version_of_each_package():
    """What one command installed stays as it is while ./dev installs for another."""
    together = ("dev", "local-model", "mutate", "fuzz")
    versions = {}
    for name in together:
        for line in locked(f"requirements-{name}.lock"):
            package, version, condition, _ = WHOLE.match(line).groups()
            versions.setdefault((package.lower(), condition), set()).add(version)

    assert len(versions) > 50
    assert not {name: found for name, found in versions.items() if len(found) > 1}


@pytest.mark.slow
def test_where_nothing_can_be_installed_nothing_is_known(tmp_path, monkeypatch):
    monkeypatch.setattr(environment, "VENV", tmp_path / ".venv")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    said = []

    audits = python_packages([ROOT / "requirements-dev.lock"])

    assert audit(said.append, audits) == 3
    assert "pip-audit cannot be installed (" in said[0]
    assert "127.0.0.1:9/simple cannot be reached" in said[0]
    assert said[1] == "requirements-dev.lock: NOT AUDITED"


@pytest.mark.parametrize("place", NPM, ids=lambda place: place.name)
def test_npm_s_packages_are_locked_by_their_hashes(place):
    lock = json.loads((place / "package-lock.json").read_text())
    packages = {name: one for name, one in lock["packages"].items() if name}

    assert packages
    for name, one in packages.items():
        assert one["integrity"].startswith("sha512-"), name


CLEAN = {"name": "certifi", "version": "1", "vulns": []}
WEAK = {
    "name": "idna",
    "version": "2",
    "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"], "aliases": []}],
}
SKIPPED = {"name": "wmill", "skip_reason": "not found"}


def pip(*packages):
    return read_pip_audit("a.lock", json.dumps({"dependencies": packages}), "")


def npm(**weak):
    answer = {
        "vulnerabilities": weak,
        "metadata": {"dependencies": {"total": 200}},
    }
    return read_npm_audit("b.json", json.dumps(answer), "")


VITE = {"severity": "high", "range": "<9", "via": [{"title": "reads files"}]}
DOWN = "requests.exceptions.ConnectionError: Name does not resolve\n"


@pytest.mark.parametrize(
    ("audits", "code", "words"),
    [
        ([pip(CLEAN), npm()], 0, "a.lock: 1 packages, 0 known weaknesses"),
        ([pip(CLEAN, WEAK), npm()], 1, "a.lock: idna 2: PYSEC-1, mended in 3"),
        ([pip(CLEAN), npm(vite=VITE)], 1, "b.json: vite <9: high, reads files"),
        ([pip(CLEAN), npm(b={**VITE, "via": ["vite"]})], 1, "through vite"),
        ([pip(CLEAN, SKIPPED)], 3, "a.lock: not known, wmill: not found"),
        ([pip(SKIPPED)], 3, "a.lock: NOT AUDITED"),
        ([pip(WEAK, SKIPPED)], 1, "not known, wmill"),
        ([read_pip_audit("a.lock", "", DOWN)], 3, "PyPI could not be asked (requests"),
        ([read_npm_audit("b.json", "{}", "405")], 3, "could not be asked (405)"),
        (
            [read_npm_audit("b.json", '{"error": {"summary": "405 No"}}', "")],
            3,
            "npm's registry could not be asked (405 No)",
        ),
        ([read_npm_audit("b.json", "", "")], 3, "it said nothing"),
        ([Audit("c")], 3, "c: NOT AUDITED"),
    ],
)
def test_what_is_known_is_told_and_what_is_not_too(audits, code, words):
    said = []

    assert audit(said.append, audits) == code
    assert words in "\n".join(said)
