"""Build, show what would change in a workspace, ask, and push."""

import argparse
import json
from pathlib import Path

from tools.cli.shared_options import python_option, target_of, workspace_options
from tools.cli.terminal import say

EXAMPLES = (
    "Example:\n"
    "  ./dev deploy --workspace mine --base-url https://app.windmill.dev --dry-run"
)


def options(command: argparse.ArgumentParser) -> None:
    workspace_options(command)
    python_option(command)
    command.add_argument("--target", help="keep the build there")
    command.add_argument("--yes", action="store_true", help="push without asking")
    command.add_argument("--dry-run", action="store_true", help="show the changes only")
    command.add_argument(
        "--groups", help="only these, such as chat,batches, and what they need"
    )
    command.add_argument(
        "--steps", action="store_true", help="steps and flows, no raw operations"
    )
    command.add_argument(
        "--schedules",
        action="store_true",
        help="create the schedules that are missing, off (default: at the first "
        "deployment only)",
    )
    command.add_argument(
        "--prune",
        action="store_true",
        help="remove scripts and flows of the pack that this version no longer has",
    )
    command.add_argument(
        "--star",
        action="store_true",
        help="make the tools for agents your favourites, which MCP clients list",
    )


def run(arguments: argparse.Namespace) -> int:
    from tools.commands.check import has_problems
    from tools.flows.pack_flows import readable
    from tools.operations import scripts
    from tools.tree.parts import check_groups
    from tools.workspace.deploy import DeployError, Wish
    from tools.workspace.deploy import deploy as write

    target, words = target_of(arguments, "push")
    groups = arguments.groups and [g.strip() for g in arguments.groups.split(",")]
    own = arguments.schedules, arguments.prune, arguments.star
    wish = Wish(groups, arguments.steps, *own)
    if groups:  # before what takes its time
        there = {one.id.partition("/")[0] for one in (*scripts(), *readable())}
        check_groups(groups, there)
    if has_problems("deployed"):
        return 1
    place = Path(arguments.target) if arguments.target else None
    try:
        done = write(target, wish, place=place, python=arguments.python, **words)
    except DeployError as failure:
        say(f"error: {failure}")
        return 1
    print(json.dumps(done))
    return 0
