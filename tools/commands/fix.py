"""Write what check would have wanted, unless a problem needs a person."""

import argparse
import subprocess
import sys

from tools.terminal import say


def run(_: argparse.Namespace) -> int:
    from tools.checks import problems
    from tools.operations import ROOT

    format_all = [sys.executable, "-m", "ruff", "format", "--quiet", "."]
    subprocess.run(format_all, cwd=ROOT)  # what is no Python, check names with its line
    found = problems()
    stuck = [problem for problem in found if not problem.fixable]
    for problem in stuck:
        say(problem.show(ROOT))
    for problem in found:
        if problem.fixable:
            problem.fix()
            say(f"wrote {problem.path.relative_to(ROOT)}")
    return 1 if stuck else 0
