"""Show what there is, or what a command takes."""

import argparse


def options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "of", nargs="?", metavar="COMMAND", help="such as run, or a step's name"
    )


def run(arguments: argparse.Namespace) -> int:
    from tools.cli.command_line import parser_of

    parser = parser_of()
    if not arguments.of:
        parser.print_help()
        return 0
    step = ["run"] if _is_step(arguments.of) else []
    asked = parser.parse_args([*step, arguments.of, "--help"])
    return asked.run(asked)  # `run` has help of its own; all others have ended here


def _is_step(word: str) -> bool:
    """Whether a step or flow is meant rather than a command. Raises ValueError for what
    is neither, and no command misspelt."""
    from difflib import get_close_matches

    from tools.cli.command_line import NAMES
    from tools.cli.naming import runnable_named

    if word in NAMES:
        return False
    if "/" in word:
        return True
    try:
        runnable_named(word)
    except ValueError as error:
        if get_close_matches(word, NAMES, 1):
            return False
        raise ValueError(f"no command {word}, and {error}") from None
    return True
