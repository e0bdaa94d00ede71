"""What must hold for every schema and every rendered file.

`check` and `fix` are the same function: it collects problems, and a problem that can be
repaired carries the text that `fix` writes.
"""

import ast
import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jsonschema
import yaml
from packaging.version import Version

from scripts.client.form import SWITCH
from tools import (
    flow_docs,
    flows,
    models,
    nesting,
    recipes,
    reference,
    render,
    shelves,
    sync_tree,
    tool_schema,
    troubleshooting,
    windmill_lint,
)
from tools.flatten import sources
from tools.flow_checks import flow_problems
from tools.form import argument, form
from tools.layers import layer_problems
from tools.operations import ROOT, Operation, operations, scripts
from tools.scaffold import NAME
from tools.schema_words import in_words
from tools.syntax import parsed
from tools.version import VERSION

CATALOGUE = "OPERATIONS.md"
AGENT_GROUP = "agent"  # tools that are made for models to call
SCREEN = 8  # fields that a form shows at first, a switch for the others among them


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
    """Every problem of the sync_tree, the schemas' own first."""
    found = []
    sound = []
    rules = json.loads((root / "schemas" / "_operation.json").read_text())
    for operation in scripts(root):
        own = list(_schema(operation, rules))
        if not own:
            told = _formless(operation)
            own = [Problem(operation.schema_path, what) for what in told]
        found += own
        if not own:
            sound.append(operation)
    found += _unique(root)
    found += _todos(root)
    found += [Problem(path, what) for path, what in layer_problems(root)]
    found += _versions(root)
    found += _model_ids(root)
    found += [Problem(root / shelves.FILE, what) for what in shelves.misplaced(root)]
    if len(sound) == len(list(scripts(root))):
        found += _exceptions(root)
        found += _tables(root)
    for operation in sound:
        found += _current(operation.script_path, render.script(operation))
        for trap in _traps(form(operation)):
            found.append(Problem(operation.schema_path, trap))
        if operation.group == AGENT_GROUP:
            path = f"{sync_tree.FOLDER}/{operation.id}"
            for trap in tool_schema.agent_faults(path, form(operation)):
                found.append(Problem(operation.schema_path, trap))
    if len(sound) == len(list(scripts(root))):
        found += _current(root / CATALOGUE, reference.catalogue(sound, root))
        pages = reference.pages(root, sound)
        for page, text in pages.items():
            found += _current(root / page, text)
        for path in sorted((root / reference.FOLDER).glob("*.md")):
            if str(path.relative_to(root)) not in pages:
                found.append(Problem(path, "has no group", orphan=True))
        for place, text in troubleshooting.files(root).items():
            found += _current(root / place, text)
        lists = render.lists(operations(root))
        found += _current(root / "scripts" / "resilience" / "lists.py", lists)
        place = root / "scripts" / "catalog" / "known_models.py"
        found += _current(place, models.built_in(root))
        found += _flows(root)
        if not any(problem.fixable for problem in found):
            found += _built(root)
    wanted = {operation.script_path for operation in scripts(root)}
    helpers = set(sources(root))
    for path in sorted(set((root / "scripts").glob("*/*.py")) - helpers):
        if path not in wanted and "Rendered from schemas/" in path.read_text():
            found.append(Problem(path, "has no schema", orphan=True))
        found += [Problem(path, trap) for trap in windmill_lint.in_main(path)]
    return found


MISSHAPEN = (AttributeError, KeyError, TypeError, ValueError, StopIteration)


def _formless(asked: Operation | flows.Flow) -> Iterator[str]:
    """Why no form can be made of the arguments of a script or flow, though each of
    their words is known: the names in them do not fit one another, or a type is nothing
    but null."""
    try:
        form(asked)
        return
    except MISSHAPEN:
        pass
    for name, member in asked.arguments.items():
        try:
            argument(asked, name, member)
        except MISSHAPEN as error:
            words = f"{type(error).__name__} {error}".strip()
            yield f"arguments.{name}: no form can be made of it: {words}"
            return
    yield "no form can be made of its arguments: x-form names what is not there"


def _traps(schema: dict) -> Iterator[str]:
    """What would go wrong with a form, or with the same as a model's tool."""
    yield from windmill_lint.in_form(schema)
    yield from tool_schema.faults(schema)


def _flows(root: Path) -> Iterator[Problem]:
    """Flows and schedules, and the page that shows them."""
    wrong = [Problem(path, what) for path, what in flow_problems(root)]
    if not wrong:
        for flow in flows.flows(root):
            found = [f"{flow.name}: {what}" for what in _formless(flow)]
            wrong += [Problem(flow.path, what) for what in found]
    yield from wrong
    if not wrong and (root / "flows").exists():
        for flow in flows.flows(root):
            for trap in _traps(form(flow)):
                yield Problem(flow.path, f"{flow.name}: {trap}")
        yield from _current(root / flow_docs.PAGE, flow_docs.page(root))
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
    bad = [(list(e.absolute_path), what) for e in errors for what in in_words(e)]
    for where, what in bad:
        yield Problem(path, f"{'.'.join(map(str, where)) or 'root'}: {what}")
    rest = _further(operation)
    if not bad:
        yield from rest
        return
    # As much as can be told of a schema that is not in order yet: all in one wave.
    with contextlib.suppress(*MISSHAPEN):
        for problem in rest:
            if (problem.what.partition(":")[0], "TODO" in problem.what) not in {
                (".".join(map(str, where)), "TODO" in what) for where, what in bad
            }:
                yield problem


# What reading a schema raises where it has not the members, or the types, of one.
MISSHAPEN = (AttributeError, KeyError, StopIteration, TypeError, ValueError)


def _further(operation: Operation) -> Iterator[Problem]:
    """What is wrong with a schema beyond what its validator says."""
    path, schema = operation.schema_path, operation.schema
    for place, text in _written(schema):
        if "TODO" in text:
            yield Problem(path, f"{place}: is still a TODO")
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        yield Problem(path, f"is no JSON Schema: {error.message}")
        return
    yield from _step(operation) if operation.step else _places(operation)
    if operation.step is None:
        yield from _brings(operation)
    unknown = set(operation.required) - set(schema["properties"])
    for name in sorted(unknown):
        yield Problem(path, f"required: there is no argument {name}")
    yield from _texts(path, "", schema)
    validator = jsonschema.Draft202012Validator(schema)
    for number, example in enumerate(schema["examples"]):
        for error in validator.iter_errors(example):
            where = ".".join(map(str, error.absolute_path))
            yield Problem(path, f"examples[{number}].{where}: {error.message[:200]}")
        for name in set(example) - set(operation.arguments):
            yield Problem(path, f"examples[{number}]: {name} is no argument")
    examples = schema["examples"]
    if any(example in examples[:number] for number, example in enumerate(examples)):
        yield Problem(path, "examples: one is there twice")
    if len(examples) == 1 and _leaves_out(schema):
        yield Problem(path, "examples: give two, the least and the most")
    yield from _screens(operation)


def _brings(operation: Operation) -> Iterator[Problem]:
    """Whoever gets bytes chooses where they go."""
    exchange = operation.exchange
    bytes_come = exchange.get("reply") in ("binary", "speech") or "brings" in exchange
    choice = operation.arguments.get("output")
    own = choice is not None and choice.get("x-in") == "result"
    if bytes_come and not own:
        yield Problem(
            operation.schema_path,
            f"{operation.id} brings bytes: it needs the argument output, with "
            '"x-in": "result" (as schemas/audio/create_speech.json has it)',
        )
    if own and not bytes_come:
        yield Problem(
            operation.schema_path, "output is for what brings bytes: reply or brings"
        )


def _leaves_out(schema: dict) -> bool:
    """Whether any argument, or member of the body, need not be given."""
    members = schema.get("properties", {})
    body = members.get("body")
    optional = members.keys() - set(schema.get("required", ()))
    return bool(optional) or (body is not None and _leaves_out(body))


def _screens(operation: Operation) -> Iterator[Problem]:
    """An object of a body shows few fields at first, and all that are required."""
    path = operation.schema_path
    try:
        fields = form(operation)["properties"]
    except (KeyError, StopIteration) as error:
        yield Problem(path, f"x-form names what is not there: {error}")
        return
    for place, inner, required in _objects("body", fields.get("body", {})):
        shown = [n for n, m in inner.items() if "showExpr" not in m and n != "label"]
        if len(shown) > SCREEN:
            yield Problem(
                path,
                f"{place}: the form shows {len(shown)} fields at first, more than "
                f"{SCREEN}; mark some as x-form.advanced",
            )
        for name in required:
            if f"fields.{SWITCH}" in inner[name].get("showExpr", ""):
                yield Problem(path, f"{place}.{name} is required, so not advanced")


def _objects(place: str, field: dict) -> Iterator[tuple[str, dict, list[str]]]:
    """The fields of each object of a form, and which of them are required."""
    inner = field.get("properties")
    if inner:
        listed = field.get("required")
        own = [n for n, m in inner.items() if m.get("required") == []]
        yield place, inner, [*(listed if isinstance(listed, list) else []), *own]
        for name, member in inner.items():
            yield from _objects(f"{place}.{name}", member)
    if isinstance(field.get("items"), dict):
        yield from _objects(f"{place}[]", field["items"])
    for variant in field.get("oneOf", ()):
        yield from _objects(f"{place}|{variant['title']}", variant)


def _places(operation: Operation) -> Iterator[Problem]:
    """Every argument of an operation has its place in the request."""
    path = operation.schema_path
    placeholders = set(re.findall(r"{(\w+)}", operation.exchange["path"]))
    arguments = {n for n, m in operation.arguments.items() if m.get("x-in") == "path"}
    for name in sorted(placeholders ^ arguments):
        yield Problem(path, f"path argument {name} is not in both path and properties")
    for name, member in operation.arguments.items():
        if name != "body" and "x-in" not in member:
            yield Problem(path, f"properties.{name}: x-in says path, query or header")


def _step(step: Operation) -> Iterator[Problem]:
    """A step has its function, and arguments in an order that Python can take."""
    path = step.schema_path
    if len(step.modules) != 1:
        found = " and ".join(step.modules) or "no module of scripts/"
        words = f"one module has def {step.name}(auth, step, ...), not {found}"
        yield Problem(path, words)
    names = list(step.arguments)
    if sorted(names, key=lambda name: name not in step.required) != names:
        yield Problem(path, "properties: required arguments come first")
    for name, member in step.arguments.items():
        if name == "body" or "x-in" in member:
            yield Problem(path, f"properties.{name}: a step's arguments are no request")
        default = member.get("default")
        if default is not None and (name in step.required or not _readable(default)):
            yield Problem(
                path, f"properties.{name}: Windmill cannot read default {default!r}"
            )


def _readable(default: object) -> bool:
    """Say whether Windmill's parser reads such a default from main's signature."""
    if isinstance(default, int | float):
        return default >= 0
    return isinstance(default, str)


def _tables(root: Path) -> Iterator[Problem]:
    """Our modules call operations by their names alone: no path is copied."""
    for path in sources(root):
        for line, text in _api_paths(path.read_text(encoding="utf-8")):
            words = f"{text} is a path of the API: ask for the operation by name"
            yield Problem(path, f"line {line}: {words}")


@cache
def _api_paths(text: str) -> tuple[tuple[int, str], ...]:
    """The texts of a module that are paths of the API, with their lines."""
    tree = parsed(text)
    if "Rendered from schemas/" in (ast.get_docstring(tree) or ""):
        return ()
    return tuple(
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.match(r"/v[123]/[^\s]*$", node.value)
    )


def _texts(path: Path, where: str, schema: dict, depth: int = 0) -> Iterator[Problem]:
    """Every argument, and the body's members to the second level, has its texts."""
    for name, member in schema.get("properties", {}).items():
        place = f"{where}.{name}".lstrip(".")
        for key in ("title", "description"):
            if depth < 2 and not member.get(key):
                yield Problem(path, f"{place} has no {key}")
        if depth < 3:
            yield from _texts(path, place, member, depth + 1)


def _written(part: object, place: str = "") -> Iterator[tuple[str, str]]:
    """Every text within a part of a file, with its place."""
    if isinstance(part, str):
        yield place, part
    elif isinstance(part, list):
        for number, inner in enumerate(part):
            yield from _written(inner, f"{place}[{number}]")
    elif isinstance(part, dict):
        for name, inner in part.items():
            yield from _written(inner, f"{place}.{name}".lstrip("."))


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
