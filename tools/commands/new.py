"""Write the skeleton of an operation, a step or a flow; check names its gaps."""

import argparse

from tools.cli.terminal import say

EXAMPLES = (
    "Examples:\n"
    "  ./dev new operation files get_file GET /v1/files/{file_id}\n"
    "  ./dev new step chat summarize_text\n"
    "  ./dev new flow summarize_folder"
)


def options(command: argparse.ArgumentParser) -> None:
    kinds = command.add_subparsers(required=True, dest="kind", metavar="KIND")
    kind = kinds.add_parser("operation", help="a request of the API")
    kind.add_argument("group", help="schemas/<group>, an existing or a new one")
    kind.add_argument("name", help="<verb>_<noun>")
    kind.add_argument("method", help="GET, POST, PUT, PATCH or DELETE")
    kind.add_argument("path", help="such as /v1/files/{file_id}")
    kind = kinds.add_parser("step", help="a script above the API, with its test")
    kind.add_argument("group", help="schemas/<group>, an existing or a new one")
    kind.add_argument("name", help="<verb>_<noun>")
    kind.add_argument(
        "--under",
        default="Tools and models",
        metavar="HEADING",
        help='of schemas/_shelves.yaml (default: "Tools and models")',
    )
    kind.add_argument("--module", help="of scripts/ (default: <verb>_steps)")
    kind = kinds.add_parser("flow", help="a flow, with two tests")
    kind.add_argument("name", help="<verb>_<noun>")


def run(arguments: argparse.Namespace) -> int:
    from tools.operations import ROOT
    from tools.schemas import scaffold

    if arguments.kind == "operation":
        id = f"{arguments.group}/{arguments.name}"
        files = scaffold.operation(ROOT, id, arguments.method, arguments.path)
    elif arguments.kind == "step":
        id = f"{arguments.group}/{arguments.name}"
        files = scaffold.step(ROOT, id, arguments.under, arguments.module)
    else:
        files = scaffold.flow(ROOT, arguments.name)
    for place, text in files.items():
        path = ROOT / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        say(f"wrote {place}")
    say("now replace each TODO (./dev check names them), then ./dev fix")
    return 0
