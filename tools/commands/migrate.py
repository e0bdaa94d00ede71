"""Make flows of yours use the pack, not the hub's scripts; shows it first."""

import argparse
import sys
from pathlib import Path

from tools.cli.terminal import say

EXAMPLES = (
    "Example, in a folder that `wmill sync pull` filled:\n  ~/pack/dev migrate f/shop"
)


def options(command: argparse.ArgumentParser) -> None:
    command.add_argument("path", help="a flow.yaml, a script, or a folder of them")
    command.add_argument(
        "--folder", default="f/togetherai", help="where the pack is (f/togetherai)"
    )
    command.add_argument("--yes", action="store_true", help="write without asking")


def run(arguments: argparse.Namespace) -> int:
    from tools.target_folder import checked
    from tools.workspace.deploy import confirm
    from tools.workspace.migrate import changes

    found = list(changes(Path(arguments.path), checked(arguments.folder)))
    for change in found:
        print(change.diff(), end="")
        for name in change.unknown:
            say(f"{change.path}: {name} has no step here; it stays")
        for note in dict.fromkeys(change.notes):
            say(f"{change.path}: look at {note}")
    changed = [change for change in found if change.after != change.before]
    if not changed:
        say("nothing to change")
        return 0
    sys.stdout.flush()
    many = f"{len(changed)} file{'' if len(changed) == 1 else 's'}"
    if not arguments.yes:
        if not sys.stdin.isatty():
            say(f"{many} would change; --yes writes them")
            return 0
        if not confirm(f"Change {many}?"):
            return 1
    for change in changed:
        with change.path.open("w", encoding="utf-8", newline="") as file:
            file.write(change.after)
        say(f"wrote {change.path}")
    return 0
