"""Try the pack on a real Windmill server, in a folder that it makes and removes."""

import argparse
import os
from pathlib import Path

from tools.cli.terminal import say


def options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--base-url", required=True, help="of the Windmill server, not Together's"
    )
    command.add_argument("--workspace", required=True, help="a workspace's id there")
    command.add_argument(
        "--token-env",
        default="WM_TOKEN",
        metavar="NAME",
        help="environment variable that holds a token (default: WM_TOKEN)",
    )
    command.add_argument(
        "--sandbox-url",
        metavar="URL",
        help="the address, http://host:port, under which the workers reach this "
        "machine; the next port is used too (default: they are on it)",
    )
    command.add_argument(
        "--listen",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="where the sandbox listens (default: 127.0.0.1)",
    )
    command.add_argument("--only", metavar="NAME,...", help="these subjects only")
    command.add_argument("--json", type=Path, metavar="FILE", help="the result, again")
    command.add_argument("--keep", action="store_true", help="do not clear away")
    command.add_argument(
        "--remove", metavar="FOLDER", help="only remove what such a run has left"
    )


def run(arguments: argparse.Namespace) -> int:
    from tools.live import chosen, remove
    from tools.live import run as play
    from tools.workspace.deploy import DeployError, Target
    from tools.workspace.windmill_api import ApiError

    token = os.environ.get(arguments.token_env, "")
    if not token:
        raise ValueError(f"the environment has no {arguments.token_env}")
    target = Target(arguments.workspace, arguments.base_url, token)
    try:
        if arguments.remove:
            return remove(target, arguments.remove, say)
        return play(
            target,
            say,
            chosen(arguments.only),
            sandbox_url=arguments.sandbox_url,
            listen=arguments.listen,
            file=arguments.json,
            keep=arguments.keep,
        )
    except ApiError as error:
        say(f"error: {target.explained(error)}")
        return 1
    except DeployError as error:
        say(f"error: {error}")
        return 1
