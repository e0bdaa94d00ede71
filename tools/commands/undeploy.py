"""Show what the pack brought into a workspace, ask, and remove it; no more."""

import argparse
import json

from tools.cli.shared_options import target_of, workspace_options
from tools.cli.terminal import say


def options(command: argparse.ArgumentParser) -> None:
    workspace_options(command)
    command.add_argument("--yes", action="store_true", help="remove without asking")
    command.add_argument("--dry-run", action="store_true", help="show it only")


def run(arguments: argparse.Namespace) -> int:
    from tools.workspace.deploy import DeployError
    from tools.workspace.undeploy import undeploy as remove

    target, words = target_of(arguments, "remove")
    try:
        done = remove(target, **words)
    except DeployError as failure:
        say(f"error: {failure}")
        return 1
    print(json.dumps(done))
    return 0
