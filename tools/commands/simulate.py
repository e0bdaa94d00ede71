"""Tell what a table of many rows takes, each way: time, money, jobs, limits."""

import argparse
import json


def options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--rows", help="how many, such as 1e9")
    command.add_argument(
        "--way", help="only map_rows, across, batch, batches or endpoint (default: all)"
    )
    command.add_argument(
        "--rate", default="6000/min", help="the account's; or none (default: 6000/min)"
    )
    numbers = (
        ("at-once", int, 0, "calls of a job (default: the form's)"),
        ("workers", int, 1, "that are free for it"),
        ("latency", float, 1.0, "seconds until an answer"),
        ("usd-per-row", float, 0.0, "what an answer costs"),
        ("batch-share", float, 0.5, "of that, in batches"),
        ("batch-hours", float, 24.0, "until a batch is done"),
        ("endpoint-rate", float, 50.0, "answers a second of an endpoint of yours"),
        ("endpoint-usd-per-hour", float, 0.0, "what that costs"),
        ("job-hours", float, None, "after which Windmill ends a job"),
    )
    for name, kind, usual, words in numbers:
        shown = "" if usual is None or "default" in words else f" (default: {usual:g})"
        command.add_argument(f"--{name}", type=kind, default=usual, help=words + shown)
    command.add_argument("--no-storage", action="store_true", help="the workspace's")
    command.add_argument("--json", action="store_true")
    command.add_argument(
        "--table", action="store_true", help="the one of docs/scale.md"
    )


def run(arguments: argparse.Namespace) -> int:
    from tools.simulate import Task, count_of, markdown, rate_of, shown
    from tools.simulate import simulate as estimated

    if arguments.table:
        print(markdown())
        return 0
    if arguments.rows is None:
        raise ValueError("give --rows, such as 1e9, or --table")
    names = ("workers", "latency", "usd_per_row", "batch_share", "batch_hours")
    names += ("endpoint_rate", "endpoint_usd_per_hour", "job_hours", "at_once")
    given = {name: getattr(arguments, name) for name in names}
    for name, value in given.items():
        lowest = 0 if name.startswith(("usd", "endpoint_usd", "at_once")) else 1e-9
        if value is not None and value < lowest:
            raise ValueError(f"--{name.replace('_', '-')} is too small: {value:g}")
    task = Task(
        count_of(arguments.rows),
        rate=rate_of(arguments.rate),
        storage=not arguments.no_storage,
        **given,
    )
    found = estimated(task, arguments.way)
    if arguments.json:
        print(json.dumps([one.told(task.rows) for one in found], indent=1))
    else:
        print("\n".join(shown(task, found)))
    return 0
