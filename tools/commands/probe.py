"""Look for unknown faults: run one of the probes whole; alone, list them."""

import argparse

from tools.cli.bounded_numbers import whole
from tools.cli.terminal import say


def options(command: argparse.ArgumentParser) -> None:
    from tools.probes.probe import FUZZ, PRISM, PROBES

    names = command.add_subparsers(dest="name", metavar="NAME")
    for name, (_, about, minutes) in PROBES.items():
        about = f"{about} (about {minutes} min)"
        probe = names.add_parser(name, help=about, description=about)
        _seed(probe)
    about, minutes = FUZZ
    probe = names.add_parser("fuzz", help=f"{about} (about {minutes} min)")
    probe.add_argument(
        "given", nargs="*", metavar="TARGET", help="these only, such as tables"
    )
    probe.set_defaults(list_argument="given")
    _seed(probe)
    probe.add_argument(
        "--seconds", type=whole(1), default=600, help="for each target (default: 600)"
    )
    probe.add_argument(
        "--keep",
        action="store_true",
        help="fuzz nothing, but put inputs of the last runs that reach new code into "
        "tests/fuzz_corpus",
    )
    about, minutes = PRISM
    probe = names.add_parser("prism", help=f"{about} (about {minutes} min)")
    probe.add_argument("document", help="an OpenAPI document, by its path or URL")


def _seed(probe: argparse.ArgumentParser) -> None:
    probe.add_argument("--seed", type=int, help="of what is drawn by chance")


def run(arguments: argparse.Namespace) -> int:
    from tools.environment import SetupError
    from tools.probes import probe

    if arguments.name is None:
        print("\n".join(probe.listed()))
        return 0
    if arguments.name == "prism":
        return probe.prism(arguments.document)
    if arguments.name != "fuzz":
        return probe.suite(arguments.name, arguments.seed)
    words = arguments.given, arguments.seconds, arguments.seed, arguments.keep
    try:
        return probe.fuzz(*words)
    except SetupError as error:
        say(f"error: {error}")
        return 1
