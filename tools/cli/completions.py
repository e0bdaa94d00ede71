"""What a shell completes behind ./dev: argcomplete asks here for the words that fit.

Of fish, argcomplete's own code runs `dev` from the PATH; here it runs what was typed.
"""

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path

import argcomplete

from tools.cli.command_line import NAMES
from tools.cli.naming import runnable_named
from tools.flows.pack_flows import INNER, RECIPES, readable
from tools.local.local_files import takes_file
from tools.operations import ROOT, scripts
from tools.pages import recipes
from tools.schemas.shelves import shelves

FISH = """\
function __fish_dev_complete
    set -lx _ARGCOMPLETE 1
    set -lx _ARGCOMPLETE_DFS \\t
    set -lx _ARGCOMPLETE_IFS \\n
    set -lx _ARGCOMPLETE_SUPPRESS_SPACE 1
    set -lx _ARGCOMPLETE_SHELL fish
    set -lx COMP_LINE (commandline -p)
    set -lx COMP_POINT (string length (commandline -cp))
    set -lx COMP_TYPE
    set -l words (commandline -opc)
    set -l program (string replace -r '^~' $HOME -- $words[1])
    $program 8>&1 9>&2 1>/dev/null 2>&1
end
complete --command dev -f -a '(__fish_dev_complete)'
"""


def shell_code(shell: str) -> str:
    """What a shell reads so that it completes the words behind ./dev."""
    if shell == "fish":
        return FISH
    return argcomplete.shellcode(["dev", "./dev"], shell=shell)


def ids(prefix: str, **_: object) -> list[str]:
    """What may follow `./dev run`: names of groups until one is there, and those of
    steps and flows that begin so."""
    found: list[str] = [one.id for one in scripts(ROOT)]
    found += [flow.id for flow in (*readable(ROOT), *recipes.readable(ROOT))]
    if "/" in prefix:
        return found
    groups = {f"{id.split('/')[0]}/" for id in found}
    names = [id.split("/")[1] for id in found]
    clear = {name for name in names if names.count(name) == 1}
    return sorted(groups | clear if len(prefix) > 2 else groups)


def groups(**_: object) -> list[str]:
    """What may follow `./dev list`."""
    return sorted({*_folders(), "flows", INNER, RECIPES, "steps", "operations"})


def _folders(**_: object) -> list[str]:
    """Where a new step or operation may stand."""
    return sorted({one.group for one in scripts(ROOT)})


def parts_of_a_push(prefix: str, **_: object) -> list[str]:
    """What may follow `deploy --groups`."""
    return _several(prefix, sorted({*_folders(), "flows", INNER}))


def _subjects(prefix: str, **_: object) -> list[str]:
    """What may follow `live --only`."""
    from tools.live import SUBJECTS  # which loads what no other command needs

    return _several(prefix, SUBJECTS)


def _several(begun: str, known: Iterable[str]) -> list[str]:
    """The words that may come next where several stand with commas between them."""
    before, comma, _ = begun.rpartition(",")
    taken = before.split(",")
    return [f"{before}{comma}{one}" for one in known if one not in taken]


def _commands(**_: object) -> list[str]:
    """What may follow `./dev help`."""
    return NAMES


def headings(**_: object) -> list[str]:
    """Under what a new step may stand."""
    return list(shelves(ROOT))


def file_words(prefix: str, parsed_args: argparse.Namespace, **_: object) -> list[str]:
    """What may follow --file: the step's arguments that take one, then files."""
    name, sign, path = prefix.partition("=")
    if sign:
        return [f"{name}={found}" for found in _paths(path)]
    try:
        arguments = runnable_named(parsed_args.operation or "").arguments
    except ValueError:
        return []
    return [f"{found}=" for found in _taking(arguments)]


def _taking(members: dict, outer: str = "") -> Iterator[str]:
    for name, member in members.items():
        if takes_file(member) or takes_file(member.get("items", {})):
            yield outer + name
        yield from _taking(member.get("properties", {}), f"{outer}{name}.")


def _paths(begun: str) -> list[str]:
    """The files and folders whose path begins so, as it was begun."""
    place = Path(begun).expanduser()
    folder = place if begun.endswith("/") or not begun else place.parent
    head = begun[: begun.rfind("/") + 1]
    try:
        return [
            f"{head}{found.name}{'/' if found.is_dir() else ''}"
            for found in sorted(folder.iterdir())
        ]
    except OSError:
        return []


def _workloads(**_: object) -> list[str]:
    from tools.bench.bench import (
        WORKLOADS,  # which loads more than the words of others do
    )

    return list(WORKLOADS)


COMPLETERS = {
    ("run", "operation"): ids,
    ("run", "file"): file_words,
    ("list", "groups"): groups,
    ("help", "of"): _commands,
    ("new", "group"): _folders,
    ("new", "under"): headings,
    ("bench", "workload"): _workloads,
    ("deploy", "groups"): parts_of_a_push,
    ("live", "only"): _subjects,
}


def attach(parser: argparse.ArgumentParser, command: str = "") -> None:
    """Give the arguments of all commands what completes them."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, inner in action.choices.items():
                attach(inner, command or name)
        elif completer := COMPLETERS.get((command, action.dest)):
            action.completer = completer  # type: ignore[attr-defined] # argcomplete's
