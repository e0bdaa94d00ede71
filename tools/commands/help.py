"""Show what there is, or what a command takes."""

import argparse


def options(command: argparse.ArgumentParser) -> None:
    command.add_argument("of", nargs="?", metavar="COMMAND", help="such as run")


def run(arguments: argparse.Namespace) -> int:
    from tools.command_line import parser_of

    parser = parser_of()
    if not arguments.of:
        parser.print_help()
        return 0
    asked = parser.parse_args([arguments.of, "--help"])
    return asked.run(asked)  # `run` has help of its own; all others have ended here
