"""What must hold for every schema and every rendered file.

`check` and `fix` are the same function: it collects problems, and a problem that can be
repaired carries the text that `fix` writes.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import jsonschema
import yaml

from tools import render
from tools.form import form
from tools.operations import ROOT, Operation, operations

CATALOGUE = "OPERATIONS.md"


@dataclass(frozen=True)
class Problem:
    """A file, what is wrong with it, and what `fix` would write (None: it cannot)."""

    path: Path
    what: str
    text: str | None = None
    orphan: bool = False

    @property
    def fixable(self) -> bool:
        return self.text is not None or self.orphan

    def show(self, root: Path) -> str:
        mark = " [fix]" if self.fixable else ""
        return f"{self.path.relative_to(root)}: {self.what}{mark}"

    def fix(self) -> None:
        if self.orphan:
            self.path.unlink()
        elif self.text is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text(self.text, encoding="utf-8")


def problems(root: Path = ROOT) -> list[Problem]:
    """Every problem of the tree, the schemas' own first."""
    found = []
    sound = []
    rules = json.loads((root / "schemas" / "_operation.json").read_text())
    for operation in operations(root):
        own = list(_schema(operation, rules))
        found += own
        if not own:
            sound.append(operation)
    found += _unique(root)
    found += _exceptions(root)
    for operation in sound:
        found += _current(operation.script_path, render.script(operation))
    if len(sound) == len(list(operations(root))):
        found += _current(root / CATALOGUE, render.catalogue(sound))
    wanted = {operation.script_path for operation in operations(root)}
    for path in sorted((root / "scripts").glob("*/*.py")):
        if path not in wanted and "Rendered from schemas/" in path.read_text():
            found.append(Problem(path, "has no schema", orphan=True))
    return found


def _current(path: Path, text: str) -> Iterator[Problem]:
    if not path.exists():
        yield Problem(path, "is missing", text)
    elif path.read_text(encoding="utf-8") != text:
        yield Problem(path, "is not what its schema renders", text)


def _schema(operation: Operation, rules: dict) -> Iterator[Problem]:
    """Judge one schema by _operation.json, its own examples and its placeholders."""
    path = operation.schema_path
    try:
        schema = operation.schema
    except ValueError as error:
        yield Problem(path, f"is not JSON: {error}")
        return
    errors = jsonschema.Draft202012Validator(rules).iter_errors(schema)
    bad = [(list(e.absolute_path), e.message) for e in errors]
    for where, message in bad:
        yield Problem(path, f"{'.'.join(map(str, where)) or 'root'}: {message[:200]}")
    if bad:
        return
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        yield Problem(path, f"is no JSON Schema: {error.message}")
        return
    placeholders = set(re.findall(r"{(\w+)}", operation.exchange["path"]))
    arguments = {n for n, m in operation.arguments.items() if m.get("x-in") == "path"}
    for name in sorted(placeholders ^ arguments):
        yield Problem(path, f"path argument {name} is not in both path and properties")
    for name, member in operation.arguments.items():
        if name != "body" and "x-in" not in member:
            yield Problem(path, f"properties.{name}: x-in says path, query or header")
    yield from _texts(path, "", schema)
    validator = jsonschema.Draft202012Validator(schema)
    for number, example in enumerate(schema["examples"]):
        for error in validator.iter_errors(example):
            where = ".".join(map(str, error.absolute_path))
            yield Problem(path, f"examples[{number}].{where}: {error.message[:200]}")
        for name in set(example) - set(operation.arguments):
            yield Problem(path, f"examples[{number}]: {name} is no argument")
    if not bad:
        form(operation)


def _texts(path: Path, where: str, schema: dict, depth: int = 0) -> Iterator[Problem]:
    """Every argument, and the body's members to the second level, has its texts."""
    for name, member in schema.get("properties", {}).items():
        place = f"{where}.{name}".lstrip(".")
        for key in ("title", "description"):
            if depth < 2 and not member.get(key):
                yield Problem(path, f"{place} has no {key}")
            elif "TODO" in str(member.get(key)):
                yield Problem(path, f"{place}: {key} is still a TODO")
        if depth < 3:
            yield from _texts(path, place, member, depth + 1)


def _unique(root: Path) -> Iterator[Problem]:
    seen = {}
    for operation in operations(root):
        for key, value in (("name", operation.name), ("title", _title(operation))):
            if (key, value) in seen:
                other = seen[key, value]
                yield Problem(
                    operation.schema_path, f"{key} {value!r} is {other}'s too"
                )
            seen[key, value] = operation.id


def _title(operation: Operation) -> str:
    try:
        return operation.schema.get("title", "")
    except ValueError:
        return ""


def _exceptions(root: Path) -> Iterator[Problem]:
    """An exception is for an operation that exists, and says why."""
    path = root / "schemas" / "_exceptions.yaml"
    if not path.exists():
        return
    known = {operation.id: operation for operation in operations(root)}
    for name, members in (yaml.safe_load(path.read_text()) or {}).items():
        if name not in known:
            yield Problem(path, f"{name} is stale: there is no such operation")
            continue
        body = known[name].arguments.get("body", {}).get("properties", {})
        for member, reason in members.items():
            if not reason:
                yield Problem(path, f"{name}: {member} has no reason")
            if member not in body and member not in known[name].arguments:
                yield Problem(path, f"{name}: {member} is stale: no such member")
