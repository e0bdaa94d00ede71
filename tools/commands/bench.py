"""Measure the scripts beside their alternatives, interleaved in one run."""

import argparse


def options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--workload", help="only this one, such as rows")
    command.add_argument("--json", action="store_true", help="rows instead of a table")
    command.add_argument("--rounds", type=int, help="how often each contender runs")
    command.add_argument("--rows", help="of large table or batches, such as 1e6")


def run(arguments: argparse.Namespace) -> int:
    from tools.bench.bench import report
    from tools.bench.simulate import count_of

    size = count_of(arguments.rows) if arguments.rows else None
    return report(arguments.workload, arguments.json, arguments.rounds, size)
