"""Skeletons of what a contributor adds: an operation, a step above the API, a flow.

Each has a TODO wherever a person must write, and works once these are replaced; `check`
refuses every one that is left.
"""

import json
import keyword
import re
from pathlib import Path

from tools.checks.schema_checks import rules_of
from tools.operations import ROOT, operations
from tools.schemas.shelves import FILE as SHELVES
from tools.schemas.shelves import shelves

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)+")
GROUP = re.compile(r"[a-z][a-z0-9_]*")
RESERVED = ("flows", "inner", "recipes")  # groups of what is no script
DRAFT = "https://json-schema.org/draft/2020-12/schema"
TODO = "TODO"
LAYERS = "tools/checks/layers.py"
FLOW_TESTS = "tests/test_flows.py"
SKELETONS = Path(__file__).parent / "skeletons"


def operation(root: Path, id: str, method: str, path: str) -> dict[str, str]:
    """Files, by their place in the pack, that a new operation begins with. Raises
    ValueError for what is no request, and for a name that is none or taken."""
    place = _schema_place(root, id)
    schema = _operation_schema(method.upper(), path)
    same = method.upper(), re.sub(r"{\w+}", "{}", path)
    for one in operations(root):
        about = one.exchange
        if (about["method"], re.sub(r"{\w+}", "{}", about["path"])) == same:
            raise ValueError(f"{method.upper()} {path} is {one.id} already")
    return {place: schema}


def step(
    root: Path, id: str, heading: str, module: str | None = None
) -> dict[str, str]:
    """Files that a new step begins with: its schema, a module of its own whose function
    works, a test of it, and its places in the lists of layers and of headings.
    Raises ValueError."""
    place = _schema_place(root, id)
    name = id.partition("/")[2]
    module = module or f"{name.partition('_')[0]}_steps"
    if not NAME.fullmatch(module) or not module.endswith("_steps"):
        raise ValueError(f"--module {module}: a module of steps is named <what>_steps")
    places = (f"scripts/{module}.py", f"scripts/{module}", f"tests/test_{module}.py")
    taken = [found for found in places if (root / found).exists()]
    if taken:
        words = f"{taken[0]} exists: name another module with --module, such as"
        raise ValueError(f"{words} {name}_steps")
    names = {"__ID__": id, "__NAME__": name, "__MODULE__": module}
    return {
        place: _step_schema(),
        f"scripts/{module}.py": _filled("step_module.py.txt", names),
        f"tests/test_{module}.py": _filled("step_test.py.txt", names),
        SHELVES: _shelved(root, id, heading),
        LAYERS: _layered((root / LAYERS).read_text(encoding="utf-8"), module),
    }


def flow(root: Path, name: str) -> dict[str, str]:
    """Files that a new flow begins with: its source, and two cases for it. Raises
    ValueError."""
    _checked_name(root, name)
    place = f"flows/{name}.yaml"
    cases = (root / FLOW_TESTS).read_text(encoding="utf-8")
    names = {"__NAME__": name}
    return {
        place: _filled("flow.yaml", names),
        FLOW_TESTS: cases + "\n\n" + _filled("flow_cases.py.txt", names),
    }


def _schema_place(root: Path, id: str) -> str:
    group, _, name = id.partition("/")
    if not GROUP.fullmatch(group):
        raise ValueError(
            f"{group!r} is no name of a group: small letters, such as files"
        )
    if group in RESERVED or keyword.iskeyword(group):
        raise ValueError(f"{group!r} can be no group: the pack or Python means another")
    for other in (f"scripts/{group}.py", f"scripts/{group}/__init__.py"):
        if (root / other).exists():
            raise ValueError(
                f"{group!r} can be no group: {other} is a module that scripts share"
            )
    _checked_name(root, name)
    return f"schemas/{group}/{name}.json"


def _checked_name(root: Path, name: str) -> None:
    """Raise ValueError for what is no name, and for one that is taken: people and
    agents know a script or flow by it alone."""
    if not NAME.fullmatch(name):
        words = "a verb and a noun in small letters, such as get_file"
        raise ValueError(f"{name!r} is no name here: {words}")
    taken = [
        path.relative_to(root).as_posix()
        for pattern in ("schemas/*/{}.json", "flows/**/{}.yaml", "recipes/{}.yaml")
        for path in sorted(root.glob(pattern.format(name)))
    ]
    if taken:
        raise ValueError(f"{taken[0]} exists: take another name")


def _filled(skeleton: str, names: dict[str, str]) -> str:
    text = (SKELETONS / skeleton).read_text(encoding="utf-8")
    for word, name in names.items():
        text = text.replace(word, name)
    return text


def _operation_schema(method: str, path: str) -> str:
    if method not in METHODS:
        raise ValueError(f"{method} is no method; there are: {', '.join(METHODS)}")
    rule = rules_of(ROOT)["properties"]["x-operation"]["properties"]["path"]
    if not re.fullmatch(rule["pattern"], path):
        raise ValueError(f"{path!r}: {rule['$comment']}")
    properties = {
        name: {
            "title": TODO,
            "description": TODO,
            "type": "string",
            "minLength": 1,
            "x-in": "path",
        }
        for name in re.findall(r"{(\w+)}", path)
    }
    required = list(properties)
    if method in ("POST", "PUT", "PATCH"):
        properties["body"] = {
            "title": "Request",
            "description": "What the request says; only what is filled in is sent.",
            "type": "object",
            "properties": {
                TODO: {"title": TODO, "description": TODO, "type": "string"},
            },
        }
    example = dict.fromkeys(required, TODO)
    retry = {"GET": "read", "POST": "creates"}.get(method, "mutates")
    schema = {
        "$schema": DRAFT,
        "title": TODO,
        "description": "TODO: what it does, when to use it, what must exist first.",
        "x-operation": {"method": method, "path": path, "retry": retry},
        "type": "object",
        "properties": properties,
        **({"required": required} if required else {}),
        "x-returns": "TODO: what comes back, and what one needs of it next.",
        "examples": [example],
        "x-reply": "TODO: an answer of the service, as JSON: what the sandbox says",
    }
    return json.dumps(schema, indent=1) + "\n"


def _step_schema() -> str:
    text = "TODO: a text as a person would give it."
    schema = {
        "$schema": DRAFT,
        "title": TODO,
        "description": "TODO: what it does, and when to use it.",
        "x-step": "script",
        "type": "object",
        "properties": {
            "text": {
                "title": "Text",
                "description": "TODO: what this text is.",
                "type": "string",
                "minLength": 1,
                "x-form": {"rows": 6},
            },
            "model": {
                "title": "Model",
                "description": "The chat model that is asked. Left empty, a "
                "recommended one of moderate price from the catalogue.",
                "type": "string",
                "minLength": 1,
                "x-models": "chat",
            },
            "max_tokens": {
                "title": "Longest answer",
                "description": "Tokens after which the answer is cut.",
                "type": "integer",
                "minimum": 1,
                "default": 1000,
            },
        },
        "required": ["text"],
        "x-returns": "TODO: the text, usage and cost_usd.",
        "examples": [
            {"text": text},
            {"text": text, "model": "<model:chat>", "max_tokens": 200},
        ],
    }
    return json.dumps(schema, indent=1) + "\n"


def _shelved(root: Path, id: str, heading: str) -> str:
    """The headings, with a step under one of them."""
    known = list(shelves(root))
    if heading not in known:
        raise ValueError(
            f"there is no heading {heading!r}; there are: {'; '.join(known)}"
        )
    lines = (root / SHELVES).read_text(encoding="utf-8").splitlines()
    at = lines.index(f"{heading}:") + 1
    while at < len(lines) and lines[at].startswith("  - "):
        at += 1
    return "\n".join([*lines[:at], f"  - {id}", *lines[at:]]) + "\n"


def _layered(text: str, module: str) -> str:
    """The table of layers, with a module among those of the steps."""
    head, steps, tail = text.partition('        "steps",\n')
    if not steps:
        raise ValueError(f"{LAYERS} has no layer of steps")
    names, end, rest = tail.partition("    ),\n")
    listed = names.splitlines()
    # They stand by their last word, without the folder; what is there stays there.
    later = [at for at, line in enumerate(listed) if _last(line) > module]
    listed.insert(later[0] if later else len(listed), f'        "{module}",')
    return head + steps + "\n".join(listed) + "\n" + end + rest


def _last(line: str) -> str:
    return line.strip(' ",').rpartition("/")[2]
