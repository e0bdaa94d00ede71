"""Assemble the tree that `wmill sync push` deploys."""

import argparse
import shlex
from pathlib import Path

from tools.cli.shared_options import folder_option, python_option
from tools.cli.terminal import say

EXAMPLES = "Example:\n  ./dev build --target ~/pack --folder f/team_ai"


def options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--target", default="build", help="default: build")
    folder_option(command)
    python_option(command)


def run(arguments: argparse.Namespace) -> int:
    from tools.tree.sync_tree import build as write

    words = {"folder": arguments.folder, "python": arguments.python}
    count = write(Path(arguments.target), **words)
    say(f"{count} files in {arguments.target}")
    place = f"cd {shlex.quote(arguments.target)}"
    space, name, *inner = arguments.folder.split("/")
    if space == "f" and not inner:
        say(f"the first time, create the folder: {place} && wmill folder push {name}")
    say(f"then deploy them: {place} && wmill sync push --keep-deleted")
    return 0
