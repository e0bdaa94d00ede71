"""Assemble the sync tree that `wmill sync push` deploys: build/."""

import hashlib
import re
import shutil
from collections.abc import Callable
from functools import cache
from importlib import metadata
from pathlib import Path

import yaml

from tools.form import form
from tools.operations import (
    ROOT,
    Operation,
    helper_modules,
    imported,
    scripts,
    with_own,
)

FOLDER = "f/togetherai"
PYTHON = "# py: 3.11\n"
RESOURCE_TYPE = "togetherai.resource-type.yaml"


def tree(root: Path = ROOT, folder: str = FOLDER) -> dict[str, bytes]:
    """Every file of the sync tree: its path in the tree and its content.

    The same sources give the same bytes. Raises ValueError for a folder that Windmill
    would not take.
    """
    if not re.fullmatch(r"[fu]/\w+(/\w+)*", folder):
        raise ValueError(
            f"{folder!r} is no Windmill folder: take f/name or u/user/name"
        )
    files = {
        "wmill.yaml": _settings(root, folder),
        RESOURCE_TYPE: (root / "resources" / RESOURCE_TYPE).read_bytes(),
    }
    if folder.startswith("f/"):
        space = "/".join(folder.split("/")[:2])
        files[f"{space}/folder.meta.yaml"] = _yaml({"summary": "Together AI"})
    locks = {
        True: worker_lock(root, "websockets"),
        False: worker_lock(root),
    }
    modules = {
        name: (root / "scripts" / f"{name}.py").read_bytes()
        for name in helper_modules(root)
    }
    for name, content in modules.items():
        lock = locks[name == "realtime"]
        files |= _script(f"{folder}/{name}", content, _HELPER, lock)
    # Windmill keeps a module's text for each version of the script that imports it:
    # a new one only reaches scripts whose own text changed with it.
    hashes = _stamps(root, modules)
    for script in scripts(root):
        path = f"{folder}/{script.id}"
        used = frozenset(imported(script.script_path))
        content = script.script_path.read_bytes() + hashes(used)
        files |= _script(path, content, _about(script), locks["realtime" in used])
    files["wmill-lock.yaml"] = _hashes(files)
    return dict(sorted(files.items()))


def _stamps(root: Path, modules: dict[str, bytes]) -> Callable:
    """A function from the modules that a script imports to the line that changes with
    any of them, and with any that these may load."""

    @cache
    def stamp(used: frozenset[str]) -> bytes:
        content = b"".join(modules[name] for name in sorted(with_own(used, root)))
        return f"# helper {hashlib.sha256(content).hexdigest()[:12]}\n".encode()

    return stamp


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
        if not (target / "wmill.yaml").exists():
            raise ValueError(
                f"{target} is not empty and no build: choose another place"
            )
        shutil.rmtree(target)
    for path, content in files.items():
        place = target / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    return len(files)


def worker_lock(root: Path = ROOT, *more: str) -> str:
    """The lock of a script: requests and what it brings, pinned as in requirements.txt,
    so that the server resolves nothing; `more` names further packages."""
    pins = dict(
        line.split("==")
        for line in (root / "requirements.txt").read_text().split()
        if "==" in line
    )
    needed = ["requests", *more]
    for name in needed:
        for requirement in metadata.requires(name) or []:
            if "extra ==" not in requirement:
                brought = re.match(r"[\w.-]+", requirement)[0].lower().replace("_", "-")
                if brought not in needed:
                    needed.append(brought)
    return PYTHON + "".join(f"{name}=={pins[name]}\n" for name in sorted(needed))


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


def _settings(root: Path, folder: str) -> bytes:
    settings = yaml.safe_load((root / "wmill.yaml").read_text())
    settings["includes"] = [f"{folder}/**"]
    return _yaml(settings)


def _hashes(files: dict[str, bytes]) -> bytes:
    """wmill-lock.yaml: what the CLI compares to see whether a form is up to date."""
    locks = {}
    for path, content in files.items():
        if path.endswith(".py"):
            name = path.removesuffix(".py")
            text = b"{}" + content + files[f"{name}.script.yaml"]
            locks[name] = hashlib.sha256(text).hexdigest()
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
