"""A test that reaches no assertion fails: it would pass whatever the code did.

What counts: an `assert` that held, in a test or in a helper of tests/support, and the
end of a `pytest.raises`. A plugin, loaded before any test (pyproject.toml).
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.assertion import rewrite

HELPERS = {path.stem for path in Path(__file__).parent.glob("*.py")}
pytest.register_assert_rewrite(
    *(f"tests.support.{name}" for name in HELPERS - {Path(__file__).stem})
)
_reached = False


def _note() -> bool:
    """Stands for pytest's own question whether anybody wants to hear of an assertion
    that held. The answer is no: the public hook for it first renders every value.

    Packages that are plugins of pytest are rewritten too, and theirs do not count."""
    global _reached
    if "site-packages" not in sys._getframe(1).f_globals.get("__file__", ""):
        _reached = True
    return False


def pytest_configure(config: pytest.Config) -> None:
    rewrite._check_if_assertion_pass_impl = _note
    leave = pytest.RaisesExc.__exit__

    def left(self: pytest.RaisesExc, *error: object) -> bool:
        global _reached
        held = leave(self, *error)
        _reached = True
        return held

    pytest.RaisesExc.__exit__ = left


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Iterator[None]:
    global _reached
    _reached = False
    result = yield
    if not _reached:
        pytest.fail("it reached no assertion", pytrace=False)
    return result
