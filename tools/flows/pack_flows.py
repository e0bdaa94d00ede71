"""The flows and schedules of the pack, from flows/ and schedules/ to Windmill's files.

A flow's source holds its texts, its arguments in the dialect of schemas/, and its
modules as OpenFlow spells them, but with the pack's own ids as paths: `waits/poll_job`
for a script, `flows/run_batch` for a flow, and in short what flow_source.py spells out.
A tool of an AI agent step is {id, path of a script, input_transforms: what the model
does not see}; its id is what the model calls it.
`auth` need not be passed on: every step
that takes it gets the flow's. Flows that are steps of others lie in flows/inner/, and
are deployed to a folder of that name, so that people see what they start.
"""

import copy
import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from scripts.client.form import OTHER
from tools import models
from tools.flows.flow_source import DEFAULTS as DEFAULTS_FILE
from tools.flows.flow_source import expanded
from tools.operations import (
    ROOT,
    Operation,
    find,
    imports,
    scripts,
    with_ids,
    with_own,
)
from tools.schemas.form import form
from tools.schemas.render import picker, pickers
from tools.target_folder import FOLDER
from tools.tree.flatten import module_text, package_files
from tools.tree.locks import PYTHON, annotated, lock
from tools.tree.nesting import nested
from tools.version import SCHEMA_KEY, mark
from tools.yaml_text import object_of

INNER = "inner"
RECIPES = "recipes"  # whole flows to take and change, which are not deployed
RESOURCE = "key"  # where the schedules expect the togetherai resource, in the folder
AUTH = {"type": "javascript", "expr": "flow_input.auth"}
LOOPS = ("forloopflow", "whileloopflow")
# What Windmill writes into a stored flow where nothing is said; but of a delay without
# attempts, which is never used, what its own linter takes: it refuses 0 and null there.
RETRY = {
    "constant": {"attempts": 0, "seconds": 0},
    "exponential": {
        "attempts": 0,
        "multiplier": 1,
        "seconds": 0,
        "random_factor": None,
    },
}
UNUSED = {
    "constant": {"attempts": 0, "seconds": 1},
    "exponential": {"attempts": 0, "multiplier": 1, "seconds": 1, "random_factor": 0},
}
BRANCH = {"expr": "", "skip_failure": True, "parallel": True}
DEFAULTS = {
    "forloopflow": {"skip_failures": True, "parallel": False},
    "whileloopflow": {"skip_failures": False},
    "branchall": {"parallel": True},
}


PAGES = "docs/reference/flows"


@dataclass(frozen=True)
class Flow:
    """A flow: flows/<name>.yaml, or flows/inner/<name>.yaml."""

    root: Path
    name: str
    path: Path
    text: str
    defaults: str  # of all flows, flows/_defaults.yaml as JSON

    @property
    def id(self) -> str:
        folder = self.path.parent.name
        return f"{folder if folder in (INNER, RECIPES) else 'flows'}/{self.name}"

    @property
    def page(self) -> str:
        """The path of its page of the reference."""
        return f"{PAGES}/{self.name}.md"

    @cached_property
    def source(self) -> dict:
        return json.loads(self.text)

    @property
    def schema(self) -> dict:
        """The arguments as the root of a schema file has them."""
        return {"type": "object", **self.source["arguments"]}

    @cached_property
    def arguments(self) -> dict:
        return with_ids(self.source["arguments"].get("properties", {}))

    @property
    def required(self) -> list[str]:
        return self.source["arguments"].get("required", [])

    @property
    def step(self) -> dict:
        """A flow's arguments are a step's: all at the top, with defaults."""
        return {}

    @cached_property
    def value(self) -> dict:
        """Its modules and the like, spelled out. Raises ValueError."""
        return expanded(self.source["value"], json.loads(self.defaults), self.inner)

    @property
    def recipe(self) -> bool:
        """Whether it is one to take and change, which is not deployed."""
        return self.path.parent.name == RECIPES

    @property
    def inner(self) -> bool:
        """Whether it is there to be a step of other flows. Such a flow has no handler
        of failures: where one has run, Windmill does not run the outer flow's."""
        return self.path.parent.name == INNER


def flows(root: Path = ROOT) -> Iterator[Flow]:
    """Every flow, sorted by name. Raises ValueError for what cannot be read."""
    return all_of(_tried(root))


def unreadable(root: Path = ROOT) -> Iterator[tuple[Path, str]]:
    """The files of flows that cannot be read, and why. Raises ValueError where what
    all flows share is no YAML."""
    return broken_of(_tried(root))


def readable(root: Path = ROOT) -> Iterator[Flow]:
    """Like `flows`, without those that are `unreadable`."""
    return (flow for _, flow in _tried(root) if isinstance(flow, Flow))


# The file of each flow, and the flow, or why it cannot be read.
Tried = Iterator[tuple[Path, Flow | ValueError]]


def _tried(root: Path) -> Tried:
    shared = defaults(root)
    return tried(_files(root), lambda path: read(path, root, shared))


def tried(paths: Iterable[Path], read: Callable[[Path], Flow]) -> Tried:
    """Each file, and what is read from it, or the ValueError that says why not."""
    for path in paths:
        try:
            yield path, read(path)
        except ValueError as error:
            yield path, error


def all_of(found: Tried) -> Iterator[Flow]:
    """The flows. Raises the ValueError of the first that cannot be read."""
    for _, flow in found:
        if isinstance(flow, ValueError):
            raise flow
        yield flow


def broken_of(found: Tried) -> Iterator[tuple[Path, str]]:
    """The files that cannot be read, and why."""
    for path, flow in found:
        if isinstance(flow, ValueError):
            yield path, f"cannot be read: {flow}"


def _files(root: Path) -> list[Path]:
    found = [*(root / "flows").glob("*.yaml"), *(root / "flows" / INNER).glob("*.yaml")]
    found.sort(key=lambda path: path.stem)
    return [path for path in found if path.stem != DEFAULTS_FILE]


def read(path: Path, root: Path, shared: str) -> Flow:
    """The flow of a file; `shared` is what flows share, as JSON. Raises ValueError."""
    return Flow(root, path.stem, path, _json(path.name, _text(path, root)), shared)


def _text(path: Path, root: Path) -> str:
    """A file with the ids of its models. Raises ValueError, which names the file."""
    try:
        return models.filled_in(path.read_text(encoding="utf-8"), root)
    except UnicodeDecodeError as error:
        raise ValueError(f"{path.name} is not text in UTF-8: {error}") from None
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from None


def defaults(root: Path = ROOT) -> str:
    """What flows share, as JSON: a copy of the pack that has none has this pack's."""
    path = root / "flows" / f"{DEFAULTS_FILE}.yaml"
    if not path.exists():
        path = ROOT / "flows" / path.name
    return _json(path.name, _text(path, root))


@lru_cache(maxsize=256)
def _json(file: str, text: str) -> str:
    """A file of YAML as JSON."""
    return json.dumps(object_of(file, text))


def modules(value: dict) -> Iterator[dict]:
    """Every module of a flow's value in order, those inside others after them."""
    handlers = [value["failure_module"]] if "failure_module" in value else []
    for module in [*value["modules"], *handlers]:
        yield from _within(module)


def _within(module: dict) -> Iterator[dict]:
    yield module
    for inner in parts(module):
        for one in inner:
            yield from _within(one)


def parts(module: dict) -> list[list[dict]]:
    """The sequences of modules inside a module."""
    value = module["value"]
    if value["type"] in LOOPS:
        return [value["modules"]]
    branches = [branch["modules"] for branch in value.get("branches", [])]
    if value["type"] == "branchone":
        return [*branches, value["default"]]
    return branches


def agent_tools(value: dict) -> list[dict]:
    """The tools of all agents of a flow's value, as the source has them."""
    agents = (m["value"] for m in modules(value) if m["value"]["type"] == "aiagent")
    return [tool for agent in agents for tool in agent["tools"]]


def is_flow(path: str) -> bool:
    """Whether a path in a source means a flow."""
    return path.startswith(("flows/", f"{INNER}/"))


def target(path: str, root: Path = ROOT) -> Operation | Flow:
    """The script or flow that a path in a source means. Raises KeyError, and ValueError
    for a flow that is no YAML."""
    if is_flow(path):
        place = root / (path if path.startswith("flows/") else f"flows/{path}")
        file = place.with_name(f"{place.name}.yaml")
        if file not in _files(root):
            raise KeyError(path)
        return read(file, root, defaults(root))
    return find(path, root)


def rendered(flow: Flow, python: str = PYTHON) -> dict:
    """The content of <name>__flow/flow.yaml."""
    schema = form(flow)
    if pickers(flow.arguments):
        schema["x-windmill-dyn-select-lang"] = "python3"
        schema["x-windmill-dyn-select-code"] = _picker_code(flow, python)
    schema[SCHEMA_KEY] = mark(flow.id)
    return {
        "summary": flow.source["summary"],
        "description": flow.source["description"],
        "value": rendered_value(flow),
        "schema": schema,
    }


def rendered_value(flow: Flow) -> dict:
    """Its `value`: what runs, without the form."""
    value = copy.deepcopy(flow.value)
    for module in modules(value):
        step = module["value"]
        if "path" in step:
            _placed(step)
        if step["type"] == "aiagent":
            step["tools"] = [_tool(given) for given in step["tools"]]
    return as_stored(_chosen(value, flow.arguments))


def _placed(step: dict) -> None:
    """Give a step that runs something its whole path, and the flow's auth."""
    step["input_transforms"] = {"auth": dict(AUTH), **step.get("input_transforms", {})}
    step["path"] = f"{FOLDER}/{step['path']}"


def _tool(given: dict) -> dict:
    """A tool of an agent, in whose summary Windmill looks for the name that the model
    calls; the arguments that are given here the model does not see."""
    value = {"tool_type": "flowmodule", "type": "script", "path": given["path"]}
    value["input_transforms"] = given.get("input_transforms", {})
    _placed(value)
    return {"id": given["id"], "summary": given["id"], "value": value}


def as_stored(value: dict) -> dict:
    """A flow's value with all members that Windmill adds to one when it stores it, so
    that a later push finds no difference. None changes what is run."""
    for module in modules(value):
        step = module["value"]
        if "retry" in module:
            for name in RETRY:
                given = module["retry"].get(name, {})
                delay = RETRY[name] if given.get("attempts") else UNUSED[name]
                module["retry"][name] = {**delay, **given}
        if isinstance(module.get("timeout"), int):
            module["timeout"] = {"type": "static", "value": module["timeout"]}
        for name, default in DEFAULTS.get(step["type"], {}).items():
            step.setdefault(name, default)
        if isinstance(step.get("parallelism"), int):
            step["parallelism"] = {"type": "static", "value": step["parallelism"]}
        for branch in step.get("branches", ()):
            for name, default in BRANCH.items():
                branch.setdefault(name, default)
    return value


def _chosen(value: object, arguments: dict) -> object:
    """A part of a flow in which `flow_input.<picker>` is the model that was chosen, in
    the list or by its id."""
    if isinstance(value, list):
        return [_chosen(inner, arguments) for inner in value]
    if not isinstance(value, dict):
        return value
    found = {key: _chosen(inner, arguments) for key, inner in value.items()}
    if isinstance(found.get("expr"), str):
        for name, member in arguments.items():
            if "x-id-of" in member:
                listed, typed = f"flow_input.{member['x-id-of']}", f"flow_input.{name}"
                found["expr"] = re.sub(
                    rf"\b{re.escape(listed)}\b",
                    f"({listed} === '{OTHER}' ? {typed} : {listed})",
                    found["expr"],
                )
    return found


def _picker_code(flow: Flow, python: str) -> str:
    """What Windmill runs for the choices of a flow's form; pinned, so that opening the
    form resolves no packages."""
    root, parts = flow.root, package_files(flow.root)
    needed = {
        name
        for module in with_own({"catalog"}, root)
        for name in imports(module_text(root, module, parts))[1]
    }
    lines = [f"from {FOLDER.replace('/', '.')}.catalog import choices"]
    for name, schema in pickers(flow.arguments).items():
        lines += ["", "", picker(name, schema)]
    pins = lock(needed, root / "requirements.txt", python)
    return annotated(nested("\n".join(lines) + "\n"), pins)


@dataclass(frozen=True)
class Schedule:
    """A schedule: schedules/<name>.yaml."""

    root: Path
    name: str
    path: Path

    @cached_property
    def source(self) -> dict:
        """What its file says. Raises ValueError for what cannot be read."""
        return object_of(self.path.name, _text(self.path, self.root))


def schedules(root: Path = ROOT) -> Iterator[Schedule]:
    """Every schedule, sorted by name."""
    for path in sorted((root / "schedules").glob("*.yaml")):
        yield Schedule(root, path.stem, path)


def timetable(schedule: Schedule) -> dict:
    """What creates a schedule in f/togetherai: off until somebody turns it on. It is
    no part of the tree, as a push would set a user's schedule back to it."""
    source = schedule.source
    return {
        "summary": source["summary"],
        "description": f"{source['description']}\n\n{mark(schedule.name)}",
        "schedule": source["schedule"],
        "timezone": source["timezone"],
        "cron_version": "v2",
        "script_path": f"{FOLDER}/{source['runs']}",
        "is_flow": is_flow(source["runs"]),
        "enabled": False,
        "no_flow_overlap": True,
        "ws_error_handler_muted": False,
        "args": {"auth": f"$res:{FOLDER}/{RESOURCE}", **source.get("args", {})},
    }


def files(root: Path, python: str = PYTHON) -> dict[str, dict]:
    """What the flows add to the sync tree: path and content."""
    return {
        f"{FOLDER}/{flow.id}__flow/flow.yaml": rendered(flow, python)
        for flow in flows(root)
    }


def taken(root: Path = ROOT) -> set[str]:
    """The ids of everything in the pack that can be run."""
    found = {flow.id for flow in readable(root)}
    return {script.id for script in scripts(root)} | found


def returned(flow: Flow) -> str | None:
    """What a flow returns, in words: its own, or those of its last step. None where
    that one only passes on what it is given."""
    if "returns" in flow.source:
        return flow.source["returns"]
    last = flow.source["value"]["modules"][-1]["value"]
    if last.get("type") != "script" or last["path"] == "waits/finish_flow":
        return None
    step = next((one for one in scripts() if one.id == last["path"]), None)
    return step.schema["x-returns"] if step else None
