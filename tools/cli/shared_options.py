"""Options that several commands take, and the workspace that they name."""

import argparse
import os
import sys

from tools.cli.terminal import say
from tools.target_folder import FOLDER, checked
from tools.tree.locks import PYTHON


def folder_option(command: argparse.ArgumentParser) -> None:
    command.add_argument("--folder", default=FOLDER, help=f"default: {FOLDER}")


def python_option(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--python",
        default=PYTHON,
        help=f"the version that the workers have (default: {PYTHON})",
    )


def workspace_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--workspace",
        help="a workspace's id; without --base-url, a profile of wmill (default: its "
        "active one)",
    )
    command.add_argument(
        "--base-url", help="of Windmill, such as https://app.windmill.dev"
    )
    command.add_argument("--token", help="default: WM_TOKEN of the environment")
    folder_option(command)


def target_of(arguments: argparse.Namespace, action: str) -> tuple[object, dict]:
    """The workspace that a command is about, and how it talks."""
    from tools.workspace.deploy import TOKEN, Target, confirm

    token = arguments.token
    if not token and arguments.base_url:
        token = os.environ.get(TOKEN)
    target = Target(arguments.workspace, arguments.base_url, token)
    if not (arguments.yes or arguments.dry_run or sys.stdin.isatty()):
        raise ValueError(
            f"nobody is at a terminal to be asked: pass --yes to {action} without a "
            "question, or --dry-run to see what it would do"
        )
    return target, {
        "say": say,
        "ask": (lambda _: True) if arguments.yes else confirm,
        "folder": checked(arguments.folder),
        "dry_run": arguments.dry_run,
    }
