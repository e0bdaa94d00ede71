"""List the steps and flows, or those of a group."""

import argparse
import contextlib

EXAMPLES = "Examples:\n  ./dev list\n  ./dev list batches\n  ./dev list flows"


def options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "groups",
        nargs="*",
        metavar="GROUP",
        help="such as batches, flows, operations; or the beginning of a heading",
    )


def run(arguments: argparse.Namespace) -> int:
    from tools.cli.overview import listing

    try:
        lines = list(listing(arguments.groups))
    except ValueError as error:
        raise ValueError(_advised(arguments.groups, str(error))) from None
    print("\n".join(lines).rstrip())
    return 0


def _advised(words: list[str], said: str) -> str:
    """What is said of a word that is no group: that it is a step, or which headings
    will do, too."""
    from tools.cli.naming import runnable_named
    from tools.operations import ROOT
    from tools.schemas.shelves import shelves

    for word in words:
        with contextlib.suppress(ValueError):
            found = runnable_named(word)
            how = f"./dev run {found.id} --help tells of it"
            return f"{word} is no group: {how}"
    return f"{said}; or the beginning of a heading: {', '.join(shelves(ROOT))}"
