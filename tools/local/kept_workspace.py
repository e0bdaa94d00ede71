"""What a workspace that stands in for Windmill keeps from run to run: a folder with the
objects of its storage as files, and index.json with what triggers and runs remember.
"""

import json
import os
import re
import shutil
from pathlib import Path

from tools.local.fake_workspace import StoredObject, Workspace

INDEX = "index.json"


def check(folder: Path) -> None:
    """Make the folder, and see that it is one of ours or empty, and can be written to:
    before anything is paid for. Raises ValueError, OSError."""
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"--workspace {folder} is a file: give an empty or new folder")
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ValueError(f"{folder} cannot be written to")
    if not (folder / INDEX).exists() and any(folder.iterdir()):
        raise ValueError(f"{folder} holds other things: take an empty or a new folder")
    _read(folder)


def load(workspace: Workspace, folder: Path) -> None:
    """Put what was kept into a workspace. Raises ValueError for a broken index."""
    found = _read(folder)
    workspace.resources.update(found["resources"])
    for entry in found["objects"]:
        kept = folder / entry["file"]
        if kept.exists():
            place = workspace.file(entry["key"], entry["storage"])
            shutil.copyfile(kept, place)
            stored = workspace.objects[entry["storage"], entry["key"]]
            stored.content_type = entry["content_type"]


def keep(workspace: Workspace, folder: Path) -> None:
    """Write what a workspace holds, in place of what was kept before."""
    before = {entry["file"] for entry in _read(folder)["objects"]}
    entries: list[dict] = []
    taken = {INDEX}
    for (storage, key), stored in workspace.objects.items():
        if stored.example:
            continue
        name = _free(Path(key).name, taken)
        entries.append(_entry(storage, key, stored, name))
        part = folder / f".{name}.part"
        shutil.copyfile(stored.file, part)
        part.replace(folder / name)
    index = {"resources": workspace.resources, "objects": entries}
    part = folder / f".{INDEX}.part"
    part.write_text(json.dumps(index, indent=1), encoding="utf-8")
    part.replace(folder / INDEX)
    for name in before - taken:
        (folder / name).unlink(missing_ok=True)


def _entry(storage: str, key: str, stored: StoredObject, file: str) -> dict:
    kind = stored.content_type
    return {"storage": storage, "key": key, "file": file, "content_type": kind}


def _free(name: str, taken: set[str]) -> str:
    """A name of a file that no other object has."""
    name = re.sub(r"[^\w. -]", "_", name).lstrip(".")[-100:] or "object"
    found, number = name, 1
    while found in taken:
        number += 1
        found = f"{number}-{name}"
    taken.add(found)
    return found


def _read(folder: Path) -> dict:
    try:
        found = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        names = [entry["file"] for entry in found["objects"]]
        if any(Path(name).name != name for name in names):
            raise ValueError("a file elsewhere")
        return {"resources": dict(found["resources"]), "objects": found["objects"]}
    except FileNotFoundError:
        return {"resources": {}, "objects": []}
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{folder / INDEX} is broken: take another folder") from None
