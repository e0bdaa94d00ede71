"""Ask the services that know of weaknesses about the packages of the tools and tests.

Both answer about exactly what the lock files name. What could not be asked is said in
plain words, and is no good news: it has an exit code of its own.
"""

import json
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tools.environment import SetupError, side_python
from tools.operations import ROOT
from tools.pages.node import PLACE, PRISM

LOCKS = (
    "requirements-dev.lock",
    "requirements-local-model.lock",
    "requirements-mutate.lock",
    "requirements-docs.lock",
    "recipes/requirements.lock",
    "requirements-fuzz.lock",
    "requirements-embeddings.lock",
    "requirements-parquet.lock",
)
NPM = (PLACE, PRISM)  # folders with a package-lock.json
SOUND, FOUND, UNKNOWN = 0, 1, 3
NAMED = 3  # of what could not be asked


@dataclass
class Audit:
    """What one service said: of how many packages, which weaknesses, and why it could
    not be asked about some."""

    source: str
    packages: int = 0
    weaknesses: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def audit(say: Callable[[str], None], audits: list[Audit] | None = None) -> int:
    """Say what is known; return SOUND, FOUND, or UNKNOWN where nothing was found and
    not everything could be asked."""
    if audits is None:
        audits = [
            *python_packages([ROOT / name for name in LOCKS]),
            *map(npm_packages, NPM),
        ]
    for one in audits:
        for weakness in one.weaknesses:
            say(f"{one.source}: {weakness}")
        for why in one.unknown[:NAMED]:
            say(f"{one.source}: not known, {why}")
        if len(one.unknown) > NAMED:
            say(f"{one.source}: and {len(one.unknown) - NAMED} more of that kind")
        asked = f"{one.packages} packages, {len(one.weaknesses)} known weaknesses"
        say(f"{one.source}: {asked}" if one.packages else f"{one.source}: NOT AUDITED")
    if any(one.weaknesses for one in audits):
        return FOUND
    return UNKNOWN if any(one.unknown or not one.packages for one in audits) else SOUND


def python_packages(locks: Iterable[Path]) -> list[Audit]:
    """Ask PyPI about the packages of lock files. The program that does so is installed
    on first use, apart from what it looks at."""
    try:
        python = side_python("audit", "requirements-audit.lock")
    except (SetupError, OSError) as error:
        why = f"pip-audit cannot be installed ({error})"
        return [Audit(lock.name, unknown=[why]) for lock in locks]
    words = ["--disable-pip", "--require-hashes", "--progress-spinner", "off"]
    command = [python, "-m", "pip_audit", *words, "--format", "json", "--requirement"]
    audits = []
    for lock in locks:
        done = subprocess.run([*command, lock], capture_output=True, text=True)
        audits.append(read_pip_audit(lock.name, done.stdout, done.stderr))
    return audits


def read_pip_audit(source: str, output: str, log: str) -> Audit:
    """Read what pip-audit printed."""
    found = Audit(source)
    try:
        packages = json.loads(output)["dependencies"]
    except (ValueError, KeyError, TypeError):
        found.unknown.append(_reason("PyPI", log))
        return found
    for package in packages:
        name = f"{package['name']} {package.get('version', '')}".strip()
        if "skip_reason" in package:
            found.unknown.append(f"{name}: {package['skip_reason']}")
            continue
        found.packages += 1
        for one in package["vulns"]:
            mended = ", ".join(one["fix_versions"]) or "no version yet"
            found.weaknesses.append(f"{name}: {one['id']}, mended in {mended}")
    return found


def npm_packages(place: Path) -> Audit:
    """Ask npm about the packages of the package-lock.json in a folder."""
    name = f"{place.name}/package-lock.json"
    words = ["npm", "audit", "--json", "--package-lock-only"]
    try:
        done = subprocess.run(words, cwd=place, capture_output=True, text=True)
    except OSError as error:
        return Audit(name, unknown=[f"npm cannot be run ({error})"])
    return read_npm_audit(name, done.stdout, done.stderr)


def read_npm_audit(source: str, output: str, log: str) -> Audit:
    """Read what npm printed."""
    found = Audit(source)
    try:
        answer = json.loads(output)
        error = answer.get("error") or answer
        log = error.get("summary") or answer.get("message") or log
        found.packages = answer["metadata"]["dependencies"]["total"]
        weak = answer["vulnerabilities"]
    except (ValueError, KeyError, TypeError, AttributeError):
        found.unknown.append(_reason("npm's registry", log or output))
        return found
    for name, one in weak.items():
        titles = [via["title"] for via in one["via"] if isinstance(via, dict)]
        why = "; ".join(titles) or f"through {', '.join(map(str, one['via']))}"
        found.weaknesses.append(f"{name} {one['range']}: {one['severity']}, {why}")
    return found


def _reason(service: str, log: str) -> str:
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    last = lines[-1][:300] if lines else "it said nothing"
    return f"{service} could not be asked ({last})"
