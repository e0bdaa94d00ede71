"""The lock of each script: what its imports need on a worker, pinned.

With a lock the server resolves nothing at deploy time; with no more in it than the
script needs, a worker installs nothing that is not used.
"""

import re
from collections.abc import Iterable
from functools import cache
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

PYTHON = "3.11"  # which Windmill takes where nothing else is said
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
# Modules of which the tools and most workers have nothing: what these need is all of
# the file, which stands beside requirements.txt.
APART = {"arro3": "requirements-parquet.txt"}


def lock(modules: Iterable[str], pinned: Path, python: str = PYTHON) -> str:
    """The lock of a script that imports these modules: the Python that runs it, their
    packages and what those bring, pinned as in requirements.txt. Raises ValueError for
    a package not pinned there, and for a Python on which the pack does not run."""
    if python not in PYTHONS:
        raise ValueError(f"Python {python!r}: take one of {', '.join(PYTHONS)}")
    pins = dict(re.findall(r"^([\w.-]+)==(\S+)", pinned.read_text(), re.M))
    needed: set[str] = set()
    modules = set(modules)
    for module in modules & APART.keys():
        modules.remove(module)
        own = _apart(pinned.parent / APART[module], python)
        pins |= own
        needed |= own.keys()
    waiting = [(name, "a script") for name in sorted(modules)]
    while waiting:
        name, by = waiting.pop()
        if name not in pins:
            raise ValueError(f"{by} needs {name}: {pinned.name} does not pin it")
        if name not in needed:
            needed.add(name)
            waiting += [(brought, name) for brought in _brought(name)]
    lines = [f"# py: {python}", *(f"{name}=={pins[name]}" for name in sorted(needed))]
    # No break at the end: the server writes none where it computes the lock itself, and
    # what is pushed later would show as a change for ever.
    return "\n".join(lines)


def _apart(pinned: Path, python: str) -> dict[str, str]:
    """The pins of a file that hold on a Python."""
    where = {"python_version": python, "python_full_version": f"{python}.0"}
    found = {}
    for line in pinned.read_text().splitlines():
        if line and not line.startswith("#"):
            one = Requirement(line)
            if one.marker is None or one.marker.evaluate(where):
                found[one.name] = str(one.specifier).removeprefix("==")
    return found


def annotated(text: str, own_lock: str) -> str:
    """A script that says itself what its lock says, for when Windmill computes the lock
    anew: after an edit on its page, and in tests there. Its Python comes first, and
    what it needs last; without `requirements:` Windmill would take the workspace's
    default dependencies, and lock the script anew when these change."""
    first, *pins = own_lock.splitlines()
    python = first.removeprefix("# py: ")
    return f"# py: =={python}.*\n{text}" + "".join(
        f"# {line}\n" for line in ("requirements:", *pins)
    )


@cache
def _brought(name: str) -> list[str]:
    """The packages that an installed package requires, extras left out."""
    return [
        re.sub(r"[-_.]+", "-", found.name).lower()
        for found in map(Requirement, metadata.requires(name) or ())
        if found.marker is None or found.marker.evaluate({"extra": ""})
    ]
