"""Rewrite flows and scripts that use the Together AI scripts of Windmill's hub, so that
they use this pack: only the path changes, as the arguments are the same."""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import yaml

from tools.operations import ROOT, Operation, scripts

# hub/<version>/<app>/<name>; the hub writes the app as togetherai or together_ai.
HUB = re.compile(r"hub/\d+/together[_-]?ai/([\w-]+)", re.IGNORECASE)
TEXTS = (".yaml", ".yml", ".json", ".py", ".ts", ".js", ".sh", ".go", ".md")
LARGEST = 4 << 20  # bytes of a file that is looked into
STREAM = (
    "stream: the answer comes joined, and live beside it; the hub's script gave events"
)


@dataclass
class Change:
    """What becomes of one file."""

    path: Path
    before: str
    after: str
    unknown: list[str] = field(default_factory=list)  # names that the pack has not
    notes: list[str] = field(default_factory=list)  # what a person should look at

    def diff(self) -> str:
        lines = (self.before.splitlines(True), self.after.splitlines(True))
        return "".join(
            difflib.unified_diff(*lines, str(self.path), str(self.path), n=1)
        )


def changes(place: Path, folder: str, root: Path = ROOT) -> Iterator[Change]:
    """What to change in a file, or in all files of a folder, so that they use the pack
    in `folder`; nothing is written. Raises OSError for a place that cannot be read,
    ValueError for a file that is no text."""
    known = {one.name: one for one in scripts(root)}
    for path in _files(place):
        try:
            with path.open(
                encoding="utf-8", newline=""
            ) as file:  # line ends as they are
                before = file.read()
        except UnicodeDecodeError:
            if path == place:
                raise ValueError(f"{path} is not text in UTF-8") from None
            continue  # Windmill's own files are; what else lies there is left alone
        change = Change(path, before, before)
        change.after = HUB.sub(partial(_ours, known, folder, change), before)
        if change.after != before or change.unknown:
            change.notes += _arguments(change, known, folder)
            yield change


def _files(place: Path) -> Iterator[Path]:
    if place.is_file():
        yield place
        return
    if not place.exists():
        raise FileNotFoundError(2, "No such file or directory", str(place))
    for path in sorted(place.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(place).parts)
        if hidden or "node_modules" in path.parts or path.suffix not in TEXTS:
            continue
        if path.is_file() and path.stat().st_size <= LARGEST:
            yield path


def _ours(
    known: dict[str, Operation], folder: str, to: Change, found: re.Match[str]
) -> str:
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", found[1]).replace("-", "_").lower()
    if name not in known:
        to.unknown.append(found[0])
        return found[0]
    return f"{folder}/{known[name].id}"


def _arguments(change: Change, known: dict[str, Operation], folder: str) -> list[str]:
    """What the steps of a flow give that our scripts do not take, or read otherwise."""
    if change.path.suffix not in (".yaml", ".yml", ".json"):
        return []
    try:
        flow = yaml.safe_load(change.after)
    except (yaml.YAMLError, ValueError, RecursionError):  # ValueError: of a day 32
        return ["is no plain YAML, so its arguments were not compared"]
    by_path = {f"{folder}/{one.id}": one for one in known.values()}
    notes = []
    for step in _values(flow):
        if not isinstance(step, dict) or "type" not in step:
            continue
        one = by_path.get(str(step.get("path")))
        if one is None:  # a flow of the pack is none of the hub's, either
            continue
        given = step.get("input_transforms")
        given = given if isinstance(given, dict) else {}
        missing = [name for name in one.required if name not in given]
        extra = sorted(map(str, given.keys() - one.arguments.keys() - {"auth"}))
        notes += [f"{one.id} takes no {name}" for name in extra]
        notes += [f"{one.id} needs {name}" for name in missing]
        if any("stream" in str(value) for value in _plain(given.get("body"))):
            notes.append(f"{one.id}: {STREAM}")
    return notes


def _plain(value: object) -> Iterator[object]:
    """The names and texts that something holds."""
    for inner in _values(value):
        if isinstance(inner, dict):
            yield from inner
        elif not isinstance(inner, list):
            yield inner


def _values(value: object) -> Iterator[object]:
    """Something and all that it holds, in order; what YAML's anchors put in several
    places, or into itself, once."""
    waiting, seen = [value], set()
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, dict | list):
            if id(inner) in seen:
                continue
            seen.add(id(inner))
            members = inner.values() if isinstance(inner, dict) else inner
            waiting += reversed(list(members))
        yield inner
