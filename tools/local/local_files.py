"""Files of this machine as arguments of `./dev run`: `@voice.wav` where a step takes a
file, and --file recording=voice.wav for any argument.

They go into the storage of the workspace that stands in for Windmill, and the step gets
the object, as a flow would give it. An argument that takes no file gets the text.
"""

import base64
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.table_files.encodings import BadTextError, texts

if TYPE_CHECKING:
    from tools.local.fake_workspace import Workspace

GIVEN = "given/"  # where a file of this machine lies in the stand-in's storage
Store = Callable[[Path], dict]


def with_files(given: dict, named: list[str], members: dict, store: Store) -> dict:
    """The arguments, files of this machine among them.

    given    what --args said; `@path` stands for a file where one is taken
    named    NAME=PATH of each --file; NAME may be a member of an object: body.file
    members  the schemas of the arguments, by name
    store    puts a file into the storage and returns its object

    Raises ValueError, OSError.
    """
    found = {
        name: _replaced(value, members.get(name, {}), store)
        for name, value in given.items()
    }
    for word in named:
        name, sign, path = word.partition("=")
        if not sign or not path:
            raise ValueError(
                f"--file {word}: give NAME=PATH, as in recording=voice.wav"
            )
        *outer, last = name.split(".")
        place, member = found, {"properties": members}
        for part in outer:
            place = place.setdefault(part, {})
            member = member.get("properties", {}).get(part, {})
            if not isinstance(place, dict):
                raise ValueError(f"--file {word}: {part} is no object")
        member = member.get("properties", {}).get(last)
        if member is None:
            known = ", ".join(members)
            raise ValueError(f"--file {word}: no argument {name}; there are: {known}")
        place[last] = _content(Path(path).expanduser(), member, store)
    return found


def store_in(workspace: "Workspace | None") -> Store:
    """What puts a file into the storage of the stand-in for Windmill. Within a job of a
    real Windmill (None), the step gets the bytes."""

    def store(path: Path) -> dict:
        with path.open("rb") as file:
            if workspace is None:
                content = base64.b64encode(file.read()).decode()
                return {"file": content, "filename": path.name}
            key = f"{GIVEN}{path.name}"
            number = 0
            while ("", key) in workspace.objects:
                number += 1
                key = f"{GIVEN}{number}/{path.name}"
            with workspace.file(key).open("wb") as copy:
                shutil.copyfileobj(file, copy)
            return {"s3": key}

    return store


def _content(path: Path, member: dict, store: Store) -> object:
    if takes_file(member):
        return store(path)
    if takes_file(member.get("items", {})):
        return [store(path)]
    try:
        return "".join(texts([path.read_bytes()]))
    except BadTextError as error:
        raise ValueError(f"{path} {error}") from None


def _replaced(value: object, member: dict, store: Store) -> object:
    if isinstance(value, str) and value.startswith("@") and takes_file(member):
        return store(Path(value[1:]).expanduser())
    if isinstance(value, list):
        items = member.get("items", {})
        return [_replaced(one, items, store) for one in value]
    if isinstance(value, dict):
        inner = member.get("properties", {})
        return {
            name: _replaced(one, inner.get(name, {}), store)
            for name, one in value.items()
        }
    return value


def takes_file(member: dict) -> bool:
    """Whether an argument takes a file."""
    if "x-file" in member or member.get("format") == "binary":
        return True
    return any(takes_file(one) for one in member.get("anyOf", []))
