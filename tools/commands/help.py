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
    step = ["run"] if "/" in arguments.of else []  # a step rather than a command
    asked = parser.parse_args([*step, arguments.of, "--help"])
    return asked.run(asked)  # `run` has help of its own; all others have ended here
