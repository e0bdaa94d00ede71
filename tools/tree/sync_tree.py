"""Assemble the sync tree that `wmill sync push` deploys: build/."""

import ast
import hashlib
import re
import shutil
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tools.flows import pack_flows
from tools.kept import save
from tools.operations import (
    ROOT,
    Operation,
    imports,
    scripts,
)
from tools.schemas.form import form
from tools.syntax import parsed
from tools.target_folder import FOLDER, checked, moved
from tools.tree.flatten import module_texts, package_files, script_text
from tools.tree.locks import PYTHON, annotated, lock
from tools.tree.nesting import nested
from tools.version import mark
from tools.yaml_text import dump, load

RESOURCE_TYPE = "togetherai.resource-type.yaml"
SUMMARY = "Together AI"  # of the folder

# By the first line of this file a folder is known as a build, which the next build
# may replace.
MARKED = "wmill.yaml"
BUILT = b"# Built by `./dev build`, which replaces this folder and all that is in it.\n"

# The version of Windmill from which on a flow that it gives back has no error_message
# that is null (its change 9583).
LEAVES_NULL_OUT = (1, 725, 1)
# The command line writes wmill-lock.yaml in the order of JavaScript's localeCompare:
# of what is in names, these come first, and in this order.
COLLATION = str.maketrans("_/+", "\1\2\3")


def tree(
    root: Path = ROOT, folder: str = FOLDER, python: str = PYTHON
) -> dict[str, bytes]:
    """Every file of the sync tree: its path in the tree and its content.

    The same sources give the same bytes. `python` is the version that the scripts run
    on. Raises ValueError for a folder that Windmill would not take, a version on which
    the pack does not run, and a package that makes no module (tools/tree/flatten.py).
    """
    checked(folder)
    files = {
        MARKED: _settings(root),
        RESOURCE_TYPE: _resource_type(root),
    }
    files |= _scripts(root, python)
    files |= {
        path: dump(found) for path, found in pack_flows.files(root, python).items()
    }
    files = moved(files, folder)
    if folder.startswith("f/"):
        # No push writes it (wmill.yaml: skipFolders), but one by a user who is no admin
        # stops without it. Of a folder within a folder, the outer one is the user's.
        space = "/".join(folder.split("/")[:2])
        about = {"summary": SUMMARY} if space == folder else {}
        files[f"{space}/folder.meta.yaml"] = dump(about)
    files["wmill-lock.yaml"] = _hashes(files)
    return dict(sorted(files.items()))


def built(text: str, id: str, own_lock: str, *comments: str) -> bytes:
    """What is deployed for the text of a script or module: what Windmill reads of it
    when it comes to imports, Python and packages, and whose version it is."""
    last = "".join(f"# {comment}\n" for comment in (*comments, mark(id)))
    try:
        return annotated(nested(text) + last, own_lock).encode()
    except ValueError as error:
        raise ValueError(f"{id}: {error}") from error


def code(root: Path = ROOT, python: str = PYTHON) -> dict[str, tuple[bytes, str]]:
    """The text and the lock of every script, and of the modules that these share, by
    their ids, modules first. Raises as tree() does."""
    modules = _Modules(root, python)
    parts = package_files(root)
    found = {}
    for name, text in modules.texts.items():
        own_lock = modules.lock(frozenset({name}), frozenset())
        found[name] = built(text, name, own_lock), own_lock
    for script in scripts(root):
        text = script.script_path.read_text(encoding="utf-8")
        text = script_text(text, (script.group, script.name), parts)
        used, own = imports(text)
        own_lock = modules.lock(used, own)
        # Windmill keeps a module's text for each version of the script that imports
        # it: a new one only reaches scripts whose own text changed with it.
        content = built(text, script.id, own_lock, modules.stamp(used))
        found[script.id] = content, own_lock
    save()
    return found


def _scripts(root: Path, python: str) -> dict[str, bytes]:
    """The files of all scripts and of the modules that they share."""
    known = {script.id: script for script in scripts(root)}
    files = {}
    for id, (text, own_lock) in code(root, python).items():
        about = _about(known[id]) if id in known else _helper(text)
        files |= _script(id, text, about, own_lock)
    return files


class _Modules:
    """The modules that scripts share, and what a script gets for those it imports."""

    def __init__(self, root: Path, python: str) -> None:
        self.texts = module_texts(root)

        @cache
        def all_of(used: frozenset[str]) -> list[str]:
            """Modules and those that they may load themselves."""
            found: set[str] = set()
            waiting = set(used)
            while waiting:
                found.add(name := waiting.pop())
                waiting |= imports(self.texts[name])[0] - found
            return sorted(found)

        @cache
        def stamp(used: frozenset[str]) -> str:
            """The words that change with any of the modules, and with any that these
            may load."""
            content = "".join(self.texts[name] for name in all_of(used)).encode()
            return f"helper {hashlib.sha256(content).hexdigest()[:12]}"

        @cache
        def lock_of(used: frozenset[str], own: frozenset[str]) -> str:
            needed = own.union(*(imports(self.texts[n])[1] for n in all_of(used)))
            return lock(needed, root / "requirements.txt", python)

        self.stamp, self.lock = stamp, lock_of


def _helper(text: bytes) -> dict:
    """What is said of a module: the first line of its docstring."""
    lines = (ast.get_docstring(parsed(text.decode())) or "").splitlines()
    return {
        "kind": "script",
        "summary": lines[0].rstrip(".") if lines else "Together AI helper",
        "description": "What the scripts of this folder share; nothing to run.",
        "schema": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "order": [],
            "properties": {},
            "required": [],
        },
    }


def build(
    target: Path, root: Path = ROOT, folder: str = FOLDER, python: str = PYTHON
) -> int:
    """Write the tree to a directory, replacing what was there; return how many files.

    Refuses to replace a directory that no build made. What stops in the middle leaves
    what was there, or what the next build may replace.
    """
    files = tree(root, folder, python)
    if target.exists() and any(target.iterdir()):
        settings = target / MARKED
        made_here = settings.exists() and settings.read_bytes().startswith(BUILT)
        if not made_here or (target / ".git").exists():
            raise ValueError(
                f"{target} is not empty and no build: choose another place"
            )
    target = target.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    words = {"prefix": f".{target.name}-", "dir": target.parent}
    with TemporaryDirectory(**words) as beside:
        new, old = Path(beside, "new"), Path(beside, "old")
        old.mkdir()
        for path, content in files.items():
            place = new / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        _put(new, target, old)
    return len(files)


def _put(new: Path, target: Path, old: Path) -> None:
    """Move what is in a folder to the target, and what was there out of it. The folder
    stays itself: a shell may be in it. Its mark is there all the time."""
    target.mkdir(exist_ok=True)
    for place in list(target.iterdir()):
        if place.name != MARKED:
            shutil.move(place, old / place.name)
    shutil.move(new / MARKED, target / MARKED)
    for place in list(new.iterdir()):
        shutil.move(place, target / place.name)


def fit_server(target: Path, version: str) -> None:
    """Let the flows of a build be what a server of a version, such as "1.713.1", gives
    back: else each push would find a difference."""
    numbers = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
    if not numbers or tuple(map(int, numbers.groups())) >= LEAVES_NULL_OUT:
        return
    for file in target.rglob("*__flow/flow.yaml"):
        flow = load(file.read_text(encoding="utf-8"))
        for module in pack_flows.modules(flow["value"]):
            if "stop_after_if" in module:
                module["stop_after_if"].setdefault("error_message", None)
        file.write_bytes(dump(flow))


def _about(operation: Operation) -> dict:
    return {
        "kind": operation.step or "script",
        "summary": operation.schema["title"],
        "description": operation.schema["description"],
        "schema": form(operation),
    }


def _script(id: str, content: bytes, about: dict, lock: str) -> dict[str, bytes]:
    path = f"{FOLDER}/{id}"
    settings = {
        "summary": about["summary"],
        "description": about["description"],
        "lock": f"!inline {path}.script.lock",
        "kind": about["kind"],
        "schema": about["schema"],
    }
    return {
        f"{path}.py": content,
        f"{path}.script.yaml": dump(settings),
        f"{path}.script.lock": lock.encode(),
    }


def _resource_type(root: Path) -> bytes:
    """The hub's resource type, and what Windmill adds when it stores one, so that a
    later push finds no difference."""
    found = load((root / "resources" / RESOURCE_TYPE).read_text())
    return dump({**found, "format_extension": None, "is_fileset": False})


def _settings(root: Path) -> bytes:
    return BUILT + dump(load((root / "wmill.yaml").read_text()))


def _hashes(files: dict[str, bytes]) -> bytes:
    """wmill-lock.yaml: what the CLI compares to see whether a form is up to date."""
    locks = {}
    for path, content in files.items():
        if path.endswith(".py"):
            name = path.removesuffix(".py")
            text = b"{}" + content + files[f"{name}.script.yaml"]
            locks[name] = hashlib.sha256(text).hexdigest()
        elif path.endswith("__flow/flow.yaml"):
            name = f"{path.removesuffix('/flow.yaml')}+__flow_hash"
            locks[name] = hashlib.sha256(b"{}").hexdigest()  # no script of its own
    in_order = sorted(locks, key=lambda name: name.translate(COLLATION))
    return dump({"version": "v2", "locks": {name: locks[name] for name in in_order}})
