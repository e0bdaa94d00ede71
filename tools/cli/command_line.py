"""The command line of the pack: `./dev COMMAND`, or `python -m tools COMMAND`.

The code of a command, and its arguments: tools/commands/.
"""

import argparse
import importlib
import re
from collections.abc import Iterable
from typing import NoReturn

from tools.cli.terminal import QUOTED
from tools.version import NAME, VERSION

COMMANDS = {
    "Use the pack": (
        "demo",
        "list",
        "run",
        "sandbox",
        "build",
        "deploy",
        "undeploy",
        "migrate",
        "completion",
        "help",
    ),
    "Work on the pack (CONTRIBUTING.md)": (
        "check",
        "fix",
        "new",
        "test",
        "upstream",
        "screenshots",
        "site",
        "release",
        "live",
        "bench",
        "simulate",
        "mutate",
        "probe",
        "audit",
    ),
}
NAMES = [name for names in COMMANDS.values() for name in names]
FOOT = """\
Examples:
  ./dev list tables                  nothing is sent: what there is
  ./dev run chat/ask_model --help    what a step takes and gives, with examples
  ./dev run chat/ask_model --args '{"prompt": "Hi"}'
                                     the sandbox of this machine answers; no key needed
  ./dev run chat/ask_model --args '{"prompt": "Hi"}' --key-env TOGETHER_API_KEY
                                     Together answers, with the key of that variable

./dev COMMAND --help tells more of a command. JSON goes to stdout, all else to stderr.
Exit codes: 0 done, 1 the work failed, 2 wrong usage.
"""


def parser_of(names: Iterable[str] | None = None) -> argparse.ArgumentParser:
    """What reads the words of these commands; of all of them, unless they are given."""
    parser = _Parser(prog="./dev", usage="./dev COMMAND ...", add_help=False)
    version = f"{NAME} {VERSION}"
    parser.add_argument("--version", action="version", version=version)
    parser.add_argument("-h", "--help", action=_Help, nargs=0)
    commands = parser.add_subparsers(
        required=True,
        metavar="COMMAND",
        prog="./dev",
        parser_class=argparse.ArgumentParser,
    )
    for name in NAMES if names is None else names:
        _add(commands, name)
    return parser


def unrecognized(command: str, rest: list[str]) -> str:
    """What is said of words that the command does not know."""
    said = f"unrecognized arguments: {' '.join(rest)}"
    if command == "run" and not rest[0].startswith("-"):
        # Such as the pieces that a shell makes of JSON without quotes.
        said += f"; {QUOTED}"
    return said


def _add(commands: argparse._SubParsersAction, name: str) -> None:
    module = importlib.import_module(f"tools.commands.{name}")
    about = module.__doc__.splitlines()[0]
    command = commands.add_parser(
        name,
        help=about,
        description=about,
        epilog=getattr(module, "EXAMPLES", None),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=not getattr(module, "OWN_HELP", False),
    )
    command.set_defaults(run=module.run)
    if options := getattr(module, "options", None):
        options(command)


class _Parser(argparse.ArgumentParser):
    """The first of the parsers, whose help is grouped."""

    def error(self, message: str) -> NoReturn:
        wrong = re.match(r"argument COMMAND: invalid choice: '(.*?)'", message)
        if wrong is None:
            super().error(message)
        from difflib import get_close_matches

        close = get_close_matches(wrong[1], NAMES, 1)
        hint = f"; did you mean {close[0]}?" if close else ";"
        self.exit(2, f"./dev: no command {wrong[1]}{hint} ./dev help lists all\n")

    def format_help(self) -> str:
        commands = self._subparsers._group_actions[0]
        about = {choice.dest: choice.help for choice in commands._choices_actions}
        lines = [__doc__.splitlines()[0], ""]
        for heading, names in COMMANDS.items():
            lines += [f"{heading}:", *(f"  {n:<12}{about[n]}" for n in names), ""]
        return "\n".join([*lines, FOOT])


class _Help(argparse.Action):
    """The help of ./dev itself: the commands by what one wants, with examples."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        parser.print_help()
        parser.exit()
