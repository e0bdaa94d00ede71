"""Run the tests; further words go to pytest (`./dev test -m slow`)."""

import argparse
import os
import subprocess
import sys

EXAMPLES = "Examples:\n  ./dev test tests/test_tools.py -x\n  ./dev test -m slow"


def options(command: argparse.ArgumentParser) -> None:
    command.set_defaults(rest=[])  # words that are not ours, see tools/__main__.py


def run(arguments: argparse.Namespace) -> int:
    from tools.operations import ROOT

    words = arguments.rest
    if not any(word.startswith(("tests", "-n")) for word in words):
        # All of them: on every core and one more, as some wait for a time-out; those
        # of one file together, as they share servers.
        workers = (os.cpu_count() or 1) + 1
        spread = ["--dist", "loadfile", "--no-loadscope-reorder"]
        words = ["-n", str(workers), *spread, *words]
    return subprocess.run([sys.executable, "-m", "pytest", *words], cwd=ROOT).returncode
