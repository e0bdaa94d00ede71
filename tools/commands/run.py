"""Run a script or flow as Windmill would; the result goes to stdout."""

import argparse
import json
import shlex
from pathlib import Path

from tools.cli.terminal import QUOTED

OWN_HELP = True  # --help tells of a step, too
EXAMPLES = (
    "Examples:\n"
    "  ./dev run chat/ask_model --help\n"
    '  ./dev run chat/ask_model --args \'{"prompt": "Hi"}\'\n'
    "  ./dev run chat/ask_model --args question.json --key-env TOGETHER_API_KEY\n"
    "  ./dev run audio/transcribe_recording --file recording=voice.wav\n"
    "  ./dev run flows/run_batch --fast --file rows=rows.csv --args ...\n"
    "  ./dev run triggers/batch_finished --workspace kept --key-env NAME\n"
    "  ./dev run f/togetherai/files/list_files --dry-run\n"
    "\n"
    "Without --key-env and --base-url a sandbox on this machine answers, and what an\n"
    "example speaks of is put there.\n"
    "\n"
    "At a terminal, pictures, sounds and charts of a result are written to the\n"
    "current folder, as STEP.png and the like and never over a file: run it in the\n"
    "folder where they shall be. Piped, the result is JSON and nothing is written."
)


def options(command: argparse.ArgumentParser) -> None:
    # `rest` has the words that are not ours, see tools/__main__.py.
    command.set_defaults(show_help=command.print_help, rest=[])
    command.add_argument(
        "-h",
        "--help",
        action="store_true",
        help="this; after a step's name, what the step takes and gives",
    )
    command.add_argument(
        "operation",
        nargs="?",
        metavar="STEP",
        help="such as chat/ask_model; its name, its path or its file will do, too",
    )
    command.add_argument(
        "--args",
        help="JSON, a file, or - for stdin (default: the least example, for the "
        "embedded sandbox only)",
    )
    command.add_argument(
        "--key-env", help="environment variable that holds the API key"
    )
    command.add_argument(
        "--base-url", help="another server than Together's own, with Together's API"
    )
    command.add_argument(
        "--file",
        action="append",
        default=[],
        metavar="NAME=PATH",
        help="a file of this machine as an argument; in --args, @PATH is one",
    )
    command.add_argument(
        "--dry-run", action="store_true", help="show the requests, and send nothing"
    )
    command.add_argument(
        "--storage", type=Path, metavar="DIR", help="copy what the job stores there"
    )
    command.add_argument(
        "--workspace",
        type=Path,
        metavar="DIR",
        help="a folder of this machine, no workspace of Windmill's: storage and what "
        "triggers remember are kept there, for further runs with it",
    )
    command.add_argument(
        "--fast",
        action="store_true",
        help="of a flow, in the embedded sandbox: skip what it waits",
    )
    command.add_argument(
        "--yes",
        action="store_true",
        help="do not ask before what costs money or cannot be undone",
    )


def run(arguments: argparse.Namespace) -> int:
    if arguments.rest:
        raise ValueError(_not_ours(arguments.rest))
    if arguments.help:
        return _show_help(arguments)
    if not arguments.operation:
        raise ValueError("run wants the name of a step; `./dev list` shows them")
    from tools.cli.naming import runnable_named
    from tools.flows.pack_flows import Flow
    from tools.local import kept_workspace, local_run
    from tools.local.job_workspace import make_storage

    if arguments.storage:
        make_storage(arguments.storage)
    if arguments.workspace:
        kept_workspace.check(arguments.workspace)
    operation = runnable_named(arguments.operation)
    if isinstance(operation, Flow):
        return local_run.run_flow(arguments, operation)
    return local_run.run_script(arguments, operation)


def _show_help(arguments: argparse.Namespace) -> int:
    """Tell of the command, or of the step that is named."""
    if not arguments.operation:
        arguments.show_help()
        return 0
    from tools.cli.naming import runnable_named
    from tools.cli.overview import described
    from tools.local.examples import example_of, needs

    found = runnable_named(arguments.operation)
    lines = list(described(found))
    shown = [at for at, line in enumerate(lines) if line.startswith("  ./dev run ")]
    for number in (-1, 0)[-min(len(example_of(found)), 2) :]:
        if shown and (lacking := needs(found, number)):
            lines.insert(shown[number] + 1, f"    (needs {lacking})")
    print("\n".join(lines))
    return 0


def _not_ours(words: list[str]) -> str:
    """What is said of words that `run` does not know: such as a step's arguments, or
    the pieces that a shell makes of JSON without quotes."""
    said = f"unrecognized arguments: {' '.join(words)}; see ./dev run --help"
    option, sign, value = words[0].removeprefix("--").partition("=")
    if not words[0].startswith("--") or not option.isidentifier():
        return f"{said}. A step's arguments go into --args; {QUOTED}"
    value = value if sign else " ".join(words[1:]) or "..."
    given = shlex.quote(json.dumps({option: value}, ensure_ascii=False))
    return f"{said}. If it is an argument of the step, write --args {given}"
