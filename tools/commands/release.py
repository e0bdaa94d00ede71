"""Zip the built pack, with checksums, to be deployed by wmill alone."""

import argparse
from pathlib import Path

from tools.cli.shared_options import python_option
from tools.cli.terminal import say


def options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--target", default="dist", help="default: dist")
    python_option(command)


def run(arguments: argparse.Namespace) -> int:
    from tools.commands.check import has_problems
    from tools.tree.release import release as write

    if has_problems("released"):
        return 1
    place = write(Path(arguments.target), arguments.python)
    say(f"wrote {place} and {place.name}.sha256")
    return 0
