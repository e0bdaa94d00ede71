"""What the build's slow functions returned, kept from one process to the next.

To make the deployed modules takes seconds, and each `./dev run` needs them. What these
functions return depends on nothing but the texts that they are given, so it is kept
under a digest of these, beside Python's own compiled files, for as long as the tools
and Python are the same.
"""

import hashlib
import pickle
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from functools import cache, wraps
from pathlib import Path
from typing import TypeVar

FILE = Path(__file__).parent / "__pycache__" / "kept.pickle"
Function = TypeVar("Function", bound=Callable)
MOST = 4_000  # entries, about ten times what one state of the pack needs


def kept(function: Function) -> Function:
    """Like functools.cache, and beyond this process once save() was called; for a
    function of texts, and tuples and sets of them, that asks for nothing else."""

    @wraps(function)
    def asked(*given: object) -> object:
        key = _digest(f"{function.__qualname__} {_in_order(given)!r}")
        if key not in _known():
            _known()[key] = function(*given)
            _new.add(key)
        return _known()[key]

    return cache(asked)


def save() -> None:
    """Keep what is new, where that is possible."""
    if not _new:
        return
    found = _known()
    if len(found) > MOST:
        found = {key: found[key] for key in _new}
    with suppress(OSError):
        FILE.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=FILE.parent) as beside:
            whole = Path(beside, FILE.name)
            whole.write_bytes(pickle.dumps((_tools(), found)))
            whole.replace(FILE)
        _new.clear()


_new: set[str] = set()


@cache
def _known() -> dict[str, object]:
    """What is kept, and is of these tools."""
    try:
        tools, found = pickle.loads(FILE.read_bytes())
    except Exception:  # there is none, or it is cut, or of another Python
        return {}
    return found if tools == _tools() else {}


@cache
def _tools() -> str:
    """A digest of the tools and of Python."""
    texts = [path.read_bytes() for path in sorted(Path(__file__).parent.rglob("*.py"))]
    return _digest(f"{sys.version} {texts!r}")


def _in_order(value: object) -> object:
    """The same without sets, whose order is another in each process."""
    if isinstance(value, frozenset):
        return sorted(value)
    return tuple(map(_in_order, value)) if isinstance(value, tuple) else value


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
