"""The lock of each script: what its imports need on a worker, pinned.

With a lock the server resolves nothing at deploy time; with no more in it than the
script needs, a worker installs nothing in vain.
"""

import re
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

PYTHON = "# py: 3.11\n"


def lock(modules: Iterable[str], pinned: Path) -> str:
    """The lock of a script that imports these modules: their packages and what those
    bring, pinned as in requirements.txt. Raises ValueError for one not pinned there."""
    pins = dict(re.findall(r"^([\w.-]+)==(\S+)", pinned.read_text(), re.M))
    needed: set[str] = set()
    waiting = [(name, "a script") for name in sorted(modules)]
    while waiting:
        name, by = waiting.pop()
        if name not in pins:
            raise ValueError(f"{by} needs {name}: {pinned.name} does not pin it")
        if name not in needed:
            needed.add(name)
            waiting += [(brought, name) for brought in _brought(name)]
    return PYTHON + "".join(f"{name}=={pins[name]}\n" for name in sorted(needed))


def requirements(text: str) -> str:
    """A lock as comments in the script that it is of. Windmill resolves these instead
    of what it infers when it computes the lock anew: after an edit on its page, and
    for every script that imports a module which was deployed again."""
    pins = text.splitlines()[1:]
    return "".join(f"# {line}\n" for line in ("requirements:", *pins)) if pins else ""


def _brought(name: str) -> Iterator[str]:
    """The packages that an installed package requires, extras left out."""
    for text in metadata.requires(name) or ():
        found = Requirement(text)
        if found.marker is None or found.marker.evaluate({"extra": ""}):
            yield re.sub(r"[-_.]+", "-", found.name).lower()
