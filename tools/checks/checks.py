"""What must hold for every schema and every rendered file.

`check` and `fix` are the same function: it collects problems, and a problem that can be
repaired carries the text that `fix` writes.
"""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from packaging.version import Version

from tools import models
from tools.checks import windmill_lint
from tools.checks.flow_checks import flow_problems
from tools.checks.hidden_names import hidden_names
from tools.checks.interface import interface_problems
from tools.checks.layers import layer_problems
from tools.checks.schema_checks import formless, rules_of, schema_problems
from tools.flows import pack_flows
from tools.operations import ROOT, Operation, operations, scripts
from tools.pages import (
    flow_docs,
    measurements,
    recipes,
    reference,
    samples,
    troubleshooting,
)
from tools.schemas import render, shelves
from tools.schemas.form import form
from tools.schemas.scaffold import GROUP, NAME
from tools.syntax import parsed
from tools.tree import nesting, sync_tree, tool_schema
from tools.tree.flatten import sources
from tools.version import VERSION

CATALOGUE = "OPERATIONS.md"
AGENT_GROUP = "agent"  # tools that are made for models to call


@dataclass(frozen=True)
class Problem:
    """A file, what is wrong with it, and what `fix` would write (None: it cannot);
    `make` gives what is not known before other files are written."""

    path: Path
    what: str
    text: str | None = None
    orphan: bool = False
    make: Callable[[], str] | None = None

    @property
    def fixable(self) -> bool:
        return self.text is not None or self.orphan or self.make is not None

    def show(self, root: Path) -> str:
        mark = " [fix]" if self.fixable else ""
        return f"{self.path.relative_to(root)}: {self.what}{mark}"

    def fix(self) -> None:
        if self.orphan:
            self.path.unlink()
            return
        text = self.make() if self.make else self.text
        if text is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text(text, encoding="utf-8")


def problems(root: Path = ROOT) -> list[Problem]:
    """Every problem of the sync_tree, the schemas' own first."""
    found = []
    sound = []
    rules = rules_of(root)
    for operation in scripts(root):
        own = schema_problems(operation, rules)
        found += [Problem(operation.schema_path, what) for what in own]
        if not own:
            sound.append(operation)
    found += _unique(root)
    found += _todos(root)
    found += [Problem(path, what) for path, what in layer_problems(root)]
    found += [Problem(path, what) for path, what in hidden_names(root)]
    found += _versions(root)
    found += _model_ids(root)
    found += [Problem(root / shelves.FILE, what) for what in shelves.misplaced(root)]
    all_sound = len(sound) == len(list(scripts(root)))
    if all_sound:
        found += _exceptions(root)
        found += _paths(root)
    else:
        told = flow_problems(root, sound=False)
        found += [Problem(path, what) for path, what in told]
    for operation in sound:
        found += _rendered(operation)
    if all_sound and _readable(root):
        found += _results(root)
        found += _lists_and_pages(root, sound)
        found += _flows(root)
        found += [Problem(*one) for one in interface_problems(root, sound)]
        if not any(problem.fixable for problem in found):
            found += _built(root)
    elif all_sound:
        found += [Problem(path, what) for path, what in flow_problems(root)]
    return found + _in_script_folders(root)


def _rendered(operation: Operation) -> list[Problem]:
    """Of a sound schema: its script, and its form as a page and as a model's tool."""
    found = list(_current(operation.script_path, render.script(operation)))
    traps = list(_traps(form(operation)))
    if operation.group == AGENT_GROUP:
        path = f"{sync_tree.FOLDER}/{operation.id}"
        traps += tool_schema.agent_faults(path, form(operation))
    return found + [Problem(operation.schema_path, trap) for trap in traps]


def _lists_and_pages(root: Path, sound: list[Operation]) -> list[Problem]:
    """What is made of all schemas together: catalogue, pages, lists of the helper."""
    found = list(_current(root / CATALOGUE, reference.catalogue(sound, root)))
    pages = reference.pages(root, sound)
    for page, text in pages.items():
        found += _current(root / page, text)
    for path in sorted((root / reference.FOLDER).rglob("*.md")):
        place = path.relative_to(root).as_posix()
        if place not in pages and not place.startswith(f"{pack_flows.PAGES}/"):
            found.append(Problem(path, "is of no script", orphan=True))
    for place, text in {
        **troubleshooting.files(root),
        **measurements.files(root),
    }.items():
        found += _current(root / place, text)
    lists = render.lists(operations(root))
    found += _current(root / "scripts" / "resilience" / "lists.py", lists)
    known = root / "scripts" / "catalog" / "known_models.py"
    return found + list(_current(known, models.built_in(root)))


def _in_script_folders(root: Path) -> list[Problem]:
    """Scripts without a schema, and what Windmill misreads in a `main`."""
    found: list[Problem] = []
    wanted = {operation.script_path for operation in scripts(root)}
    helpers = set(sources(root))
    for path in sorted(set((root / "scripts").glob("*/*.py")) - helpers):
        if path not in wanted and "Rendered from schemas/" in path.read_text():
            found.append(Problem(path, "has no schema", orphan=True))
        found += [Problem(path, trap) for trap in windmill_lint.in_main(path)]
    return found


def _traps(schema: dict) -> Iterator[str]:
    """What would go wrong with a form, or with the same as a model's tool."""
    yield from windmill_lint.in_form(schema)
    yield from tool_schema.faults(schema)


def _readable(root: Path) -> bool:
    """Whether all flows can be read; the pages tell of them all."""
    try:
        return not list(pack_flows.unreadable(root))
    except (ValueError, KeyError):
        return False


def _flows(root: Path) -> Iterator[Problem]:
    """Flows and schedules, and the page that shows them."""
    wrong = [Problem(path, what) for path, what in flow_problems(root)]
    if not wrong:
        for flow in pack_flows.flows(root):
            found = [f"{flow.name}: {what}" for what in formless(flow)]
            wrong += [Problem(flow.path, what) for what in found]
    yield from wrong
    if not wrong and (root / "flows").exists():
        for flow in pack_flows.flows(root):
            for trap in _traps(form(flow)):
                yield Problem(flow.path, f"{flow.name}: {trap}")
        pages = {flow_docs.PAGE: flow_docs.page(root), **flow_docs.pages(root)}
        for place, text in pages.items():
            yield from _current(root / place, text)
        for path in sorted((root / pack_flows.PAGES).glob("*.md")):
            if path.relative_to(root).as_posix() not in pages:
                yield Problem(path, "is of no flow", orphan=True)
        for place, text in recipes.files(root).items():
            yield from _current(root / place, text)


def _built(root: Path) -> Iterator[Problem]:
    """What is built of the scripts is not locked anew by Windmill on its own."""
    try:
        code = sync_tree.code(root)
    except ValueError as error:
        yield Problem(root / "scripts", f"cannot be built: {error}")
        return
    for id, (text, _) in code.items():
        for what in nesting.wrong(text.decode()):
            place = root / "scripts" / f"{id}.py"
            place = place if place.exists() else place.with_suffix("")  # a package
            yield Problem(place, f"as built: {what}")


def _results(root: Path) -> Iterator[Problem]:
    """Of every step the reference shows a result. A copy of the pack is not run."""
    if root != ROOT:
        return
    for file, make in (
        (samples.FILE, samples.completed),
        (samples.MEMBERS, samples.completed_members),
    ):
        if ids := samples.unrecorded(root, file):
            words = f"is not of the steps that there are: {', '.join(ids)}"
            yield Problem(root / file, words, make=make)


def _current(path: Path, text: str) -> Iterator[Problem]:
    if not path.exists():
        yield Problem(path, "is missing", text)
    elif path.read_text(encoding="utf-8") != text:
        yield Problem(path, "is not what its schema renders", text)


def _paths(root: Path) -> Iterator[Problem]:
    """Our modules call operations by their names alone: no path is copied."""
    for path in sources(root):
        for line, text in _api_paths(path.read_text(encoding="utf-8")):
            if text not in NOT_DESCRIBED:
                words = f"{text} is a path of the API: ask for the operation by name"
                yield Problem(path, f"line {line}: {words}")


# Paths that a module may call all the same, each with the reason why no schema has it.
NOT_DESCRIBED = {
    "/organizations/{organization_id}/metrics": (
        "in none of the API's descriptions: a beta, whose host and path may change"
    ),
}


@cache
def _api_paths(text: str) -> tuple[tuple[int, str], ...]:
    """The texts of a module that are paths of the API, with their lines: by how they
    begin, or because a descriptor is made of them."""
    tree = parsed(text)
    if "Rendered from schemas/" in (ast.get_docstring(tree) or ""):
        return ()
    return tuple(
        (path.lineno, path.value)
        for node in ast.walk(tree)
        for path in (node, *_written_path(node))
        if isinstance(path, ast.Constant) and isinstance(path.value, str)
        if path is not node or re.match(r"/v[123]/[^\s]*$", path.value)
    )


def _written_path(node: ast.AST) -> list[ast.expr]:
    """The path of a call of operation_at, where it is written out."""
    if not isinstance(node, ast.Call) or ast.unparse(node.func) != "operation_at":
        return []
    named = [word.value for word in node.keywords if word.arg == "path"]
    return [*node.args[1:2], *named]


def _todos(root: Path) -> Iterator[Problem]:
    """What `./dev new` left to a person to write, in modules, flows and tests."""
    tests = sorted((root / "tests").glob("test_*_steps.py"))
    tests += (root / "tests").glob("test_flows.py")
    flows = sorted((root / "flows").rglob("*.yaml"))
    for path in [*sources(root), *tests, *flows]:
        text = path.read_text(encoding="utf-8")
        if "TODO: " not in text:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if "TODO: " in line:
                yield Problem(path, f"line {number} is still a TODO")


def _unique(root: Path) -> Iterator[Problem]:
    seen: dict[tuple[str, str], str] = {}
    for operation in scripts(root):
        if not NAME.fullmatch(operation.name):
            words = "a file is named <verb>_<noun>.json, in small letters"
            yield Problem(operation.schema_path, words)
        if not GROUP.fullmatch(operation.group):
            words = f"{operation.group} is no name of a group: small letters"
            yield Problem(operation.schema_path, words)
        own = {"name": operation.name, **_alone(operation)}
        for key, value in own.items():
            if "TODO" not in value:
                other = seen.setdefault((key, value), operation.id)
                if other != operation.id:
                    words = f"{key} {value!r} is {other}'s too"
                    yield Problem(operation.schema_path, words)


def _alone(operation: Operation) -> dict[str, str]:
    """What no two schemas may have in common, as far as a schema has it."""
    try:
        schema = operation.schema
    except ValueError:
        return {}
    found = {"title": schema["title"]} if isinstance(schema.get("title"), str) else {}
    exchange = schema.get("x-operation")
    if isinstance(exchange, dict):
        found["request"] = f"{exchange.get('method')} {exchange.get('path')}"
    return found


def _versions(root: Path) -> Iterator[Problem]:
    """What the helper and the change log say of the pack's version is what it is."""
    for path in sorted((root / "scripts").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        right = re.sub(r'^PACK = "[^"]*"', f'PACK = "{VERSION}"', text, flags=re.M)
        if right != text:
            yield Problem(path, f"PACK is not the version, {VERSION}", right)
    path = root / "CHANGELOG.md"
    if not path.exists():
        return
    headings = re.findall(r"^## (.+)$", path.read_text(encoding="utf-8"), re.M)
    told = [h.split()[0] for h in headings if h[0].isdigit()]
    newest = max(told, key=Version, default="0")
    if not headings or headings[0].startswith("Unreleased"):
        if Version(newest) >= Version(VERSION):
            what = (
                f"what is unreleased is no version after {newest}: see pyproject.toml"
            )
            yield Problem(path, what)
    elif told[:1] != [VERSION] or headings[0].split()[0] != VERSION:
        yield Problem(path, f"its first heading is not the version, {VERSION}")


# May name models that are gone: what changed, and the place where they are listed.
RETIRED_IN = ("CHANGELOG.md", models.NAMED_HERE)
# They say <model:word> in place of an id.
SOURCES = ("schemas", "flows", "recipes", "schedules")
TEXTS = (".py", ".md", ".yaml", ".json", ".toml", ".ts", ".mjs")


def _model_ids(root: Path) -> Iterator[Problem]:
    """Ids of models stand in one place; those that are gone, nowhere else."""
    for folder in ("", "docs", "resources", "scripts", "tests", "tools", *SOURCES):
        place = root / folder
        for path in _texts_in(place, deep=bool(folder)):
            name = path.relative_to(root).as_posix()
            if name in RETIRED_IN:
                continue
            text = path.read_text(encoding="utf-8")
            for id in models.retired_in(text, root):
                yield Problem(path, f"names {id}, which Together no longer offers")
            if folder in SOURCES:
                for id in models.current_in(text, root):
                    words = f"names {id}: say <model:word>, see {models.NAMED_HERE}"
                    yield Problem(path, words)


def _texts_in(folder: Path, deep: bool) -> Iterator[Path]:
    """The files of TEXTS in a folder and, if deep, in those within it."""
    for path in sorted(folder.iterdir()) if folder.exists() else ():
        if path.is_dir():
            if deep and path.name not in ("node_modules", "__pycache__"):
                yield from _texts_in(path, deep)
        elif path.suffix in TEXTS:
            yield path


def _exceptions(root: Path) -> Iterator[Problem]:
    """An exception is for an operation that exists, and says why."""
    path = root / "schemas" / "_exceptions.yaml"
    if not path.exists():
        return
    known = {operation.id: operation for operation in scripts(root)}
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
