"""The suites that look for faults nobody knows of yet, each to be run whole.

CI runs a short sample of each, always the same; a probe runs all of it. `fuzz` has no
sample but the inputs that were kept, which are quick tests.
"""

import os
import subprocess
import sys
from collections.abc import Sequence

# name: (tests, what it does, about how long in minutes)
PROBES = {
    "faults": (
        "tests/test_fault_matrix.py",
        "faults of servers and networks x kinds of exchange",
        15,
    ),
    "killed": (
        "tests/test_killed.py",
        "kill -9 at 20 moments of jobs and flows that cost money",
        10,
    ),
    "answers": (
        "tests/test_bent_answers.py",
        "answers with a member dropped, nulled, of another type or huge",
        15,
    ),
    "sdk": (
        "tests/test_sdk_generated.py",
        "requests for generated arguments beside those of the official SDK",
        25,
    ),
    "site": (
        "tests/test_site.py",
        "every page of the site beside the rules of axe, in a browser",
        6,
    ),
    "load": (
        "tests/test_load.py",
        "200 jobs at once as processes; 50,000 calls of one process",
        10,
    ),
}


# These are no suites: what each does, and about how long in minutes.
FUZZ = "inputs, made by what code they reach, for each reader of outside text", 50
PRISM = "requests beside an OpenAPI document, a path or URL", 3


def listed() -> list[str]:
    """A line for each probe."""
    found = {name: (about, minutes) for name, (_, about, minutes) in PROBES.items()}
    found |= {"fuzz": FUZZ, "prism": PRISM}
    return [
        f"{name:10} {about} (about {minutes} min)"
        for name, (about, minutes) in found.items()
    ]


def suite(name: str, seed: int | None = None) -> int:
    """Run one of PROBES whole; what it saw goes to .cache/probe/NAME.txt, too."""
    from tools.operations import ROOT

    environment = {**os.environ, "PROBE": "whole"}
    if seed is not None:
        environment["PROBE_SEED"] = str(seed)
    words = ["-m", "pytest", PROBES[name][0], "-m", "slow", "-s", "-p", "no:xdist"]
    return subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=environment
    ).returncode


def fuzz(
    targets: Sequence[str], seconds: int, seed: int | None = None, keep: bool = False
) -> int:
    """Fuzz some targets, or all, for so many seconds each; or `keep` what the last runs
    reached. Raises ValueError for an unknown target, SetupError where atheris cannot be
    installed."""
    from tools.environment import add
    from tools.probes import fuzz

    if unknown := sorted(set(targets) - set(fuzz.TARGETS)):
        known = ", ".join(fuzz.TARGETS)
        raise ValueError(f"no target {', '.join(unknown)}; there are: {known}")
    add("requirements-fuzz.lock")
    chosen = tuple(targets) or fuzz.TARGETS
    if keep:
        return fuzz.keep(_told, chosen)
    return fuzz.run(_told, chosen, seconds, seed)


def prism(document: str) -> int:
    """Send all examples to Prism over a document; the exit code is 1 where it refuses
    some. Raises as judge() does."""
    from tools.probes import prism

    found = prism.judge(document)
    for line in found.lines():
        _told(line)
    return int(bool(found.refused))


def _told(line: str) -> None:
    """Say a line at once, as a run takes long."""
    print(line, flush=True)
