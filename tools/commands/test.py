"""Run the tests; further words go to pytest (`./dev test -m slow`)."""

import argparse
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

# Options of pytest whose value is the next word, which is no path then.
WITH_VALUE = ("-k", "-m", "-p", "-c", "-o", "-W", "-n", "-r")
EXAMPLES = "Examples:\n  ./dev test tests/test_tools.py -x\n  ./dev test -m slow"


def options(command: argparse.ArgumentParser) -> None:
    command.set_defaults(rest=[])  # words that are not ours, see tools/__main__.py


def run(arguments: argparse.Namespace) -> int:
    from tools.operations import ROOT

    words, some = placed(arguments.rest, ROOT)
    if not some and not any(word.startswith("-n") for word in words):
        # All of them: on every core and one more, as some wait for a time-out; those
        # of one file together, as they share servers.
        workers = (os.cpu_count() or 1) + 1
        spread = ["--dist", "loadfile", "--no-loadscope-reorder"]
        words = ["-n", str(workers), *spread, *words]
    return subprocess.run([sys.executable, "-m", "pytest", *words], cwd=ROOT).returncode


def placed(words: list[str], root: Path) -> tuple[list[str], bool]:
    """The words for pytest, which runs in the pack's folder, with the caller's paths as
    whole ones; and whether they name some tests."""
    found, some = [], False
    for before, word in pairwise(["", *words]):
        name, sign, test = word.partition("::")
        is_value = before in WITH_VALUE or word.startswith("-")
        if not is_value and Path(name).exists():
            word, some = os.path.abspath(name) + sign + test, True
        elif not is_value and (root / name).exists():
            some = True
        found.append(word)
    return found, some
