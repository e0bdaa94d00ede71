"""Look for unknown faults: run one of the probes whole; alone, list them."""

import argparse


def options(command: argparse.ArgumentParser) -> None:
    command.add_argument("name", nargs="?", help="which one (default: list them)")
    command.add_argument(
        "given",
        nargs="*",
        help="of fuzz: these targets only, such as tables; of prism: the document",
    )
    command.add_argument("--seed", type=int, help="of what is drawn by chance")
    command.add_argument(
        "--seconds", type=int, help="of fuzz: for each target (default: 600)"
    )
    command.add_argument(
        "--keep",
        action="store_true",
        help="of fuzz: fuzz nothing, but put inputs of the last runs that reach new "
        "code into tests/fuzz_corpus",
    )


def run(arguments: argparse.Namespace) -> int:
    from tools.probes.probe import listed
    from tools.probes.probe import run as look

    if arguments.name is None:
        print("\n".join(listed()))
        return 0
    return look(
        arguments.name,
        arguments.seed,
        arguments.given,
        arguments.seconds,
        arguments.keep,
    )
