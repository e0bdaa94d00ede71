"""Make the site of all pages, with search and graphs, in a folder."""

import argparse
import shlex
from pathlib import Path

from tools.cli.terminal import say


def options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--target", default="site", help="default: site")


def run(arguments: argparse.Namespace) -> int:
    from tools.pages.site import SiteError
    from tools.pages.site import build as write

    try:
        count = write(Path(arguments.target))
    except SiteError as error:
        say(f"error: {error}")
        return 1
    place = shlex.quote(arguments.target)
    say(f"{count} pages; look at them with: python3 -m http.server -d {place}")
    return 0
