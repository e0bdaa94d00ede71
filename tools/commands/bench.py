"""Measure the scripts beside their alternatives, interleaved in one run."""

import argparse

from tools.cli.bounded_numbers import count, whole


def options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--workload", help="only this one, such as rows")
    command.add_argument("--json", action="store_true", help="rows instead of a table")
    command.add_argument(
        "--write", action="store_true", help="keep the figures for docs/measurements.md"
    )
    command.add_argument(
        "--rounds", type=whole(1), help="how often each contender runs"
    )
    command.add_argument(
        "--rows", type=count, help="of large table or batches, such as 1e6"
    )


def run(arguments: argparse.Namespace) -> int:
    from tools.bench.bench import report

    return report(
        arguments.workload,
        as_json=arguments.json,
        keep=arguments.write,
        rounds=arguments.rounds,
        size=arguments.rows,
    )
