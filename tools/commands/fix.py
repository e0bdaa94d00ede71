"""Write what check would have wanted, unless a problem needs a person."""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from tools.cli.terminal import say

if TYPE_CHECKING:
    from tools.checks.checks import Problem


def run(_: argparse.Namespace) -> int:
    from tools.checks.checks import problems
    from tools.operations import ROOT

    format_all = [sys.executable, "-m", "ruff", "format", "--quiet", "."]
    subprocess.run(format_all, cwd=ROOT)  # what is no Python, check names with its line
    found = problems()
    wrote = _repair(found)
    if any(problem.make for problem in found):
        # Other files say what was made.
        found = problems()
        _repair(found, wrote)
    stuck = [problem for problem in found if not problem.fixable]
    for problem in stuck:
        say(problem.show(ROOT))
    return 1 if stuck else 0


def _repair(found: list[Problem], told: Collection[Path] = ()) -> set[Path]:
    """Write what can be written, and say so of each file once; which those are."""
    from tools.operations import ROOT

    wrote = set(told)
    for problem in found:
        if problem.fixable:
            problem.fix()
            if problem.path not in wrote:
                say(f"wrote {problem.path.relative_to(ROOT)}")
            wrote.add(problem.path)
    return wrote
