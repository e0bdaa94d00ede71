"""Write what check would have wanted, unless a problem needs a person."""

from __future__ import annotations

import argparse
import subprocess
import sys
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
    _repair(found)
    if any(problem.make for problem in found):
        # Other files say what was made.
        found = problems()
        _repair(found)
    stuck = [problem for problem in found if not problem.fixable]
    for problem in stuck:
        say(problem.show(ROOT))
    return 1 if stuck else 0


def _repair(found: list[Problem]) -> None:
    from tools.operations import ROOT

    for problem in found:
        if problem.fixable:
            problem.fix()
            say(f"wrote {problem.path.relative_to(ROOT)}")
