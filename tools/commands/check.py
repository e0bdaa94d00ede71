"""Compare everything with its schema; write nothing."""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

from tools.cli.terminal import say

MOST_SAID = 10  # problems, of those that keep another command from its work


def run(_: argparse.Namespace) -> int:
    from tools.checks.checks import problems
    from tools.checks.type_check import begin_type_check
    from tools.operations import ROOT, scripts

    types = begin_type_check()
    found = problems()
    for problem in found:
        say(problem.show(ROOT))
    if any(problem.fixable for problem in found):
        say("`./dev fix` repairs what is marked [fix]")
    if not found:
        from tools.pages.screenshots import notes

        for note in notes():
            say(note)
    others = {"ruff": ruff_problems(ROOT), "mypy": types.wait()}
    counts = {"the pack's own checks": len(found), **others}
    total = sum(counts.values())
    parts = ", ".join(f"{count} of {who}" for who, count in counts.items() if count)
    many = f"{total} problem{'' if total == 1 else 's'}"
    say(f"{len(list(scripts()))} scripts, {many}{f': {parts}' if parts else ''}")
    return 1 if total else 0


def has_problems(done: str) -> bool:
    """Whether the pack's own checks find something, of which the first are said;
    `done` is what therefore nothing is, such as "deployed"."""
    from tools.checks.checks import problems
    from tools.operations import ROOT

    found = problems()
    for problem in found[:MOST_SAID]:
        say(problem.show(ROOT))
    if found:
        say(f"error: nothing {done}, these sources have problems; see ./dev check")
    return bool(found)


def ruff_problems(root: Path) -> int:
    """Say what ruff finds in the Python of a folder, a line each; how many."""
    words = [] if os.access(root, os.W_OK) else ["--no-cache"]
    ruff = [sys.executable, "-m", "ruff"]
    count = 0
    for command in (["check"], ["format", "--check"]):
        line_each = ["--quiet", "--output-format=concise", *words, "."]
        done = subprocess.run(
            [*ruff, *command, *line_each], cwd=root, capture_output=True, text=True
        )
        said = re.findall(r"^.+:\d+:\d+: .+", done.stdout, re.MULTILINE)
        for line in said:
            say(line + (" [fix]" if ": unformatted: " in line else ""))
        if done.returncode and not said:  # ruff itself failed
            say(done.stderr.strip())
        count += len(said) or int(done.returncode != 0)
    return count
