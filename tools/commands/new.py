"""Write the skeleton of an operation, a step or a flow; check names its gaps."""

import argparse

from tools.cli.terminal import say

EXAMPLES = (
    "Examples:\n"
    "  ./dev new operation files get_file_lines GET /v1/files/{file_id}/lines\n"
    "  ./dev new step chat summarize_text\n"
    "  ./dev new flow summarize_folder"
)


def options(command: argparse.ArgumentParser) -> None:
    kinds = command.add_subparsers(required=True, dest="kind", metavar="KIND")
    kind = kinds.add_parser("operation", help="a request of the API")
    _group(kind)
    kind.add_argument("name", help="<verb>_<noun>")
    kind.add_argument("method", help="GET, POST, PUT, PATCH or DELETE")
    kind.add_argument("path", help="such as /v1/files/{file_id}")
    kind = kinds.add_parser("step", help="a script above the API, with its test")
    _group(kind)
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


def _group(kind: argparse.ArgumentParser) -> None:
    kind.add_argument("group", help="schemas/<group>, an existing or a new one")
    kind.add_argument(
        "--new-group",
        action="store_true",
        help="the group is a new one, though another is spelt much like it",
    )


def _check_group(group: str, meant: bool) -> None:
    """Raises ValueError for a new group that may be another misspelt."""
    from difflib import get_close_matches

    from tools.operations import ROOT, scripts

    known = {one.group for one in scripts(ROOT)}
    if group in known or meant:
        return
    if close := get_close_matches(group, known, 1, 0.7):
        raise ValueError(
            f"no group {group}; did you mean {close[0]}? --new-group makes a new one"
        )
    say(f"{group} is a new group")


def run(arguments: argparse.Namespace) -> int:
    from tools.operations import ROOT
    from tools.schemas import scaffold

    if arguments.kind != "flow":
        _check_group(arguments.group, arguments.new_group)
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
