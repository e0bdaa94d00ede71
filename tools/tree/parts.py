"""A part of the pack: some groups of it, or its steps and flows without the raw
operations, with everything that these need.

What is needed is read off the built files: the modules that a script imports, wherever
in it, and the scripts and flows that a flow calls or a module starts.
"""

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import yaml

from tools.syntax import parsed
from tools.yaml_text import load

FLOW = "__flow/flow.yaml"
FIRST = "organization/check_connection"  # what everybody runs first
_PATH = re.compile(r"(/\w+)+", re.ASCII)


@dataclass(frozen=True)
class Part:
    """What of a build is deployed. All paths are Windmill's, sorted."""

    chosen: list[str]  # what was asked for
    needed: list[str]  # what that needs
    kept: list[str]  # what the folder holds already, and what that needs

    @property
    def paths(self) -> set[str]:
        return {*self.chosen, *self.needed, *self.kept}


def runnables(files: Iterable[str]) -> dict[str, str]:
    """The scripts, modules and flows of a tree: their Windmill paths, and the file that
    each is read from."""
    found = {}
    for file in files:
        if file.endswith(FLOW):
            found[file.removesuffix(FLOW)] = file
        elif file.endswith(".py") and "__flow/" not in file:
            found[file.removesuffix(".py")] = file
    return found


def groups(paths: Iterable[str], folder: str) -> list[str]:
    """The groups that there are: the folders right below the pack's."""
    names = (path.removeprefix(f"{folder}/") for path in paths)
    return sorted({name.partition("/")[0] for name in names if "/" in name})


def check_groups(wanted: Iterable[str], there: Iterable[str]) -> None:
    """Raise ValueError for a group that there is not."""
    if unknown := sorted(set(wanted) - set(there)):
        known = ", ".join(sorted(there))
        raise ValueError(f"no group {', '.join(unknown)}; there are {known}")


def part(
    files: dict[str, bytes],
    folder: str,
    wanted: Iterable[str] | None = None,
    without: Iterable[str] = (),
    held: Iterable[str] = (),
) -> Part:
    """The part of a tree that holds the groups `wanted` (None: all) without some paths.

    `held` are paths that the workspace has already: those of the tree come along, or an
    old step would run on a new module. Raises ValueError for an unknown group.
    """
    known = runnables(files)
    there = groups(known, folder)
    wanted = there if wanted is None else list(wanted)
    check_groups(wanted, there)
    starts = tuple(f"{folder}/{group}/" for group in wanted)
    chosen = {path for path in known if path.startswith(starts)} - set(without)
    chosen |= {f"{folder}/{FIRST}"} & known.keys()
    needed = closed(chosen, files, known, folder) - chosen
    rest = set(held) & known.keys() - chosen - needed
    kept = closed(rest, files, known, folder) - chosen - needed
    return Part(sorted(chosen), sorted(needed), sorted(kept))


def of_part(files: dict[str, bytes], paths: set[str]) -> dict[str, bytes]:
    """The files of a tree that belong to some of its runnables, or to none at all."""
    known = runnables(files)
    left_out = known.keys() - paths
    kept = {}
    for file, content in files.items():
        flow, mark, _ = file.partition("__flow/")
        owner = flow if mark else file.split(".")[0]
        if owner not in left_out:
            kept[file] = content
    lock = load(kept["wmill-lock.yaml"])
    lock["locks"] = {
        name: digest
        for name, digest in lock["locks"].items()
        if name.partition("+")[0].removesuffix("__flow") not in left_out
    }
    kept["wmill-lock.yaml"] = yaml.safe_dump(lock, sort_keys=False).encode()
    return kept


def closed(
    paths: Iterable[str], files: dict[str, bytes], known: dict[str, str], folder: str
) -> set[str]:
    """Paths and all that these need."""
    found: set[str] = set()
    waiting = set(paths)
    while waiting:
        path = waiting.pop()
        found.add(path)
        text = files[known[path]].decode()
        names = _called if known[path].endswith(FLOW) else _loaded
        waiting |= (names(text, path, folder) & known.keys()) - found
    return found


@cache
def _called(text: str, _: str, folder: str) -> frozenset[str]:
    """What a flow calls, and the modules that the code in its form imports."""
    found = set()
    waiting = [load(text)]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str):
            found.add(value)
            dotted = re.escape(folder.replace("/", "."))
            for name in re.findall(rf"\bfrom {dotted}\.([\w.]+) import", value):
                found.add(f"{folder}/{name.replace('.', '/')}")
    return frozenset(found)


@cache
def _loaded(text: str, path: str, folder: str) -> frozenset[str]:
    """What a script or module imports, and what it starts by a path that it makes of
    its folder: f"{folder}/flows/guard_job"."""
    found = set()
    for node in ast.walk(parsed(text)):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = "/".join(path.split("/")[: -node.level])
            module = (node.module or "").replace(".", "/")
            found.add(f"{base}/{module}")
            for alias in node.names:
                found.add("/".join(filter(None, (base, module, alias.name))))
        elif isinstance(node, ast.Constant) and _PATH.fullmatch(str(node.value)):
            found.add(f"{folder}{node.value}")
    return frozenset(found)
