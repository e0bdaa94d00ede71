"""The scripts of the pack, as their schemas describe them.

Most are operations of the API; the others are steps above it.
"""

import ast
import json
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from scripts.client.form import OTHER
from tools import models
from tools.kept import kept
from tools.syntax import parsed, statements
from tools.tree.flatten import module_text, package_files

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Operation:
    """One schema file, schemas/<group>/<name>.json: an operation or a step."""

    root: Path
    group: str
    name: str

    @property
    def id(self) -> str:
        return f"{self.group}/{self.name}"

    @property
    def schema_path(self) -> Path:
        return self.root / "schemas" / self.group / f"{self.name}.json"

    @property
    def page(self) -> str:
        """The path of its page of the reference."""
        return f"docs/reference/{self.id}.md"

    @property
    def script_path(self) -> Path:
        return self.root / "scripts" / self.group / f"{self.name}.py"

    @cached_property
    def schema(self) -> dict:
        """Raises ValueError for a file that is no JSON object."""
        text = self.schema_path.read_text(encoding="utf-8")
        schema = json.loads(models.filled_in(text, self.root))
        if not isinstance(schema, dict):
            raise ValueError("one object is wanted, as in the other schemas")
        return schema

    @property
    def readable(self) -> bool:
        """Whether the schema is a JSON object, right or wrong."""
        try:
            return isinstance(self.schema, dict)
        except ValueError:
            return False

    @property
    def exchange(self) -> dict:
        return self.schema["x-operation"]

    @property
    def step(self) -> str | None:
        """What Windmill makes of a step above the API; None for an operation."""
        return self.schema.get("x-step")

    @cached_property
    def modules(self) -> list[str]:
        """The modules of scripts/, <module> or <package>.<part>, that have the function
        of a step: one."""
        function = re.compile(rf"(?m)^def {self.name}\(\s*auth\b[^,]*,\s*step\b")
        folder = self.root / "scripts"
        paths = [*folder.glob("*.py"), *folder.glob("*/*_steps.py")]
        return [
            ".".join(path.relative_to(folder).with_suffix("").parts)
            for path in sorted(paths)
            if function.search(path.read_text("utf-8"))
        ]

    @property
    def module(self) -> str:
        """The one that does the work of a step."""
        return self.modules[0] if self.modules else f"{self.group}_steps"

    @cached_property
    def arguments(self) -> dict:
        """The schemas of main's arguments other than auth, in the order of main."""
        return with_ids(self.schema.get("properties", {}), self.required)

    @property
    def required(self) -> list[str]:
        return self.schema.get("required", [])

    @property
    def realtime(self) -> bool:
        """Whether the exchange goes over a WebSocket."""
        replies = ("transcript", "speech")
        return self.step is None and self.exchange.get("reply") in replies

    @property
    def verb(self) -> str:
        """The function that carries it out: a step's own, or the helper's for this
        shape of exchange."""
        if self.step is not None:
            return self.name
        if self.realtime:
            return {"transcript": "transcribe", "speech": "speak"}[
                self.exchange["reply"]
            ]
        if "stream" in self.exchange:
            return "stream"
        if "content" in self.exchange:
            return "upload"
        return "download" if self.exchange.get("reply") == "binary" else "call"


def with_ids(properties: dict, required: Iterable[str] = ()) -> dict:
    """Arguments, and beside each picker of one model the argument for the id of one
    that its list lacks: Windmill's form forgets a choice that is not in the list.

    It comes after the picker, and after those that are required.
    """
    found: dict[str, dict] = {}
    waiting: dict[str, dict] = {}
    for name, member in properties.items():
        found[name] = member
        if "x-models" in member and member["type"] == "string":
            waiting[f"other_{name}"] = {
                "title": f"{member['title']} (id)",
                "description": "Exact id of a model or endpoint that the list lacks.",
                "type": "string",
                "x-id-of": name,
                "x-form": {
                    "when": {**member.get("x-form", {}).get("when", {}), name: [OTHER]}
                },
            }
        if found.keys() >= set(required):
            found |= waiting
            waiting = {}
    return found


def has_own_default(operation: Operation, member: dict) -> bool:
    """Whether an argument's default is main's own, rather than the service's."""
    return operation.step is not None or member.get("x-in") in ("result", "upload")


def scripts(root: Path = ROOT) -> Iterator[Operation]:
    """Everything that has a schema, sorted by group and name."""
    for path in sorted((root / "schemas").glob("*/*.json")):
        yield Operation(root, path.parent.name, path.stem)


def operations(root: Path = ROOT) -> Iterator[Operation]:
    """The operations of the API. Raises ValueError for a schema that is not JSON."""
    return (found for found in scripts(root) if found.step is None)


def steps(root: Path = ROOT) -> Iterator[Operation]:
    """The steps above the API. Raises ValueError for a schema that is not JSON."""
    return (found for found in scripts(root) if found.step is not None)


def imported(script: Path) -> set[str]:
    """The names of the shared modules that a Python file imports, wherever in it."""
    return set(imports(script.read_text(encoding="utf-8"))[0])


def packages(script: Path) -> set[str]:
    """The modules beyond ours and the standard library's that a Python file imports,
    wherever in it, by the first part of their names."""
    return set(imports(script.read_text(encoding="utf-8"))[1])


@kept
def imports(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """The shared modules that a Python text imports, wherever in it, and the modules
    beyond ours and the standard library's."""
    shared, foreign = set(), set()
    for node in statements(parsed(text)):
        if isinstance(node, ast.ImportFrom) and node.level:
            names = [alias.name for alias in node.names]
            shared |= {node.module.split(".")[0]} if node.module else set(names)
        elif isinstance(node, ast.ImportFrom):
            foreign.add(node.module.split(".")[0])
        elif isinstance(node, ast.Import):
            foreign |= {alias.name.split(".")[0] for alias in node.names}
    return frozenset(shared), frozenset(foreign - sys.stdlib_module_names)


def with_own(modules: Iterable[str], root: Path = ROOT) -> set[str]:
    """Shared modules and those that they may load themselves. Raises FlattenError."""
    found: set[str] = set()
    waiting, parts = set(modules), package_files(root)
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= imports(module_text(root, name, parts))[0] - found
    return found


@cache
def told(root: Path = ROOT) -> frozenset[str]:
    """Every text that an example of a script holds, the ids of things among them."""
    found: set[str] = set()

    def collect(value: object) -> None:
        if isinstance(value, str):
            found.add(value)
        elif isinstance(value, dict | list):
            for inner in value.values() if isinstance(value, dict) else value:
                collect(inner)

    for script in scripts(root):
        collect(script.schema.get("examples", []))
    return frozenset(found)


@cache
def find(script_id: str, root: Path = ROOT) -> Operation:
    """The script of that group/name, or of that name alone. Raises KeyError."""
    for found in scripts(root):
        if script_id in (found.id, found.name):
            return found
    raise KeyError(script_id)
