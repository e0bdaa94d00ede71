"""Tell what many rows or files take, each way: time, money, jobs, limits."""

import argparse
import json

from tools.cli.bounded_numbers import count, number, whole

LEAST = 1e-9  # where 0 would divide by it
# Option, default, what it is; 0 may be given where it is the default.
NUMBERS = (
    ("at-once", 0, "calls of a job (default: the form's)"),
    ("workers", 1, "that are free for it"),
    ("latency", 1.0, "seconds until an answer"),
    ("usd-per-row", 0.0, "what an answer costs"),
    ("batch-share", 0.5, "of that, in batches"),
    ("batch-hours", 24.0, "until a batch is done"),
    ("endpoint-rate", 50.0, "answers a second of an endpoint of yours"),
    ("endpoint-usd-per-hour", 0.0, "what that costs"),
    ("endpoint-start", 300.0, "seconds until it answers"),
    ("job-hours", 168.0, "after which Windmill ends a job: TIMEOUT of its workers"),
    ("job-files", 0, "files of a job (default: the form's)"),
    ("answer-bytes", 0, "of a file's answer (default: the bench's)"),
)


def options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--rows", type=count, help="how many, such as 1e9")
    command.add_argument(
        "--files", type=count, help="in place of rows: how many, done one by one"
    )
    command.add_argument(
        "--way",
        help="only map_rows, across, batch, batches, endpoint or files "
        "(default: all of rows)",
    )
    command.add_argument(
        "--rate", default="6000/min", help="the account's; or none (default: 6000/min)"
    )
    for name, usual, words in NUMBERS:
        shown = "" if "default" in words else f" (default: {usual:g})"
        most = 1 if name.endswith("share") else 1e15
        if isinstance(usual, int):
            kind = whole(min(usual, 1), int(most))
        else:
            kind = number(LEAST if usual else 0, most)
        command.add_argument(f"--{name}", type=kind, default=usual, help=words + shown)
    command.add_argument(
        "--read", action="store_true", help="take the text out of files, ask no model"
    )
    command.add_argument(
        "--no-storage",
        action="store_true",
        help="of a workspace without object storage",
    )
    command.add_argument(
        "--json", action="store_true", help="JSON in place of lines to read"
    )
    command.add_argument(
        "--table", action="store_true", help="the one of docs/scale.md"
    )


def run(arguments: argparse.Namespace) -> int:
    from tools.bench.simulate import Task, markdown, rate_of, shown
    from tools.bench.simulate import simulate as estimated

    if arguments.table:
        print(markdown())
        return 0
    if (arguments.rows is None) == (arguments.files is None):
        raise ValueError("give --rows, such as 1e9, or --files, or --table")
    if arguments.files is not None and arguments.way not in (None, "files"):
        raise ValueError("--way is for --rows: files are done one by one")
    members = (name.replace("-", "_") for name, _, _ in NUMBERS)
    try:
        rate = rate_of(arguments.rate)
    except ValueError:
        raise ValueError(
            f"--rate {arguments.rate!r} is none: give one such as 6000/min, or none"
        ) from None
    task = Task(
        arguments.rows or arguments.files,
        rate=rate,
        storage=not arguments.no_storage,
        reads=arguments.read,
        **{member: getattr(arguments, member) for member in members},
    )
    found = estimated(task, "files" if arguments.files else arguments.way)
    if arguments.json:
        print(json.dumps([one.told(task.rows) for one in found], indent=1))
    else:
        print("\n".join(shown(task, found)))
    return 0
