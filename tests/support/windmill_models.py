"""Judge what a push sends by Windmill's own models of its API: PyPI's `windmill-api`.

The package is installed for the slow tests only, into tests/windmill/.python, and
without what it requires: its models need attrs and dateutil alone, while the HTTP
client of its age cannot live beside the one that the official Together SDK brings.
"""

import ast
import importlib
import inspect
import re
import subprocess
import sys
import traceback
from enum import Enum
from functools import cache
from pathlib import Path
from typing import get_type_hints

from filelock import FileLock
from pydantic import ConfigDict, TypeAdapter, ValidationError

WINDMILL = Path(__file__).parents[1] / "windmill"
PACKAGES = WINDMILL / ".python"
MODELS = "windmill_api.models"

# What the server writes itself, into a flow or type that it stores, though its own
# description has no such member, or none that is null (server_form.py).
WRITTEN = {
    "BranchOneBranchesItem": {"skip_failure", "parallel"},
    # The command line sends these too; the server passes over them.
    "UpdateScheduleJsonBody": {"script_path", "is_flow", "enabled"},
}
NULL = {"error_message", "format_extension"}

# The generator of the models drops the referenced half of an allOf, ...
REFERENCED = {
    "CreateFlowJsonBody": "OpenFlowWPath",
    "UpdateFlowJsonBody": "OpenFlowWPath",  # the server takes the path there too
}

# ... so also of a script among an agent's tools, which is a step, ...
TOOL = "AiAgentToolsItemValueType0"

# ... and makes Any of the union of a flow's steps, which their `type` tells apart.
STEPS = (
    "ai_agent",
    "branch_all",
    "branch_one",
    "forloop_flow",
    "identity",
    "path_flow",
    "path_script",
    "raw_script",
    "whileloop_flow",
)


def install() -> None:
    """Install what requirements.txt pins, unless it is there in just those versions."""
    pins = (WINDMILL / "requirements.txt").read_text()
    stamp = PACKAGES / "installed.txt"
    with FileLock(WINDMILL / ".python.lock"):
        _install(pins, stamp)
    if str(PACKAGES) not in sys.path:
        sys.path.append(str(PACKAGES))


def _install(pins: str, stamp: Path) -> None:
    if not stamp.exists() or stamp.read_text() != pins:
        words = ("install", "--quiet", "--disable-pip-version-check", "--upgrade")
        place = ("--no-deps", "--target", str(PACKAGES))
        locked = ("--require-hashes", "-r", "requirements.txt")
        pip = [sys.executable, "-m", "pip", *words, *place, *locked]
        subprocess.run(pip, cwd=WINDMILL, check=True)
        stamp.write_text(pins)


def problems(method: str, path: str, payload: object) -> list[str]:
    """What the description of Windmill's API does not know of a call: unknown, missing
    and mistyped members, each with its place. `path` is the URL's, after /api."""
    for known, pattern, module in _calls():
        if known == method and re.fullmatch(pattern, path):
            found = inspect.get_annotations(importlib.import_module(module)._get_kwargs)
            if "json_body" in found:
                wrong = _read(found["json_body"], payload, "body")
            else:
                wrong = ["takes no body"] if payload else []
            return [f"{method} {path}: {problem}" for problem in wrong]
    return [f"{method} {path}: no such call"]


@cache
def _calls() -> list[tuple[str, str, str]]:
    """Every call of the API: its method, a pattern of its path, its Python module."""
    found = []
    for file in sorted((PACKAGES / "windmill_api" / "api").glob("*/*.py")):
        text = file.read_text(encoding="utf-8")
        url = re.search(r'"url": "([^"]+)"', text)
        if url:
            method = re.search(r'"method": "(\w+)"', text)[1].upper()
            pattern = re.sub(r"{(\w+)}", _placeholder, url[1])
            name = f"windmill_api.api.{file.parent.name}.{file.stem}"
            found.append((method, pattern, name))
    assert found, f"no calls in {PACKAGES}"
    return found


def _placeholder(match: re.Match) -> str:
    return "(.+)" if match[1] == "path" else "([^/]+)"


def _read(model: type, payload: object, where: str) -> list[str]:
    """Read a payload with a model, then compare each member with its annotation."""
    try:
        read = model.from_dict(payload)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return [f"{where}{_place(error)}: {type(error).__name__} {error}".rstrip()]
    return _judge(read, where)


def _place(error: Exception) -> str:
    """Where reading failed: the models below, and what the last of them was given."""
    place, given = "", None
    for frame, _ in traceback.walk_tb(error.__traceback__):
        variables = frame.f_locals
        if "src_dict" in variables:
            place = f" in {variables['cls'].__name__}"
            given = variables["src_dict"]
        elif "data" in variables:
            given = variables["data"]
    return f"{place}, given {given!r:.80}"


def _judge(read: object, where: str) -> list[str]:
    """Judge one instance of a model, and those that it holds."""
    model = type(read)
    hints = _hints(model)
    rest = read.additional_properties
    if model.__name__ in REFERENCED:
        return _read(_model(REFERENCED[model.__name__]), rest, where)
    if model.__name__ == TOOL:
        return _step(rest, where)
    if len(hints) > 1:
        known = WRITTEN.get(model.__name__, ())
        found = [f"{where}.{name} is unknown" for name in rest if name not in known]
    else:
        found = [p for n, v in rest.items() for p in _nested(v, f"{where}.{n}")]
    for name, hint in hints.items():
        if name == "additional_properties":
            continue
        value, place = getattr(read, name), f"{where}.{name}"
        if value is None and name in NULL:
            continue
        try:
            _adapter(hint).validate_python(value, strict=True)
        except ValidationError as error:
            found.append(f"{place} is {value!r:.60}: {error.errors()[-1]['msg']}")
        else:
            if name == "value" and {"id", "stop_after_if"} <= hints.keys():
                found += _step(value, place)
            found += _nested(value, place)
    return found


def _nested(value: object, where: str) -> list[str]:
    if isinstance(value, list):
        return [p for n, v in enumerate(value) for p in _nested(v, f"{where}[{n}]")]
    return _judge(value, where) if hasattr(value, "additional_properties") else []


def _step(value: object, where: str) -> list[str]:
    """The value of a flow's module."""
    kind = value.get("type") if isinstance(value, dict) else value
    for name in STEPS:
        words = importlib.import_module(f"{MODELS}.{name}_type")
        enum = next(v for v in vars(words).values() if _is_enum(v))
        if kind in [word.value for word in enum]:
            camel = enum.__name__.removesuffix("Type")
            return _read(_model(camel), value, where)
    return [f"{where}.type is {kind!r}: no kind of step"]


def _is_enum(value: object) -> bool:
    return inspect.isclass(value) and issubclass(value, Enum) and value is not Enum


def _model(name: str) -> type:
    words = re.findall(r"[A-Z]+(?=[A-Z][a-z])|[A-Z][a-z]*|\d+", name)
    module = importlib.import_module(f"{MODELS}.{'_'.join(words).lower()}")
    return getattr(module, name)


@cache
def _hints(model: type) -> dict[str, object]:
    return get_type_hints(model, localns=_Imports(model))


@cache
def _adapter(hint: object) -> TypeAdapter:
    return TypeAdapter(hint, config=ConfigDict(arbitrary_types_allowed=True))


class _Imports(dict):
    """The names that a model's module imports for type checkers only."""

    def __init__(self, model: type) -> None:
        module = sys.modules[model.__module__]
        for node in ast.walk(ast.parse(inspect.getsource(module))):
            if isinstance(node, ast.ImportFrom) and node.level == 2:
                for name in node.names:
                    package = f"windmill_api.{node.module}"
                    found = importlib.import_module(package)
                    self[name.name] = getattr(found, name.name)
