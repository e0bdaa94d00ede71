"""The suites that look for faults nobody knows of yet, each to be run whole.

CI runs a short sample of each, always the same; a probe runs all of it. `fuzz` has no
sample but the inputs that were kept, which are quick tests.
"""

import os
import subprocess
import sys
from collections.abc import Sequence

from tools.operations import ROOT

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


FUZZ = "fuzz"  # is no suite; tools/probes/fuzz.py
PRISM = "prism"  # is none, either; tools/probes/prism.py


def listed() -> list[str]:
    """A line for each probe."""
    fuzz = "inputs, made by what code they reach, for each reader of outside text"
    return [
        *(
            f"{name:10} {what} (about {minutes} min)"
            for name, (_, what, minutes) in PROBES.items()
        ),
        f"{FUZZ:10} {fuzz} (about 50 min)",
        f"{PRISM:10} requests beside an OpenAPI document, a path or URL (about 3 min)",
    ]


def run(
    name: str,
    seed: int | None = None,
    given: Sequence[str] = (),
    seconds: int | None = None,
    keep: bool = False,
) -> int:
    """Run one probe whole; what it saw goes to build/probe/NAME.txt, too. `given` are
    targets of fuzz, or the document for prism; `seconds` is the time for each target,
    `keep` keeps what they reached."""
    if name == FUZZ:
        return _fuzz(seed, tuple(given), seconds, keep)
    if name == PRISM:
        return _prism(given)
    if name not in PROBES:
        known = ", ".join([*PROBES, FUZZ, PRISM])
        raise ValueError(f"no probe {name}; there are: {known}")
    if given or seconds or keep:
        raise ValueError(f"the probe {name} takes --seed alone")
    environment = {**os.environ, "PROBE": "whole"}
    if seed is not None:
        environment["PROBE_SEED"] = str(seed)
    words = ["-m", "pytest", PROBES[name][0], "-m", "slow", "-s", "-p", "no:xdist"]
    return subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=environment
    ).returncode


def _fuzz(
    seed: int | None, targets: tuple[str, ...], seconds: int | None, keep: bool
) -> int:
    from tools.probes import fuzz

    if unknown := set(targets) - set(fuzz.TARGETS):
        known = ", ".join(fuzz.TARGETS)
        raise ValueError(f"no target {', '.join(unknown)}; there are: {known}")
    targets = targets or fuzz.TARGETS
    if keep:
        return fuzz.keep(_told, targets)
    return fuzz.run(_told, targets, seconds or fuzz.SECONDS, seed)


def _prism(given: Sequence[str]) -> int:
    from tools.probes import prism

    if len(given) != 1:
        raise ValueError("prism takes one OpenAPI document, by its path or URL")
    found = prism.judge(given[0])
    for line in found.lines():
        _told(line)
    return int(bool(found.refused))


def _told(line: str) -> None:
    """Say a line at once, as a run takes long."""
    print(line, flush=True)
