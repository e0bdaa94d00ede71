"""Assemble the sync tree that `wmill sync push` deploys: build/."""

import hashlib
import re
import shutil
from functools import cache
from pathlib import Path

import yaml

from tools import flows
from tools.flatten import module_text, parts_of, script_text
from tools.folders import FOLDER, checked, moved
from tools.form import form
from tools.locks import lock, requirements
from tools.operations import (
    ROOT,
    Operation,
    helper_modules,
    imported,
    module_packages,
    packages,
    scripts,
    with_own,
)
from tools.version import mark

RESOURCE_TYPE = "togetherai.resource-type.yaml"

# By its first line a folder is known as a build, which the next build may replace.
BUILT = b"# Built by `./dev build`, which replaces this folder and all that is in it.\n"


def tree(root: Path = ROOT, folder: str = FOLDER) -> dict[str, bytes]:
    """Every file of the sync tree: its path in the tree and its content.

    The same sources give the same bytes. Raises ValueError for a folder that Windmill
    would not take, and for a package that makes no module (tools/flatten.py).
    """
    checked(folder)
    files = {
        "wmill.yaml": _settings(root),
        RESOURCE_TYPE: (root / "resources" / RESOURCE_TYPE).read_bytes(),
    }
    modules = _Modules(root)
    for name, content in modules.texts.items():
        used = frozenset({name})
        own_lock = modules.lock(used, frozenset())
        content += _comment(mark(name))
        files |= _script(f"{FOLDER}/{name}", content, _HELPER, own_lock)
    for script in scripts(root):
        used = frozenset(imported(script.script_path))
        own_lock = modules.lock(used, frozenset(packages(script.script_path)))
        # Windmill keeps a module's text for each version of the script that imports
        # it: a new one only reaches scripts whose own text changed with it. And it
        # may compute the lock anew, from what it takes for the imports, unless told.
        content = _deployed(script).encode() + modules.stamp(used)
        content += _comment(mark(script.id))
        content += requirements(own_lock).encode()
        files |= _script(f"{FOLDER}/{script.id}", content, _about(script), own_lock)
    files |= {path: _yaml(found) for path, found in flows.files(root).items()}
    files = moved(files, folder)
    if folder.startswith("f/"):
        # Of a folder within a folder, this is outside what a push writes: the outer
        # one is the user's, and must be there.
        space = "/".join(folder.split("/")[:2])
        files[f"{space}/folder.meta.yaml"] = _yaml({"summary": "Together AI"})
    files["wmill-lock.yaml"] = _hashes(files)
    return dict(sorted(files.items()))


class _Modules:
    """The modules that scripts share, and what a script gets for those it imports."""

    def __init__(self, root: Path) -> None:
        self.texts = {
            name: module_text(root, name).encode() for name in helper_modules(root)
        }
        all_of = cache(lambda used: sorted(with_own(used, root)))

        @cache
        def stamp(used: frozenset[str]) -> bytes:
            """The line that changes with any of the modules, and with any that these
            may load."""
            content = b"".join(self.texts[name] for name in all_of(used))
            return _comment(f"helper {hashlib.sha256(content).hexdigest()[:12]}")

        @cache
        def lock_of(used: frozenset[str], own: frozenset[str]) -> str:
            needed = own.union(*(module_packages(n, root) for n in all_of(used)))
            return lock(needed, root / "requirements.txt")

        self.stamp, self.lock = stamp, lock_of


def _deployed(script: Operation) -> str:
    text = script.script_path.read_text(encoding="utf-8")
    return script_text(text, (script.group, script.name), parts_of(script.root))


_HELPER = {
    "summary": "Together AI helper",
    "description": "What the scripts of this folder share; nothing to run.",
    "schema": {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "order": [],
        "properties": {},
        "required": [],
    },
}


def build(target: Path, root: Path = ROOT, folder: str = FOLDER) -> int:
    """Write the tree to a directory, replacing what was there; return how many files.

    Refuses to replace a directory that no build made.
    """
    files = tree(root, folder)
    if target.exists() and any(target.iterdir()):
        settings = target / "wmill.yaml"
        made_here = settings.exists() and settings.read_bytes().startswith(BUILT)
        if not made_here or (target / ".git").exists():
            raise ValueError(
                f"{target} is not empty and no build: choose another place"
            )
        shutil.rmtree(target)
    for path, content in files.items():
        place = target / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    return len(files)


def _about(operation: Operation) -> dict:
    step = operation.step or {}
    return {
        **{key: step[key] for key in ("kind", "timeout") if key in step},
        "summary": operation.schema["title"],
        "description": operation.schema["description"],
        "schema": form(operation),
    }


def _script(path: str, content: bytes, about: dict, lock: str) -> dict[str, bytes]:
    settings = {
        "summary": about["summary"],
        "description": about["description"],
        "lock": f"!inline {path}.script.lock",
        "kind": about.get("kind", "script"),
        "schema": about["schema"],
    }
    if "timeout" in about:
        settings["timeout"] = about["timeout"]
    return {
        f"{path}.py": content,
        f"{path}.script.yaml": _yaml(settings),
        f"{path}.script.lock": lock.encode(),
    }


def _comment(text: str) -> bytes:
    return f"# {text}\n".encode()


def _settings(root: Path) -> bytes:
    return BUILT + _yaml(yaml.safe_load((root / "wmill.yaml").read_text()))


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
    return _yaml({"version": "v2", "locks": dict(sorted(locks.items()))})


class _Dumper(yaml.SafeDumper):
    """YAML 1.1 is what PyYAML writes and 1.2 what Windmill reads: in the latter, text
    such as 1e-05 is a number unless it is quoted."""

    def represent_text(self, text: str) -> yaml.ScalarNode:
        number = r"[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?|0o[0-7]+|0x[\da-fA-F]+"
        style = "'" if re.fullmatch(number, text) else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _Dumper.represent_text)


def _yaml(value: dict) -> bytes:
    text = yaml.dump(
        value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000
    )
    return text.encode()
