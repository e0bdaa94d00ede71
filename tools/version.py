"""The pack's name and version, and the mark by which its objects in a workspace are
known.

The version stands in pyproject.toml alone. Each script, module, flow and schedule that
is built says in one line which pack, which version and which object it is: scripts in a
comment, flows in `x-pack` of their schema, schedules in the last line of their
description. A server gives all of these back as they were pushed. A copy that a user
made under another name still says of what it is a copy, and so is not taken for ours.
"""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

NAME = "together-ai-for-windmill"
SCHEMA_KEY = "x-pack"
_PROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"
VERSION: str = tomllib.loads(_PROJECT.read_text(encoding="utf-8"))["project"]["version"]

_MARK = re.compile(rf"(?:# )?{NAME} (\d+\.\d+\.\d+[\w.+-]*) ([\w/]+)", re.ASCII)


@dataclass(frozen=True)
class Mark:
    """What an object says of itself: `id` is its path within the pack's folder, such
    as chat/ask_model, flows/run_batch or a schedule's name."""

    version: str
    id: str


def mark(id: str, version: str = VERSION) -> str:
    """The line that marks an object of the pack."""
    return f"{NAME} {version} {id}"


def marked(found: str | dict) -> Mark | None:
    """The mark of a script's text, or of an object as Windmill's API gives it (or its
    file, read): a script with `content`, a flow, a schedule. None: it has none."""
    if isinstance(found, str):
        lines = [line for line in found.splitlines() if line.startswith("# ")]
    elif isinstance(found.get("content"), str):
        return marked(found["content"])
    else:
        schema = found.get("schema")
        own = schema.get(SCHEMA_KEY) if isinstance(schema, dict) else None
        lines = [own, *str(found.get("description") or "").splitlines()[-1:]]
    for line in lines:
        if isinstance(line, str) and (match := _MARK.fullmatch(line.strip())):
            return Mark(*match.groups())
    return None


def mark_of(found: str | dict, id: str | None = None) -> str | None:
    """The version that an object of the pack is of; None for what has no mark and,
    where `id` is given, for a copy: an object marked as another one."""
    mark = marked(found)
    return mark.version if mark and id in (None, mark.id) else None
