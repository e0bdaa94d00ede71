"""List the steps and flows, or those of a group."""

import argparse

EXAMPLES = "Examples:\n  ./dev list\n  ./dev list batches\n  ./dev list flows"


def options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "groups", nargs="*", metavar="GROUP", help="such as batches, flows, operations"
    )


def run(arguments: argparse.Namespace) -> int:
    from tools.cli.overview import listing

    print("\n".join(listing(arguments.groups)).rstrip())
    return 0
