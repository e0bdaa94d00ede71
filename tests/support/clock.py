"""A clock that a test sets, for one module alone.

The clock of `time` itself is everybody's: a server beside the test that looks at it
just then would sleep until a moment that never comes.
"""

import time
from collections.abc import Callable
from types import ModuleType, SimpleNamespace

import pytest


def set_clock(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, **clocks: Callable[[], float]
) -> None:
    """Let a module that imports `time` see these clocks, such as monotonic."""
    monkeypatch.setattr(module, "time", SimpleNamespace(**{**vars(time), **clocks}))
