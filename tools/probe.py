"""The suites that look for faults nobody knows of yet, each to be run whole.

CI runs a short sample of each, always the same; a probe runs all of it.
"""

import os
import subprocess
import sys

from tools.operations import ROOT

# name: (tests, what it does, about how long in minutes)
PROBES = {
    "faults": (
        "tests/test_fault_matrix.py",
        "faults of servers and networks x kinds of exchange",
        120,
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
    "load": (
        "tests/test_load.py",
        "200 jobs at once as processes; 50,000 calls of one process",
        10,
    ),
}


def listed() -> list[str]:
    """A line for each probe."""
    return [
        f"{name:10} {what} (about {minutes} min)"
        for name, (_, what, minutes) in PROBES.items()
    ]


def run(name: str, seed: int | None = None) -> int:
    """Run one probe whole; what it saw goes to build/probe/NAME.txt, too."""
    if name not in PROBES:
        raise ValueError(f"no probe {name}; there are: {', '.join(PROBES)}")
    environment = {**os.environ, "PROBE": "whole"}
    if seed is not None:
        environment["PROBE_SEED"] = str(seed)
    words = ["-m", "pytest", PROBES[name][0], "-m", "slow", "-s", "-p", "no:xdist"]
    return subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=environment
    ).returncode
