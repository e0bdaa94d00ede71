"""Picture the forms of steps in Windmill's own component, for docs/forms.

Of the steps that are named, or else of those whose picture is missing or old. With
--base-url: a result, a flow and an approval in a Windmill with the pack.
"""

import argparse
import os
from pathlib import Path

from tools.cli.terminal import say


def options(command: argparse.ArgumentParser) -> None:
    command.set_defaults(list_argument="steps")
    command.add_argument("steps", nargs="*", help="default: those without a picture")
    command.add_argument("--target", help="default: docs/forms, or docs/pictures")
    command.add_argument(
        "--base-url", help="of a Windmill server; its token is WM_TOKEN"
    )
    command.add_argument(
        "--workspace", help="a workspace's id there, with the pack in f/togetherai"
    )


def run(arguments: argparse.Namespace) -> int:
    from tools.operations import ROOT, find
    from tools.pages.reference import FORMS
    from tools.pages.screenshots import outdated
    from tools.pages.screenshots import screenshots as write
    from tools.pages.windmill_pictures import pictures
    from tools.workspace.deploy import TOKEN, Target
    from tools.workspace.windmill_api import ApiError

    if arguments.workspace and not arguments.base_url:
        raise ValueError("--workspace needs --base-url: of a Windmill on this machine")
    if arguments.steps and arguments.base_url:
        raise ValueError("name steps or give --base-url: those are pictures of no step")
    if arguments.base_url:
        folder = Path(arguments.target or ROOT / "docs" / "pictures")
        target = Target(arguments.workspace, arguments.base_url, os.environ.get(TOKEN))
        made = pictures(target.base_url, target.workspace, target.token, folder)
    else:
        folder = Path(arguments.target or ROOT / FORMS)
        try:
            ids = [find(one).id for one in arguments.steps] or outdated(folder)
        except KeyError as error:
            say(f"error: there is no step {error.args[0]}; ./dev list names them")
            return 2
        made = write(folder, ids)
    try:
        for path in made:
            say(f"wrote {path}")
    except ApiError as error:
        say(f"error: {target.explained(error)}")
        return 1
    return 0
