"""Change the helper in one place at a time, and see whether a test notices."""

import argparse

from tools.cli.terminal import say


def options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "names", nargs="*", metavar="NAME", help="such as 'scripts.resilience.retry.*'"
    )


def run(arguments: argparse.Namespace) -> int:
    from tools.environment import SetupError
    from tools.probes.mutate import run as try_all

    try:
        found = try_all(arguments.names)
    except SetupError as error:
        say(f"error: {error}")
        return 1
    for one in found.missed:
        say(f"no test notices {one}")
    for one in found.stale:
        say(f"tests/known_mutants.yaml: no longer so: {one}")
    count = found.noticed + len(found.missed)
    say(f"{found.share:.1%} of {count} mutants are noticed; {found.known} are excused")
    return 0 if found.good else 1
